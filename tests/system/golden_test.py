# SPDX-License-Identifier: Apache-2.0
"""The digits networks: spikes bit-identical to the golden files for all 360 images."""
import os

import numpy as np
import yaml

from support import ROOT, main, recorded, recorded_layers, run, scratch, spikeloom, stats, unpack
from integer_reference import IntegerReference
from nir_reference import read_nir

GOLDEN = os.path.join(ROOT, "tests", "golden", "digits")
RUNS = os.path.join(ROOT, "configs", "runs")


def compare(directory, network):
    z = np.load(os.path.join(GOLDEN, network + "_golden.npz"))
    layers = [k[4:] for k in z.files if k.startswith("spk_")]
    assert sorted(layers) == sorted(recorded_layers(directory))
    for n in layers:
        want = unpack(z, "spk_" + n, "shape_" + n).transpose(1, 0, 2)
        got = recorded(directory, n)
        assert got.shape == want.shape and got.shape[0] == 360
        assert np.array_equal(got, want), f"{network} {n}: {int((got != want).sum())} of {got.size} spikes differ"
    s = stats(directory)
    assert s["samples"] == 360
    assert s["accuracy"] == float((z["pred"] == z["label"]).mean())


def q8_on_mesh45():
    for kind in ("mlp", "conv"):
        with scratch() as d:
            run(f"{RUNS}/digits_{kind}_q8_mesh45.yaml", d + "/o")
            compare(d + "/o", f"digits_{kind}_q8")


def float_models_in_float64():
    for kind in ("mlp", "conv"):
        with scratch() as d:
            run(f"{RUNS}/digits_{kind}_q8_mesh45.yaml", d + "/o", "--set", "chip.core.soma.arithmetic=float64",
                "--set", f"network.file={GOLDEN}/digits_{kind}.nir")
            compare(d + "/o", f"digits_{kind}")


def q8_on_small_cores():
    """Many slices: 300 cores of 40 neurons, and 3 cores."""
    for sets in (["chip.noc.size=[20, 15]", "chip.core.soma.max_neurons=40"], ["chip.noc.size=[3, 1]"],
                 ["chip.noc.size=[2, 1]", "chip.noc.cores_per_router=2", "chip.noc.router.vcs=1", "chip.noc.router.buffer=1",
                  "chip.core.axon_in.fifo=1", "chip.core.axon_out.fifo=1"]):
        with scratch() as d:
            args = [a for s in sets for a in ("--set", s)]
            run(f"{RUNS}/digits_conv_q8_mesh45.yaml", d + "/o", *args, "--set", "chip.core.axon_out.max_fanout_entries=65536",
                "--set", "chip.core.synapse.memory=256 KiB", "--threads", "2")
            compare(d + "/o", "digits_conv_q8")


def loihi_against_the_integer_interpreter():
    for kind, t in (("mlp", 16), ("conv", 8)):
        with scratch() as d:
            run(f"{RUNS}/digits_{kind}_q8_loihi.yaml", d + "/o")
            core = yaml.safe_load(open(d + "/o/config.resolved.yaml"))["chip"]["core"]
            if kind == "mlp":
                z = np.load(f"{GOLDEN}/digits_mlp_input.npz")
                x = np.unpackbits(z["spikes"], axis=-1)[..., :z["shape"][-1]].reshape(z["shape"]).astype(float)
                oracle = IntegerReference(read_nir(f"{GOLDEN}/digits_mlp_q8.nir"), PROFILE, core)
            else:
                image = np.load(f"{GOLDEN}/digits_image_input.npz")["image"] * 0.0625
                x = np.broadcast_to(image, (t,) + image.shape)
                oracle = IntegerReference(read_nir(f"{GOLDEN}/digits_conv_q8.nir"), PROFILE, core, input_exponent=4, host_input=True)
            want = oracle.run(x)
            for n in recorded_layers(d + "/o"):
                got = recorded(d + "/o", n).transpose(1, 0, 2)
                assert np.array_equal(got, want[n]), f"{kind} {n}: {int((got != want[n]).sum())} spikes differ"
            g = np.load(f"{GOLDEN}/digits_{kind}_q8_golden.npz")
            golden = float((g["pred"] == g["label"]).mean())
            assert abs(stats(d + "/o")["accuracy"] - golden) <= 0.01


PROFILE = {"method": "euler", "compare": ">", "reset": "value", "cuba": "seq"}


def attention_is_refused():
    for name in ("digits_ssa", "digits_ssa_q8"):
        code, out, err = spikeloom("inspect", f"{GOLDEN}/{name}.nir")
        assert code == 0 and "MatMul" in out, err
        with scratch() as d:
            code, _, err = spikeloom("run", f"{RUNS}/digits_conv_q8_mesh45.yaml", "-o", d + "/o", "--set", f"network.file={GOLDEN}/{name}.nir")
            assert code == 3 and "unsupported" in err and "MatMul" in err, (code, err)
            assert not os.path.exists(d + "/o")


def operation_counts():
    """AC, MAC and ANN MAC against the published counts of tests/golden/digits/opcounts.json."""
    import json
    counts = json.load(open(f"{GOLDEN}/opcounts.json"))
    with scratch() as d:
        run(f"{RUNS}/digits_mlp_q8_mesh45.yaml", d + "/o")
        s = stats(d + "/o")
        z = np.load(f"{GOLDEN}/digits_mlp_input.npz")
        inputs = int(np.unpackbits(z["spikes"], axis=-1)[..., :64].sum())
        g = np.load(f"{GOLDEN}/digits_mlp_q8_golden.npz")
        hidden = int(g["count_lif1"].sum())
        assert s["ops"]["ac"] == inputs * 128 + hidden * 10
        assert s["ops"]["mac"] == 0
        assert s["ops"]["ann_mac"] == 360 * (64 * 128 + 128 * 10)
    assert counts


if __name__ == "__main__":
    main([q8_on_mesh45, float_models_in_float64, q8_on_small_cores, loihi_against_the_integer_interpreter,
          attention_is_refused, operation_counts])
