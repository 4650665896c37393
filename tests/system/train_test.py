# SPDX-License-Identifier: Apache-2.0
"""spikeloom train. The eleven golden cases (PyTorch, tests/golden/bptt) through the command: spikes bit for bit, gradients within 1e-5 of
the largest, optimiser steps within 1e-6. Training to the golden accuracies; the trained network runs with the same spikes; killed
trainings continue with the same bits."""
import fcntl
import json
import os
import random
import resource
import signal
import subprocess
import time

import numpy as np

from support import PROGRAM, ROOT, main, recorded, run, scratch, spikeloom, stats
from train_support import CASES, DIGITS, dumped, final_weights, golden_nir, golden_yaml, train

OPTIMISERS = {"sgd": "{kind: sgd, lr: 0.1}", "sgdm": "{kind: momentum, lr: 0.1, momentum: 0.9}", "adam": "{kind: adam, lr: 0.001}"}


def close(got, want, bound, what):
    assert got.shape == want.shape, f"{what}: shape {got.shape}, expected {want.shape}"
    worst = float(np.abs(got.astype(np.float64) - want).max())
    assert worst <= bound, f"{what}: differs by {worst}, allowed {bound}"


def compare_first_step(d, z, case):
    for n in "12":
        want = z["s" + n].reshape(8, 32, -1)
        assert np.array_equal(d[f"step0/lif{n}/spikes"], want), f"{case}: spikes of layer {n}"
        if "u" + n in z.files:
            close(d[f"step0/lif{n}/membrane"], z["u" + n].reshape(8, 32, -1), 2e-6, f"{case}: membranes {n}")
        if "grad_u" + n in z.files:
            g = z["grad_u" + n].reshape(8, 32, -1)
            close(d[f"step0/lif{n}/grad_membrane"], g, 1e-5 * np.abs(g).max(), f"{case}: membrane gradients {n}")
        g = z["grad_w" + n]
        close(d[f"step0/w{n}/grad_weight"], g, 1e-5 * np.abs(g).max(), f"{case}: weight gradient {n}")


def compare_steps(d, z, case, optimiser):
    for n in "12":
        for step, key in ((0, f"w{n}_after_{optimiser}"), (2, f"w{n}_after_{optimiser}_3steps")):
            if key not in z.files:
                continue
            got, want = d[f"step{step}/w{n}/weight"], z[key]
            if optimiser == "adam":  # where the gradient vanishes the sign of a step is ill-conditioned
                vanishing = np.abs(d[f"step0/w{n}/grad_weight"]) < 1e-7
                assert np.all(np.abs(got - want)[vanishing] <= 3.1e-3)
                got = np.where(vanishing, want, got)
            close(got, want, 1e-6, f"{case}: {key}")


def golden(*args, more="", check=lambda s: None):
    for case in CASES:
        with scratch() as d:
            z = golden_nir(f"{d}/golden.nir", case)
            for name, optimiser in OPTIMISERS.items():
                golden_yaml(f"{d}/t.yaml", case, optimizer=optimiser, more=more + "dump: [spikes, membranes, gradients, weights]\n")
                train(f"{d}/t.yaml", f"{d}/o", *args)
                arrays = dumped(f"{d}/o")
                compare_first_step(arrays, z, case)
                compare_steps(arrays, z, case, name)
                s = stats(f"{d}/o")
                assert s["steps"] == 3 and len(s["epochs"]) == 1 and s["epochs"][0]["steps"] == 3
                check(s)


def golden_cases_functional():
    golden("--fidelity", "functional")


def golden_cases_on_chips():
    """On every engine: the same bits as the functional run, phases that add up."""
    for chip in ("sata", "h2learn", "mac_array", "mesh45"):
        def check(s):
            assert s["fidelity"] == "cycle" and s["epoch"]["extrapolated"] and s["epoch"]["simulated_steps"] == 3
            energy = sum(p["energy_pj"] for p in s["phases"].values())
            assert abs(energy - s["energy"]["dynamic_pj"]) <= 1e-9 * energy
            assert abs(sum(l["energy_pj"] for l in s["layers"]) - energy) <= 1e-9 * energy
            assert all(p["cycles"] > 0 and 0 < p["utilisation"] <= 1 for p in s["phases"].values())
            assert abs(s["epoch"]["cycles"] - s["cycles"] * 44 / 3) <= 1e-6 * s["epoch"]["cycles"]
        golden("--fidelity", "cycle", more=f"chip: {{file: {ROOT}/configs/chips/{chip}.yaml}}\n", check=check)


def cycle_and_functional_runs_have_the_same_weights():
    for chip in ("sata", "h2learn"):
        with scratch() as d:
            args = ("--set", f"chip.file={ROOT}/configs/chips/{chip}.yaml", "--steps", "20")
            for fidelity in ("cycle", "functional"):
                train(f"{ROOT}/configs/train/digits_conv.yaml", f"{d}/{fidelity}", *args, "--fidelity", fidelity)
            assert open(f"{d}/cycle/trained.nir", "rb").read() == open(f"{d}/functional/trained.nir", "rb").read(), chip
            assert stats(f"{d}/cycle")["epochs"] == stats(f"{d}/functional")["epochs"]


def cells_train_through_converters():
    """Arrays that train in place, with noisy reads: the same weights functionally and by cycles; float32 gives others; a resumed training the same."""
    file = f"{ROOT}/configs/train/digits_mlp.yaml"
    args = ("--set", f"chip.file={ROOT}/configs/chips/train_cim_rram.yaml", "--set", "chip.core.cim.device.read_noise=0.01",
            "--set", "train.optimizer.lr=0.02")
    with scratch() as d:
        train(file, f"{d}/cycle", *args, "--fidelity", "cycle", "--steps", "6")
        train(file, f"{d}/functional", *args, "--fidelity", "functional", "--steps", "6")
        train(file, f"{d}/ideal", *args, "--set", "chip.core.cim.training.arithmetic=float32", "--fidelity", "functional", "--steps", "6")
        weights = {k: open(f"{d}/{k}/trained.nir", "rb").read() for k in ("cycle", "functional", "ideal")}
        assert weights["cycle"] == weights["functional"] != weights["ideal"]
        arrays = {k: stats(f"{d}/{k}")["training_arrays"] for k in weights}
        assert arrays["cycle"] == arrays["functional"] and arrays["ideal"]["arithmetic"] == "float32"
        counts = {n: p["counts"] for n, p in stats(f"{d}/cycle")["phases"].items()}
        assert counts["forward"]["cim.conversions"] > 0 and counts["backward"]["cim.conversions"] > 0, counts
        assert counts["weight_update"]["pulses"] == counts["weight_update"]["cim.write_pulses"], counts
        for layer in arrays["cycle"]["layers"]:
            assert layer["forward"]["codes"] > 0 and layer["most_pulses"] > 0, layer
        assert "forward" not in arrays["ideal"]["layers"][0]
        train(file, f"{d}/parts", *args, "--fidelity", "cycle", "--steps", "3")
        train(file, f"{d}/parts", *args, "--fidelity", "cycle", "--steps", "6", "--resume")
        for name in ("stats.json", "trained.nir"):
            assert open(f"{d}/cycle/{name}", "rb").read() == open(f"{d}/parts/{name}", "rb").read(), name
        args += ("--set", "train.formats.membrane={kind: fixed, bits: 12, fraction: 8}", "--fidelity", "functional")  # its report goes through the arrays once more
        train(file, f"{d}/whole", *args, "--steps", "4")
        train(file, f"{d}/halves", *args, "--steps", "2")
        train(file, f"{d}/halves", *args, "--steps", "4", "--resume")
        assert stats(f"{d}/whole")["training_arrays"] == stats(f"{d}/halves")["training_arrays"]


def trains_to_the_golden_accuracy():
    """All eleven within a point of PyTorch's run."""
    for case in CASES:
        with scratch() as d:
            golden_nir(f"{d}/golden.nir", case)
            golden_yaml(f"{d}/t.yaml", case, length="epochs: 20", optimizer=OPTIMISERS["adam"], shuffle="true")
            train(f"{d}/t.yaml", f"{d}/o")
            want = json.load(open(f"{ROOT}/tests/golden/bptt/summary.json"))[case]["test_correct"]
            s = stats(f"{d}/o")
            assert s["steps"] == 880 and len(s["epochs"]) == 20
            got = s["epochs"][-1]["test_correct"]
            assert abs(got - want) <= 3.6, f"{case}: {got} of 360 correct, golden {want}"


def trained_network_runs_with_equal_spikes():
    for case in ("mlp_sigmoid_hard_detach", "conv_atan_hard_detach", "mlp_sigmoid_soft_detach"):
        with scratch() as d:
            golden_nir(f"{d}/golden.nir", case)
            # two epochs, then a step with learning rate 0 whose minibatch is dumped: its weights are those of trained.nir
            golden_yaml(f"{d}/t.yaml", case, length="steps: 88", optimizer=OPTIMISERS["adam"])
            train(f"{d}/t.yaml", f"{d}/a")
            golden_yaml(f"{d}/u.yaml", case, network="a/trained.nir", length="steps: 2", optimizer="{kind: sgd, lr: 0}", more="dump: [spikes]\n")
            train(f"{d}/u.yaml", f"{d}/b")
            want = dumped(f"{d}/b")
            reset = "value" if "hard" in case else "subtract"
            with open(f"{d}/run.yaml", "w") as f:
                f.write(f"""network: {{file: a/trained.nir}}
profile: {{preset: nir-euler, dt: 100 us, compare: ">=", reset: {reset}}}
input:   {{file: {DIGITS}, array: x_train, encoding: constant, timesteps: 8, labels: y_train, limit: 64}}
chip:    {{file: {ROOT}/configs/chips/mesh45.yaml}}
record:  [spikes]
""")
            run(f"{d}/run.yaml", f"{d}/r", "--set", "chip.core.soma.arithmetic=float64")
            for layer in ("lif1", "lif2"):
                got = recorded(f"{d}/r", layer)  # [sample, step, neuron]
                for k in range(2):
                    spikes = want[f"step{k}/{layer}/spikes"].transpose(1, 0, 2)
                    assert spikes.sum() > 0 and np.array_equal(got[32 * k:32 * k + 32], spikes), f"{case}: {layer}"


NETWORKS = {
    "recurrent": """{kind: dense, name: a, outputs: 24}, {kind: recurrent, name: n1, leak: 0.75, init_gain: 0.3},
                    {kind: dense, name: b, outputs: 10}, {kind: lif, name: n2, leak: 0.5, v_reset: -0.125}""",
    "plif": """{kind: dense, name: a, outputs: 24, bias: true}, {kind: plif, name: n1, leak: 0.5, scales_input: true, threshold: 0.5},
               {kind: dense, name: b, outputs: 10}, {kind: if, name: n2}""",
    "adaptive": """{kind: dense, name: a, outputs: 24}, {kind: recurrent_alif, name: n1, leak: 0.75, init_gain: 0.3, adapt_decay: 0.875, adapt_jump: 0.25},
                   {kind: dense, name: b, outputs: 10}, {kind: alif, name: n2, leak: 0.5, threshold: 0.5, adapt_decay: 0.75, adapt_jump: 0.5, adapt_strength: 0.75}""",
    "residual": """{kind: dense, name: a, outputs: 24}, {kind: lif, name: n1}, {kind: dense, name: b, outputs: 24}, {kind: lif, name: n2, drift: 0.01},
                   {kind: add, name: sum, from: [n1, n2]}, {kind: dense, name: c, outputs: 10}, {kind: lif, name: n3}""",
    "windows": """{kind: conv, name: a, outputs: 8, kernel: [3, 2], padding: same, dilation: [1, 2]}, {kind: cuba_lif, name: n1, current_leak: 0.25},
                  {kind: avg_pool, name: pool, size: [3, 2], stride: [2, 1], padding: [1, 0]},
                  {kind: conv, name: b, outputs: 16, kernel: 3, stride: [1, 2], groups: 8, bias: true}, {kind: lif, name: n2},
                  {kind: flatten, name: flat}, {kind: dense, name: c, outputs: 10}, {kind: lif, name: n3}""",
    "norms": """{kind: conv, name: a, outputs: 4, kernel: 3, stride: 2, padding: 1}, {kind: batch_norm, name: bn1}, {kind: lif, name: n1},
                {kind: conv, name: b, outputs: 8, kernel: 3, padding: 1, bias: true}, {kind: td_batch_norm, name: bn2}, {kind: lif, name: n2},
                {kind: sum_pool, name: pool, size: 2}, {kind: flatten, name: flat}, {kind: dense, name: c, outputs: 10}, {kind: lif, name: n3}""",
}


def layer_kinds_train_and_run():
    """Described networks, then as .nir: the same test results (norms folded), the same spikes in training and on a chip."""
    for kind, layers in NETWORKS.items():
        with scratch() as d:
            profile = 'profile: {preset: nir-euler, dt: 100 us, compare: ">=", reset: value}\n'
            rest = "train: {timesteps: 6, batch: 32, steps: %d, loss: %s, optimizer: {kind: adam, lr: %g}}\n"
            with open(f"{d}/t.yaml", "w") as f:
                f.write(f"network: {{input: [1, 8, 8], layers: [{layers}]}}\n".replace("input: [1, 8, 8], ", "" if kind not in ("norms", "windows") else "input: [1, 8, 8], ")
                        + profile + rest % (88, "ce_rate", 0.005))
            train(f"{d}/t.yaml", f"{d}/a")
            with open(f"{d}/u.yaml", "w") as f:
                f.write("network: {file: a/trained.nir, bias: train}\n" + profile + "data: {shuffle: false}\n" + rest % (2, "ce_rate", 0) + "dump: [spikes]\n")
            train(f"{d}/u.yaml", f"{d}/b")
            a, b = stats(f"{d}/a")["epochs"][-1], stats(f"{d}/b")["epochs"][-1]
            assert a["test_correct"] == b["test_correct"] > 150, f"{kind}: {a['test_correct']} and {b['test_correct']} correct"
            with open(f"{d}/run.yaml", "w") as f:
                f.write("network: {file: a/trained.nir}\n" + profile + f"""chip:    {{file: {ROOT}/configs/chips/mesh45.yaml}}
input:   {{file: {DIGITS}, array: x_train, encoding: constant, timesteps: 6, limit: 64}}
record:  [spikes]
""")
            run(f"{d}/run.yaml", f"{d}/r", "--set", "chip.core.soma.arithmetic=float64")
            want = dumped(f"{d}/b")
            for layer in [n.split("/")[1] for n in want if n.startswith("step0") and ".syn/" not in n]:
                got = recorded(f"{d}/r", layer)
                for k in range(2):
                    spikes = want[f"step{k}/{layer}/spikes"].transpose(1, 0, 2)
                    assert spikes.sum() > 0 and np.array_equal(got[32 * k:32 * k + 32], spikes), f"{kind}: {layer}"


def dump_has_the_shapes_of_the_network():
    """A 1 x 1 convolution on a single position keeps its four axes; integrators have no spikes; windows that overlap train."""
    with scratch() as d:
        with open(f"{d}/t.yaml", "w") as f:
            f.write("""network:
  input: [1, 8, 8]
  layers:
    - {kind: max_pool, name: pool, size: 3, stride: 2}
    - {kind: conv, name: a, outputs: 5, kernel: 3}
    - {kind: lif, name: n1}
    - {kind: conv, name: b, outputs: 4, kernel: 1}
    - {kind: li, name: n2}
    - {kind: flatten, name: flat}
    - {kind: dense, name: c, outputs: 10}
    - {kind: lif, name: n3}
profile: {preset: nir-euler, dt: 100 us, compare: ">=", reset: value}
train: {timesteps: 3, batch: 6, steps: 2, loss: ce_membrane}
dump: [spikes, membranes, gradients, weights]
""")
        train(f"{d}/t.yaml", f"{d}/o")
        a = dumped(f"{d}/o")
        shapes = {n: a[f"step1/{n}"].shape for n in ("a/weight", "b/weight", "b/grad_weight", "c/weight", "n1/spikes", "n2/membrane", "n3/grad_membrane")}
        assert shapes == {"a/weight": (5, 1, 3, 3), "b/weight": (4, 5, 1, 1), "b/grad_weight": (4, 5, 1, 1), "c/weight": (10, 4), "n1/spikes": (3, 6, 5),
                          "n2/membrane": (3, 6, 4), "n3/grad_membrane": (3, 6, 10)}, shapes
        for n in ("n2", "n3"):
            assert not a[f"step1/{n}/spikes"].any() and a[f"step1/{n}/membrane"].any(), f"spikes of integrator {n}"
        train(f"{d}/t.yaml", f"{d}/c", "--set", f"chip.file={ROOT}/configs/chips/sata.yaml")
        assert np.array_equal(dumped(f"{d}/c")["step1/a/weight"], a["step1/a/weight"])


def one_process_at_a_time():
    """A second training into the same directory is refused and does the first no harm."""
    file = f"{ROOT}/configs/train/digits_mlp.yaml"
    with scratch() as d:
        args = ("--set", "train.epochs=1", "--set", "dump=[weights]")
        train(file, f"{d}/whole", *args)
        here = {"spikeloom": "lock", "host": "h", "boot": open("/proc/sys/kernel/random/boot_id").read().strip(), "pid_namespace": "", "pid": 7}
        lock = open(f"{d}/.out.lock", "w")
        json.dump(here, lock)
        lock.flush()
        fcntl.flock(lock, fcntl.LOCK_EX)
        for more in ((), ("--resume",)):
            _, err = train(file, f"{d}/out", *args, *more, expect=6)
            assert "/out: process 7 on h is writing there; wait for it, or choose another with -o" in err, err
        lock.close()
        train(file, f"{d}/out/", *args)
        assert open(f"{d}/whole/dump.h5", "rb").read() == open(f"{d}/out/dump.h5", "rb").read()
        assert sorted(os.listdir(d)) == ["out", "whole"], os.listdir(d)


def file_that_cannot_grow():
    """A full disk (here: a limit on files) ends with an error; --resume goes on when there is room again. What a killed process left goes."""
    file = f"{ROOT}/configs/train/digits_mlp.yaml"
    with scratch() as d:
        args = ("--set", "train.epochs=1", "--set", "train.checkpoint=2", "--set", "dump=[weights]")
        train(file, f"{d}/whole", *args)
        size = os.path.getsize(f"{d}/whole/dump.h5")
        for limit in (1 << 14, size // 2):
            limits = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
            p = subprocess.run([PROGRAM, "train", file, "-o", f"{d}/out", "-q", "--resume", *args], capture_output=True, text=True, preexec_fn=limits, check=False)
            assert p.returncode == 6 and "cannot be written" in p.stderr and "File too large" in p.stderr, f"{p.returncode}: {p.stderr}"
        os.mkdir(f"{d}/.out.tmp.new")
        open(f"{d}/.out.tmp.new/.spikeloom-unfinished", "w").close()
        train(file, f"{d}/out", *args, "--resume")
        for name in ("stats.json", "dump.h5", "checkpoint.h5"):
            assert open(f"{d}/whole/{name}", "rb").read() == open(f"{d}/out/{name}", "rb").read(), name
        assert sorted(os.listdir(d)) == ["out", "whole"], os.listdir(d)


def same_seed_same_bytes():
    with scratch() as d:
        for out, seed in (("a", 5), ("b", 5), ("c", 6)):
            train(f"{ROOT}/configs/train/digits_mlp.yaml", f"{d}/{out}", "--steps", "10", "--seed", seed)
        for name in ("stats.json", "trained.nir", "metrics.csv", "checkpoint.h5", "config.resolved.yaml"):
            a, b, c = (open(f"{d}/{o}/{name}", "rb").read() for o in "abc")
            assert a == b, f"{name} differs"
            assert a != c, f"{name} does not depend on the seed"
        train(f"{d}/a/config.resolved.yaml", f"{d}/r", "--steps", "10")
        assert open(f"{d}/a/stats.json").read() == open(f"{d}/r/stats.json").read(), "the resolved configuration trains otherwise"


def killed_training_continues_with_the_same_bits():
    killed("digits_mlp", "train.epochs=4", "data.encoding=bernoulli", "dump=[weights]")
    killed("digits_mlp", "train.epochs=1", f"chip.file={ROOT}/configs/chips/h2learn.yaml", "train.formats.weight.kind=bf16",
           "train.formats.membrane={kind: fixed, bits: 6, fraction: 4}", "train.formats.input={kind: fixed, bits: 5, fraction: 4}",
           "train.formats.rounding=stochastic", attempts=2)
    killed("digits_conv", "train.epochs=2", "train.optimizer.kind=momentum", "train.algorithm=ottt_o",
           "network.layers.1.kind=plif", attempts=2)


def killed(name, *sets, attempts=3):
    file = f"{ROOT}/configs/train/{name}.yaml"
    args = [a for s in (*sets, "train.checkpoint=7") for a in ("--set", s)] + ["-q"]
    rng = random.Random(1)
    total = 0
    with scratch() as d:
        start = time.time()
        train(file, f"{d}/whole", *args[:-1])
        whole = time.time() - start
        for attempt in range(attempts):
            out, kills = f"{d}/killed{attempt}", 0
            while True:
                p = subprocess.Popen([PROGRAM, "train", file, "-o", out, "--resume", *args], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
                try:
                    p.wait(timeout=rng.uniform(0.1, 0.9) * whole)
                    break
                except subprocess.TimeoutExpired:
                    os.kill(p.pid, signal.SIGKILL)
                    p.wait()
                    kills += 1
                    assert kills < 100
            assert p.returncode == 0
            total += kills
            for name in os.listdir(f"{d}/whole"):
                if name in ("host.json", "config.resolved.yaml", "manifest.json"):  # times; relative paths
                    continue
                assert open(f"{d}/whole/{name}", "rb").read() == open(f"{out}/{name}", "rb").read(), f"{name} differs after {kills} kills"
            left = [n for n in os.listdir(d) if n.startswith(f"killed{attempt}.training")]
            assert not left, f"left behind: {left}"
        assert total > 0, "nothing was killed"


def finished_training_can_be_lengthened():
    file = f"{ROOT}/configs/train/digits_mlp.yaml"
    with scratch() as d:
        dump = ("--set", "dump=[weights]")
        train(file, f"{d}/whole", "--set", "train.epochs=3", *dump)
        train(file, f"{d}/parts", "--steps", "50", *dump)
        train(file, f"{d}/parts", "--set", "train.epochs=3", "--resume", *dump)
        train(file, f"{d}/parts", "--set", "train.epochs=3", "--resume", *dump)  # nothing is left to do
        for name in ("stats.json", "trained.nir", "dump.h5"):
            assert open(f"{d}/whole/{name}", "rb").read() == open(f"{d}/parts/{name}", "rb").read(), name


def algorithms_and_encodings_train():
    file = f"{ROOT}/configs/train/digits_mlp.yaml"
    with scratch() as d:
        for algorithm in ("sltt", "ottt_a", "ottt_o"):
            train(file, f"{d}/o", "--set", f"train.algorithm={algorithm}", "--set", "train.epochs=4")
            assert stats(f"{d}/o")["accuracy"] > 0.8, algorithm
        x = np.load(DIGITS)
        spikes = (np.random.RandomState(1).rand(400, 10, 64) < x["x_train"][:400, None]).astype(np.uint8)
        np.savez(f"{d}/spikes.npz", x=spikes, y=x["y_train"][:400])
        train(file, f"{d}/s", "--set", f"data.file={d}/spikes.npz", "--set", "data.x=x", "--set", "data.y=y", "--set", "data.encoding=spikes", "--set", "data.order=samples_first",
              "--set", "train.epochs=6")
        s = stats(f"{d}/s")
        assert s["accuracy"] > 0.6 and "test_accuracy" not in s["epochs"][0]
        density = {r["name"]: r.get("input_density") for r in s["sparsity"]["layers"]}["fc1"]
        assert 0.2 < density < 0.5


def fewer_samples_and_partial_batches():
    file = f"{ROOT}/configs/train/digits_mlp.yaml"
    with scratch() as d:
        args = ("--set", "data.limit=100", "--set", "data.limit_test=50", "--set", "train.epochs=1")
        train(file, f"{d}/a", *args)
        train(file, f"{d}/b", *args, "--set", "data.drop_last=false")
        a, b = stats(f"{d}/a")["epochs"][0], stats(f"{d}/b")["epochs"][0]
        assert (a["steps"], a["samples"], b["steps"], b["samples"], b["test_samples"]) == (3, 96, 4, 100, 50)


def checks_and_schema():
    with scratch() as d:
        train(f"{ROOT}/configs/train/digits_mlp.yaml", f"{d}/o", "--steps", "1", "--fail-if", "accuracy < 0.99", expect=1)
    code, out, _ = spikeloom("schema", "train")
    assert code == 0 and "surrogate" in json.loads(out)["properties"]["train"]["properties"]
    for name in sorted(os.listdir(f"{ROOT}/configs/train")):
        code, _, err = spikeloom("validate", f"{ROOT}/configs/train/{name}")
        assert code == 0, err


MANY_LAYERS = """network:
  input: [1, 8, 8]
  weights: {seed: 1, gain: 3}
  layers:
    - {kind: conv, name: conv1, outputs: 4, kernel: 3, padding: 1}
    - {kind: batch_norm, name: bn1}
    - {kind: lif, name: lif1, leak: 0.5}
    - {kind: conv, name: conv2, outputs: 4, kernel: 3, padding: 1}
    - {kind: td_batch_norm, name: bn2}
    - {kind: plif, name: lif2, leak: 0.5}
    - {kind: add, name: sum, from: [lif1, lif2]}
    - {kind: avg_pool, name: pool, size: 2}
    - {kind: flatten, name: flatten}
    - {kind: dense, name: fc, outputs: 16}
    - {kind: recurrent, name: rec, leak: 0.5}
    - {kind: dense, name: out, outputs: 10}
    - {kind: alif, name: last, leak: 0.5}
profile: {preset: nir-euler, dt: 100 us, compare: ">=", reset: value}
data:    {file: digits, encoding: constant}
train:   {algorithm: bptt, timesteps: 4, batch: 4, steps: 2, loss: mse_rate, surrogate: {kind: rect, width: 0.5}, optimizer: {kind: adam, lr: 0.001}}
"""


def many_cores_add_up():
    """Layers and phases of all kinds of layers: their cycles and energies are the totals. An ANN beside it. Each zero can be kept."""
    with scratch() as d:
        with open(f"{d}/t.yaml", "w") as f:
            f.write(MANY_LAYERS)
        for chip in ("mesh45", "train_mesh45"):
            cycles = {}
            for spikes in ("skip", "gate", "dense"):
                train(f"{d}/t.yaml", f"{d}/{chip}_{spikes}", "--set", f"chip.file={ROOT}/configs/chips/{chip}.yaml",
                      "--set", f"chip.training_sparsity.spikes={spikes}", "--fidelity", "cycle")
                s = stats(f"{d}/{chip}_{spikes}")
                phases, layers = s["phases"].values(), s["layers"]
                assert sum(p["cycles"] for p in phases) == s["cycles"]
                assert sum(l.get("cycles", 0) for l in layers) == s["cycles"]
                for name, phase in s["phases"].items():
                    assert sum(l["phases"][name].get("cycles", 0) for l in layers) == phase["cycles"], name
                    energy = sum(l["phases"][name]["energy_pj"] for l in layers)
                    assert abs(energy - phase["energy_pj"]) <= 1e-9 * energy, name
                    assert 0 < phase["utilisation"] <= 1, name
                    for event, n in phase["counts"].items():
                        assert n == sum(l["phases"][name]["counts"].get(event, 0) for l in layers), (name, event)
                    if name in ("forward", "backward"):
                        assert phase["counts"]["noc.packets"] > 0 and phase["energy"]["network_pj"] > 0, name
                energy = s["energy"]
                assert abs(sum(p["energy_pj"] for p in phases) - energy["dynamic_pj"]) <= 1e-9 * energy["dynamic_pj"]
                assert abs(sum(l["energy_pj"] for l in layers) - energy["dynamic_pj"]) <= 1e-9 * energy["dynamic_pj"]
                assert abs(sum(energy["levels"].values()) - energy["dynamic_pj"]) <= 1e-9 * energy["dynamic_pj"]
                assert abs(energy["dynamic_pj"] + energy["leakage_pj"] - energy["total_pj"]) <= 1e-9 * energy["total_pj"]
                by_name = {l["name"]: l for l in layers}
                for name in ("bn1", "bn2"):
                    assert all(by_name[name]["phases"][p]["cycles"] > 0 for p in ("forward", "backward")), name
                ann = s["ann"]
                assert ann["cycles"] > 0 and ann["energy_pj"] > 0 and ann["energy_ratio"] > 0 and ann["cycles_ratio"] > 0
                assert sum(p["cycles"] for p in ann["phases"].values()) == ann["cycles"]
                cycles[spikes] = s["phases"]["forward"]["cycles"]
            assert cycles["skip"] < cycles["gate"] == cycles["dense"], cycles


def values_of_several_layers_reach_arrays():
    """Membranes behind a mean, and the input beside spikes: driven in all planes once."""
    conv = "outputs: 1, kernel: 3, padding: 1"
    for layers in ("{kind: conv, %s}, {kind: li, leak: 0.5}, {kind: avg_pool, size: 2}, {kind: conv, %s}, {kind: li, leak: 0.5}" % (conv, conv),
                   "{kind: conv, %s}, {kind: lif, name: l, threshold: 0.1, leak: 0.5}, {kind: conv, %s, from: [l, input]}, {kind: lif, leak: 0.5}" % (conv, conv)):
        with scratch() as d:
            with open(f"{d}/t.yaml", "w") as f:
                f.write(f"""network: {{input: [1, 8, 8], layers: [{layers}, {{kind: flatten}}, {{kind: dense, outputs: 10}}, {{kind: lif, leak: 0.5}}]}}
profile: {{preset: nir-euler, dt: 100 us, compare: ">=", reset: value}}
data:    {{file: digits, encoding: poisson}}
train:   {{timesteps: 2, batch: 4, steps: 1, optimizer: {{kind: sgd, lr: 0.1}}}}
chip:    {{file: {ROOT}/configs/chips/train_cim_rram.yaml}}
""")
            train(f"{d}/t.yaml", f"{d}/out")
            assert stats(f"{d}/out")["cycles"] > 0


def an_ann_that_does_not_fit_ends_no_training():
    """Spikes fit the core's memory, an ANN's values do not: the training is whole, and the reason is told."""
    with scratch() as d:
        with open(f"{d}/t.yaml", "w") as f:
            f.write(f"""network: {{layers: [{{kind: dense, outputs: 128}}, {{kind: lif, leak: 0.5}}, {{kind: dense, outputs: 10}}, {{kind: lif, leak: 0.5}}]}}
profile: {{preset: nir-euler, dt: 100 us, compare: ">=", reset: value}}
data:    {{file: digits, encoding: poisson}}
train:   {{timesteps: 1, batch: 32, steps: 1, optimizer: {{kind: sgd, lr: 0.1}}}}
chip:    {{file: {ROOT}/configs/chips/train_mesh45.yaml, noc: {{size: [1, 1]}}, core: {{synapse: {{memory: 57700 B}}}}}}
""")
        train(f"{d}/t.yaml", f"{d}/out")
        s = stats(f"{d}/out")
        assert s["cycles"] > 0 and list(s["ann"]) == ["does_not_fit"] and "need" in s["ann"]["does_not_fit"], s["ann"]
        with open(f"{d}/out/summary.txt") as f:
            assert "an ANN of this shape does not fit" in f.read()


if __name__ == "__main__":
    main([golden_cases_functional, an_ann_that_does_not_fit_ends_no_training, values_of_several_layers_reach_arrays, golden_cases_on_chips, layer_kinds_train_and_run, cycle_and_functional_runs_have_the_same_weights, cells_train_through_converters, trains_to_the_golden_accuracy, trained_network_runs_with_equal_spikes, same_seed_same_bytes,
          killed_training_continues_with_the_same_bits, finished_training_can_be_lengthened, algorithms_and_encodings_train,
          fewer_samples_and_partial_batches, dump_has_the_shapes_of_the_network, one_process_at_a_time, file_that_cannot_grow, many_cores_add_up,
          checks_and_schema])
