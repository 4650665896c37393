# SPDX-License-Identifier: Apache-2.0
"""Networks of CIFAR's size at cycle fidelity, synthetic images, and the structure of scripts/training-table's tables."""
import json
import os
import resource
import subprocess
import sys

from support import ROOT, main, scratch, spikeloom, stats
from train_support import train

TRAIN = f"{ROOT}/configs/train"


def execute(name, out, *args):
    train(f"{TRAIN}/{name}.yaml", out, "--steps", "1", "--set", "train.batch=1", "--set", "data.limit_test=1", *args)
    return stats(out)


def vgg5_step_on_each_chip():
    with scratch() as d:
        shares, executed = [], {}
        for chip in ("sata", "mac_array", "h2learn"):
            s = execute("vgg5_cifar", f"{d}/{chip}", "--set", f"chip.file={ROOT}/configs/chips/{chip}.yaml")
            assert s["network"]["weights"] == 8621760 and s["steps"] == 1 and s["fidelity"] == "cycle"
            assert all(s["phases"][p]["cycles"] > 0 and s["phases"][p]["energy_pj"] > 0 for p in s["phases"])
            shares.append(s["sparsity"])
            executed[chip] = s
        assert shares[0] == shares[1], "the numbers depend on the chip"  # h2learn adds in groups: other roundings
        assert [layer["neurons"] for layer in executed["sata"]["estimate"]["layers"]] == [65536, 32768, 32768, 1024, 10]
        macs = [executed[c]["phases"]["backward"]["counts"]["mac"] for c in ("sata", "mac_array")]
        assert 0 < macs[0] < macs[1], f"backward MACs with and without sparsity: {macs}"


def resnet18_step_within_the_limits():
    with scratch() as d:
        s = execute("resnet18_cifar", f"{d}/o")
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert used.ru_maxrss < 8 << 20, f"{used.ru_maxrss} KiB"
        convolutions = [r for r in s["layers"] if "conv" in r["name"] or r["name"].endswith("_down") or r["name"] == "stem"]
        convolutions = [r for r in convolutions if not r["name"].endswith(("_bn", "_lif"))]
        assert len(convolutions) == 20, [r["name"] for r in convolutions]
        assert all(r["phases"]["forward"]["counts"].get("ac", 0) + r["phases"]["forward"]["counts"].get("mac", 0) > 0 for r in convolutions)
        # 11.2 million weights of convolutions and the classifier, a scale and a shift for each of 4800 channels of a norm
        assert s["network"]["weights"] == 11159232 + 5120 + 2 * 4800, s["network"]["weights"]


def synthetic_images_are_the_same_for_the_same_seed():
    with scratch() as d:
        losses = {}
        small = ["--fidelity", "functional", "--set", "train.steps=2", "--set", "train.batch=2", "--set", "data.synthetic={samples: 4, test: 2}"]
        for out, args in (("a", []), ("b", []), ("c", ["--set", "data.synthetic.seed=2"])):
            train(f"{TRAIN}/vgg5_cifar.yaml", f"{d}/{out}", *small, *args)
            losses[out] = open(f"{d}/{out}/metrics.csv").read()
            assert stats(f"{d}/{out}")["steps_per_epoch"] == 2
        assert losses["a"] == losses["b"] != losses["c"]
        train(f"{d}/a/config.resolved.yaml", f"{d}/r", "--fidelity", "functional")
        assert open(f"{d}/r/stats.json").read() == open(f"{d}/a/stats.json").read()
        for args, text in ((["data.file=digits", "data.synthetic={test: 1}"], "data.synthetic: applies to data.file: synthetic only"),
                           (["data.encoding=spikes"], "data.encoding"), (["network.input=[]"], "network.input"),
                           (["data.synthetic={samples: 0}"], "data.synthetic.samples"), (["data.synthetic={sample: 3}"], "did you mean 'samples'"),
                           (["data.synthetic={classes: 12}"], "label 10")):
            sets = [x for a in args for x in ("--set", a)]
            code, _, err = spikeloom("train", f"{TRAIN}/vgg5_cifar.yaml", "-o", f"{d}/bad", "-q", *sets)
            assert code == 3 and text in err, f"{args}: {code} {err}"


def tables_have_their_structure():
    with scratch() as d:
        subprocess.run([sys.executable, f"{ROOT}/scripts/training-table", "--only", "mlp_triangle", "--epochs", "1", "--json", f"{d}/t.json"],
                       check=True, capture_output=True, env=os.environ)
        result = json.load(open(f"{d}/t.json"))
        for chip in ("sata", "h2learn"):
            rows = [r for r in result["sparsity"] if r["chip"] == chip and "tables" not in r["stage"]]
            assert [r["stage"] for r in rows] == ["none", "s", "s", "s+g", "s+g", "s+g+h", "s+g+h"]
            for rule in ("gate", "skip"):
                chain = [rows[0]] + [r for r in rows if r["rule"] == rule]
                compute, total, cycles = ([r[k] for r in chain] for k in ("compute_pj", "total_pj", "cycles"))
                assert all(a > b for a, b in zip(compute, compute[1:])), f"{chip}, {rule}: compute {compute}"
                assert all(a >= b for a, b in zip(total, total[1:])), f"{chip}, {rule}: total {total}"
                assert all(a >= b for a, b in zip(cycles, cycles[1:])), f"{chip}, {rule}: cycles {cycles}"
                assert cycles[0] / cycles[-1] == 1 if rule == "gate" else cycles[0] > cycles[-1]
                assert compute[0] / compute[-1] > 1.2 * total[0] / total[-1], "memory and leakage are not exploited by sparsity"
            for gate, skip in zip(rows[1::2], rows[2::2]):
                assert gate["operations"] == skip["operations"] != rows[0]["operations"], f"{chip}, {gate['stage']}: the same operations remain"
        sata = {(r["chip"], r["batch"]): r for r in result["ann"]}
        assert sata["mac_array", 32]["ratio"] > sata["sata", 32]["ratio"] > 1, "SNN against ANN"
        assert sata["mac_array", 32]["ann_pj"] == sata["sata", 32]["ann_pj"], "an ANN has no zeros to exploit"


def gpu_table_has_its_structure():
    with scratch() as d:
        subprocess.run([sys.executable, f"{ROOT}/scripts/training-gpu-table", "--only", "mlp_triangle", "--epochs", "1", "--work", f"{d}/w",
                        "--json", f"{d}/t.json"], check=True, capture_output=True, env=os.environ)
        result = json.load(open(f"{d}/t.json"))
        for chip, area in result["area"].items():
            parts = [p["total_mm2"] for group in ("arrays", "buffers") for p in area[group].values()]
            assert abs(sum(parts) - area["total_mm2"]) < 1e-9 and area["technology_nm"] == 32, chip
            summary = open(f"{d}/w/mlp_triangle_{chip}_/summary.txt").read()
            assert f"area {area['total_mm2']:.3g} mm2 in 32 nm" in summary and "arrays" in summary, summary
        assert result["area"]["mac_array"]["total_mm2"] < result["area"]["sata"]["total_mm2"], "gates"
        dense = 8 * (64 * 128 + 128 * 10) * 3 - 7 * 64 * 128 - 8 * 64 * 128  # input multiplied once; no errors of the input
        for r in result["gpu"]:
            assert r["flop"] == 2 * dense, r["flop"]
            assert abs(r["gpu"]["time"] - max(r["flop"] / r["peak"], r["words"] * r["width"] / 900e9)) < 1e-15
            assert r["gpu"]["bound"] == "memory"
        for r in result["size"]:
            if r["what"] not in ("preset", "DRAM of 900 GB/s"):
                assert abs(r["mm2"] - 815 / 7.38) < 1.5, f"{r['what']}, {r['nm']} nm: {r['mm2']} mm2"
            assert abs(r["utilisation"][0] * 5.74 * r["ours"]["time"] / r["gpu"]["time"] - 1) < 1e-9
        assert not any("refused" in r for r in result["size"])
        times = {(r["what"], r["nm"]): r["ours"]["time"] for r in result["size"]}
        assert times["elements, ports, 900 GB/s", 12] < times["elements, ports, 900 GB/s", 28] < times["preset", 32]


if __name__ == "__main__":
    main([vgg5_step_on_each_chip, resnet18_step_within_the_limits, synthetic_images_are_the_same_for_the_same_seed, tables_have_their_structure, gpu_table_has_its_structure])
