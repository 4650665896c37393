# SPDX-License-Identifier: Apache-2.0
"""spikeloom train: windows of any kind on every engine, one-dimensional convolutions, dumps of algorithms that go timestep by timestep,
values that did not fit their formats, the choice of the batch block."""
import json

import h5py
import numpy as np

from support import ROOT, main, scratch, spikeloom, stats
from nir_writer import write_nir
from train_support import GOLDEN, dumped, train

LAYERS = """
    - {kind: conv, name: a, outputs: 6, kernel: [3, 2], stride: [1, 2], padding: [1, 0], dilation: [2, 1]}
    - {kind: cuba_lif, name: n1, current_leak: 0.25, threshold: 0.5}
    - {kind: max_pool, name: pool, size: [2, 3], stride: 1, padding: [0, 1]}
    - {kind: conv, name: b, outputs: 12, kernel: 2, groups: 6, bias: true}
    - {kind: lif, name: n2, threshold: 0.25}
    - {kind: sum_pool, name: sum, size: 2, stride: 1}
    - {kind: flatten, name: flat}
    - {kind: dense, name: c, outputs: 10}
    - {kind: lif, name: n3, threshold: 0.5}
"""
PROFILE = 'profile: {preset: nir-euler, dt: 100 us, compare: ">=", reset: value}\n'


def network(d, layers=LAYERS, shape="[1, 8, 8]", train_keys="", more=""):
    with open(f"{d}/t.yaml", "w") as f:
        f.write(f"network:\n  input: {shape}\n  layers:{layers}{PROFILE}"
                f"train: {{timesteps: 4, batch: 8, steps: 2, loss: mse_rate, optimizer: {{kind: sgd, lr: 0.5}}{train_keys}}}\n{more}")
    return f"{d}/t.yaml"


def weights(out):
    with h5py.File(f"{out}/checkpoint.h5", "r") as f:
        return {n: f["parameters"][n][()] for n in f["parameters"]}


GOLDEN_LAYERS = """
    - {kind: conv, name: a, outputs: 8, kernel: [3, 4], dilation: [2, 1], padding: same, groups: 2}
    - {kind: cuba_lif, name: n1, current_leak: 0.25}
    - {kind: POOL, name: p, size: [3, 2], stride: [2, 1], padding: [1, 0]}
    - {kind: conv, name: b, outputs: 16, kernel: [2, 3], stride: [1, 2], groups: 8, padding: [0, 1], bias: true}
    - {kind: lif, name: n2}
    - {kind: flatten, name: f}
    - {kind: dense, name: c, outputs: 5}
    - {kind: lif, name: n3}
  weights: {file: w.npz}
"""


def golden_windows():
    """PyTorch's autograd (tests/golden/bptt/gen_windows_golden.py): spikes bit for bit, gradients within 1e-5 of the largest."""
    for pool in ("avg", "max"):
        z = np.load(f"{GOLDEN}/windows_{pool}.npz")
        with scratch() as d:
            np.savez(f"{d}/in.npz", x=z["x"], y=z["y"])
            np.savez(f"{d}/w.npz", **{k.removeprefix("init_"): z[k] for k in z.files if k.startswith("init_")})
            t = network(d, GOLDEN_LAYERS.replace("POOL", f"{pool}_pool"), "[4, 9, 7]", ", surrogate: {kind: atan, alpha: 4}",
                        "data: {file: in.npz, x: x, y: y, shuffle: false}\ndump: [spikes, gradients]\n")
            for chip in ("", "sata", "mac_array", "train_mesh45"):
                train(t, f"{d}/o{chip}", "--steps", "1", *(("--set", f"chip.file={ROOT}/configs/chips/{chip}.yaml") if chip else ()))
                got = dumped(f"{d}/o{chip}")
                for n in "123":
                    assert np.array_equal(got[f"step0/n{n}/spikes"], z["s" + n]) and z["s" + n].any(), f"{pool} {chip}: spikes of n{n}"
                for key in (k for k in z.files if k.startswith("grad_")):
                    layer, _, parameter = key.removeprefix("grad_").partition(".")
                    g = got[f"step0/{layer}/grad_{parameter or 'weight'}"]
                    worst = np.abs(g - z[key]).max() / np.abs(z[key]).max()
                    assert g.shape == z[key].shape and worst < 1e-5, f"{pool} {chip}: {key} differs by {worst}"


def windows_on_every_engine():
    """Chips execute what is computed: the weights of a functional run, and operations that no two engines count differently."""
    with scratch() as d:
        t = network(d)
        train(t, f"{d}/functional")
        want = weights(f"{d}/functional")
        counts = {}
        for chip in ("sata", "mac_array", "h2learn", "train_mesh45"):
            train(t, f"{d}/{chip}", "--set", f"chip.file={ROOT}/configs/chips/{chip}.yaml")
            s = stats(f"{d}/{chip}")
            got = weights(f"{d}/{chip}")
            for n in want:
                same = np.array_equal(got[n], want[n])
                assert same or (chip == "h2learn" and np.allclose(got[n], want[n], atol=1e-5)), f"{chip}: parameter {n}"
            assert s["cycles"] > 0 and s["estimate"] is not None, chip
            layers = {layer["name"]: layer["phases"] for layer in s["layers"]}
            counts[chip] = {n: [layers[n][p]["counts"].get("mac", 0) + layers[n][p]["counts"].get("ac", 0) for p in ("backward", "weight_gradient")]
                            for n in "abc"}
        assert counts["sata"]["a"] == counts["train_mesh45"]["a"] and counts["sata"]["b"] == counts["train_mesh45"]["b"], counts
        assert all(counts["mac_array"][n][1] > counts["sata"][n][1] > 0 for n in "abc"), counts
        # arrays cannot hold groups, and say which layer has them
        code, _, err = spikeloom("train", t, "-o", f"{d}/cim", "-q", "--set", f"chip.file={ROOT}/configs/chips/train_cim_rram.yaml")
        assert code == 3 and "layer 'b' has 6 groups" in err, err


def refused_by_arrays():
    """What arrays cannot train is refused before the first step, whatever the fidelity."""
    with scratch() as d:
        for fidelity in ("functional", "cycle"):
            for key, said in (("network.layers.1.kind=recurrent", "lif1.recurrent has no cells"),
                              ("train.algorithm=ottt_o", "train.algorithm: updates in cells come once per minibatch")):
                code, _, err = spikeloom("train", f"{ROOT}/configs/train/digits_mlp.yaml", "-o", f"{d}/o", "-q", "--steps", "1", "--fidelity",
                                         fidelity, "--set", f"chip.file={ROOT}/configs/chips/train_cim_rram.yaml", "--set", key)
                assert code == 3 and said in err, (fidelity, key, code, err)


def one_dimensional():
    """A .nir with Conv1d on samples [channels, length], and the same network described: the same steps."""
    rng = np.random.RandomState(1)
    with scratch() as d:
        x = rng.rand(32, 2, 20).astype(np.float32)
        np.savez(f"{d}/in.npz", x=x, y=rng.randint(0, 3, 32))
        w1, w2, w3 = rng.randn(4, 2, 3), rng.randn(4, 2, 3), rng.randn(3, 32) / 4
        lif = lambda shape: {"type": "LIF", "tau": np.full(shape, 2e-4), "r": np.full(shape, 2.0), "v_leak": np.zeros(shape),
                             "v_threshold": np.ones(shape), "v_reset": np.zeros(shape)}
        conv = lambda w, n, **keys: {"type": "Conv1d", "input_shape": n, "weight": w.astype(np.float32), "stride": 1, "dilation": 1, "groups": 1,
                                     "padding": 0, "bias": np.zeros(4, np.float32)} | keys
        nodes = {"input": {"type": "Input", "shape": np.array([2, 20])}, "c1": conv(w1, 20, padding="same", dilation=2), "n1": lif((4, 20)),
                 "c2": conv(w2, 20, groups=2, stride=2), "n2": lif((4, 9)),
                 "flat": {"type": "Flatten", "start_dim": 0, "end_dim": -1, "input_type": np.array([4, 9])},
                 "fc": {"type": "Linear", "weight": np.concatenate([w3, w3[:, :4]], 1).astype(np.float32)}, "n3": lif(3),
                 "output": {"type": "Output", "shape": np.array([3])}}
        names = list(nodes)
        write_nir(f"{d}/net.nir", nodes, list(zip(names, names[1:])))
        np.savez(f"{d}/w.npz", c1=w1.astype(np.float32), c2=w2.astype(np.float32), fc=nodes["fc"]["weight"])
        t = network(d, """
    - {kind: conv1d, name: c1, outputs: 4, kernel: 3, padding: same, dilation: 2}
    - {kind: lif, name: n1}
    - {kind: conv1d, name: c2, outputs: 4, kernel: 3, stride: 2, groups: 2}
    - {kind: lif, name: n2}
    - {kind: flatten, name: flat}
    - {kind: dense, name: fc, outputs: 3}
    - {kind: lif, name: n3}
  weights: {file: w.npz}
""", "[2, 20]", more="data: {file: in.npz, x: x, y: y, shuffle: false}\ndump: [spikes, gradients, weights]\n")
        train(t, f"{d}/described")
        with open(f"{d}/u.yaml", "w") as f:
            f.write(open(t).read().replace(open(t).read().split("profile")[0], "network: {file: net.nir}\n"))
        train(f"{d}/u.yaml", f"{d}/file")
        a, b = dumped(f"{d}/described"), dumped(f"{d}/file")
        assert a.keys() == b.keys() and all(np.array_equal(a[k], b[k]) for k in a)
        assert a["step0/c1/grad_weight"].shape == (4, 2, 3) and np.abs(a["step0/c1/grad_weight"]).max() > 0
        current = np.zeros((8, 4, 20))  # by hand: samples, channels, positions
        padded = np.pad(x[:8], ((0, 0), (0, 0), (2, 2)))
        for k in range(3):
            current += np.einsum("oc,bcl->bol", w1[:, :, k], padded[:, :, 2 * k:2 * k + 20])
        assert np.array_equal(a["step0/n1/spikes"][0].reshape(8, 4, 20), current >= 1)
        # what was trained can be trained on, and executed
        with open(f"{d}/v.yaml", "w") as f:
            f.write(open(f"{d}/u.yaml").read().replace("net.nir", "file/trained.nir"))
        train(f"{d}/v.yaml", f"{d}/again")


def online_dumps_have_every_timestep():
    with scratch() as d:
        args = ("--set", "train.algorithm=sltt", "--set", "train.loss=tet", "--set", "dump=[spikes, membranes, gradients]")
        t = network(d)
        train(t, f"{d}/online", *args)
        train(t, f"{d}/whole", *args, "--set", "train.online=false")
        online, whole = dumped(f"{d}/online"), dumped(f"{d}/whole")
        assert online.keys() == whole.keys()
        for key in (k for k in whole if k.startswith("step0/")):
            assert online[key].shape == whole[key].shape, f"{key}: {online[key].shape}, {whole[key].shape}"
            bound = 0 if "grad" not in key else 1e-5 * np.abs(whole[key]).max()
            assert np.abs(online[key].astype(float) - whole[key]).max() <= bound, key
        assert online["step0/n1/spikes"].shape[0] == 4 and online["step0/n1/spikes"][0].sum() > 0
        train(t, f"{d}/ottt", "--set", "train.algorithm=ottt_o", "--set", "dump=[gradients, weights, membranes]", "--set", "train.loss=tet")
        arrays = dumped(f"{d}/ottt")
        assert arrays["step1/n2/membrane"].shape[0] == 4
        step = arrays["step0/c/weight"] - arrays["step1/c/weight"]
        assert np.abs(step - 0.5 * arrays["step1/c/grad_weight"]).max() < 1e-6 and np.abs(step).max() > 0


def values_beyond_their_format_are_told():
    with scratch() as d:
        t = network(d)
        train(t, f"{d}/plain")
        assert "formats" not in stats(f"{d}/plain")
        args = ("--set", "train.formats.membrane={kind: fixed, bits: 4, fraction: 3}", "--set", "train.formats.weight={kind: fixed, bits: 12, fraction: 8}",
                "--set", "train.formats.input={kind: fixed, bits: 4, fraction: 3}")
        train(t, f"{d}/o", *args)
        s = stats(f"{d}/o")["formats"]
        assert set(s["rounded"]) == set(s["saturated"]) == {"membrane", "weight", "input"}, s
        assert s["rounded"]["input"] == 2 * 8 * 64, "a constant sample is stored once"
        assert 0 < s["saturated"]["membrane"] < s["rounded"]["membrane"] and s["saturated"]["weight"] == 0
        assert 0 < s["saturated"]["input"] < s["rounded"]["input"], "pixels of 1"
        assert {(e["layer"], e["parameter"]) for e in s["gradient_error"]} == {("a", "weight"), ("b", "weight"), ("b", "bias"), ("c", "weight")}
        assert any(e["relative"] > 0 for e in s["gradient_error"])
        text = open(f"{d}/o/summary.txt").read()
        assert f"membrane {s['saturated']['membrane']} of {s['rounded']['membrane']}" in text, text
        # step by step, resumed: the same counts
        train(t, f"{d}/parts", *args, "--steps", "1")
        train(t, f"{d}/parts", *args, "--resume")
        assert stats(f"{d}/parts")["formats"] == s


def batch_blocks_are_told():
    with scratch() as d:
        t = network(d)
        sata = ("--set", f"chip.file={ROOT}/configs/chips/sata.yaml")
        train(t, f"{d}/auto", *sata)
        s = stats(f"{d}/auto")
        chosen = [b for b in s["batch_blocks"] if b["block"] == s["batch_block"]]
        assert [b["block"] for b in s["batch_blocks"]] == [8, 1, 2, 4] and len(chosen) == 1
        assert chosen[0]["overhead_cycles"] == min(b["overhead_cycles"] for b in s["batch_blocks"])
        assert "fewest cycles beside arithmetic" in open(f"{d}/auto/summary.txt").read()
        train(t, f"{d}/given", *sata, "--set", "chip.schedule.batch_block=2")
        s = stats(f"{d}/given")
        assert s["batch_block"] == 2 and s["batch_block_reason"] == "schedule.batch_block" and len(s["batch_blocks"]) == 1
        train(t, f"{d}/given", *sata, "--set", "chip.schedule.batch_block=2", "--resume")  # nothing left to do: the same
        assert stats(f"{d}/given") == s, json.dumps(s)


if __name__ == "__main__":
    main([golden_windows, windows_on_every_engine, refused_by_arrays, one_dimensional, online_dumps_have_every_timestep, values_beyond_their_format_are_told, batch_blocks_are_told])
