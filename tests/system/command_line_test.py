# SPDX-License-Identifier: Apache-2.0
"""The sub-commands as a user calls them, the files that a run leaves, sweeps."""
import csv
import json
import os
import shutil

from support import ROOT, main, run, scratch, spikeloom, stats

RUNS = os.path.join(ROOT, "configs", "runs")
KEYS = ["schema_version", "accuracy", "samples", "timesteps", "cycles.total", "cycles.per_sample_mean", "time.simulated_s",
        "energy.total_pj", "energy.compute_pj", "energy.memory_pj", "energy.noc_pj", "energy.control_pj", "energy.leakage_pj",
        "ops.ac", "ops.mac", "ops.ann_mac", "estimate.paper_pj", "estimate.ratio", "noc.packets", "noc.flit_hops", "layers", "cores_used"]


def get(j, path):
    for k in path.split("."):
        j = j[k]
    return j


def help_and_version():
    for args in ((), ("run",), ("map",), ("inspect",), ("validate",), ("schema",), ("sweep",)):
        code, out, _ = spikeloom(*args, "--help")
        assert code == 0 and "Exit codes" in out, args
        code, out, _ = spikeloom(*args, "--version")
        assert code == 0 and out.startswith("spikeloom "), args
    assert spikeloom()[0] == 2
    assert spikeloom("rnu")[0] == 2


def files_of_a_run():
    with scratch() as d:
        code, out, err = spikeloom("run", f"{RUNS}/digits_conv_q8_loihi.yaml", "-o", f"{d}/o", "--set", "input.limit=5", "--json")
        assert code == 0, err
        j = json.loads(out)
        for k in KEYS:
            get(j, k)
        for layer in j["layers"]:
            for k in ("energy.total_pj", "energy.noc_pj", "ops.ac", "ops.mac", "ops.ann_mac", "estimate.paper_pj", "name", "spikes"):
                get(layer, k)
        assert out == open(f"{d}/o/stats.json").read()
        assert sorted(os.listdir(f"{d}/o")) == sorted(["stats.json", "stats.txt", "layers.csv", "energy.yaml", "config.resolved.yaml",
                                                       "spikes.h5", "manifest.json", "host.json", "predictions.csv", "summary.txt"])
        assert os.listdir(d) == ["o"], "a temporary directory is left"
        rows = list(csv.DictReader(open(f"{d}/o/layers.csv")))
        assert [r["layer"] for r in rows] == [x["name"] for x in j["layers"]]
        parts = sum(j["energy"][k + "_pj"] for k in ("compute", "memory", "noc", "control", "leakage"))
        assert abs(parts - j["energy"]["total_pj"]) <= 1e-9 * parts
        layers = sum(x["energy"]["total_pj"] for x in j["layers"])
        assert abs(layers + j["energy"]["leakage_pj"] - j["energy"]["total_pj"]) <= 1e-9 * parts
        assert j["noc"]["packets"] == j["noc"]["packets_delivered"] > 0
        assert sum(s["cycles"] for s in j["steps"]) + j["cycles"]["reset"] == j["cycles"]["total"]
        # Loihi's list has no price for clearing state, so the timesteps hold all dynamic energy
        steps = sum(x["energy"]["total_pj"] for x in j["steps"])
        assert abs(steps - j["energy"]["dynamic_pj"]) <= 1e-9 * steps
        static = sum(x["energy"]["leakage_pj"] for x in j["steps"])
        assert abs(static * j["cycles"]["total"] / (j["cycles"]["total"] - j["cycles"]["reset"]) - j["energy"]["leakage_pj"]) <= 1e-9 * static
        host = json.load(open(f"{d}/o/host.json"))
        assert host["simulate_s"] > 0 and "simulate_s" not in out


def interrupted_results_are_replaced_whole():
    with scratch() as d:
        run(f"{RUNS}/digits_mlp_q8_mesh45.yaml", f"{d}/o", "--set", "input.limit=2")
        run(f"{RUNS}/digits_mlp_q8_mesh45.yaml", f"{d}/o", "--set", "input.limit=3")
        assert stats(f"{d}/o")["samples"] == 3 and os.listdir(d) == ["o"]


def map_inspect_validate_schema():
    code, out, _ = spikeloom("map", f"{RUNS}/digits_conv_q8_loihi.yaml", "--dump", "--set", "chip.core.soma.max_neurons=200")
    assert code == 0 and "delivered exactly once" in out and "lif2[" in out and "accumulator LSB" in out
    code, out, _ = spikeloom("inspect", f"{ROOT}/tests/golden/digits/digits_conv_q8.nir")
    assert code == 0 and "total parameters: 9930" in out
    for kind in ("chips", "energy", "runs", "sweeps", "train"):
        for name in sorted(os.listdir(f"{ROOT}/configs/{kind}")):
            code, out, err = spikeloom("validate", f"{ROOT}/configs/{kind}/{name}")
            assert code == 0 and "valid" in out, err
    for kind, member in (("chip", "noc"), ("run", "profile"), ("energy", "actions")):
        code, out, _ = spikeloom("schema", kind)
        assert code == 0 and member in json.loads(out)["properties"]
    assert spikeloom("schema", "house")[0] == 2


def encodings_and_decoders():
    """The same spikes through every kind of file; every decoder."""
    import h5py
    import numpy as np
    from nir_writer import write_nir
    rng = np.random.default_rng(3)
    n, t, b = 6, 5, 3
    x = (rng.random((t, b, n)) < 0.4).astype(np.uint8)
    with scratch() as d:
        eye = lambda: {"type": "Linear", "weight": np.round(rng.normal(0, 1, (n, n)) * 16).astype(np.float32) / 16}
        lif = {"type": "LIF", "tau": np.full(n, 8e-4), "r": np.full(n, 8.0), "v_leak": np.zeros(n), "v_threshold": np.full(n, 0.5), "v_reset": np.zeros(n)}
        li = {k: v for k, v in lif.items() if k not in ("v_threshold", "v_reset")} | {"type": "LI"}
        w1, w2 = eye(), eye()
        for name, last in (("spiking", lif), ("leaky", li)):
            write_nir(f"{d}/{name}.nir", {"input": {"type": "Input", "shape": np.array([n])}, "f1": w1, "a": lif, "f2": w2, "out": last,
                                          "output": {"type": "Output", "shape": np.array([n])}},
                      [("input", "f1"), ("f1", "a"), ("a", "f2"), ("f2", "out"), ("out", "output")])
        np.save(f"{d}/x.npy", x)
        np.savez_compressed(f"{d}/x.npz", x=x, y=np.zeros(b, int))
        np.savez(f"{d}/packed.npz", x=np.packbits(x, axis=-1), shape=np.array(x.shape))
        with open(f"{d}/x.csv", "w") as f:
            f.write("sample,step,address\n" + "".join(f"{s},{k},{i}\n" for k, s, i in np.argwhere(x)))
        with h5py.File(f"{d}/x.h5", "w") as f:
            f["nodes/input/observables/spikes/data"] = x.transpose(1, 0, 2)

        def go(inputs, net="spiking", rule="spike_count"):
            with open(f"{d}/r.yaml", "w") as f:
                json.dump({"network": {"file": f"{net}.nir"}, "profile": {"preset": "nir-euler", "dt": "100 us"}, "decode": {"rule": rule},
                           "input": {"encoding": "spikes", **inputs}, "chip": {"file": f"{ROOT}/configs/chips/mesh45.yaml"}, "record": ["spikes", "membrane"]}, f)
            run(f"{d}/r.yaml", f"{d}/o")
            from support import recorded
            return recorded(f"{d}/o", "a"), recorded(f"{d}/o", "out", "membrane"), open(f"{d}/o/predictions.csv").read()
        want = go({"file": "x.npy"})
        assert want[0].sum() > 0
        for inputs in ({"file": "x.npz", "array": "x", "labels": "y"}, {"file": "packed.npz", "array": "x", "packed": True},
                       {"file": "x.csv", "timesteps": t}, {"file": "x.h5", "array": "input"}):
            got = go(inputs)
            assert np.array_equal(got[0], want[0]) and np.array_equal(got[1], want[1]), inputs
        prediction = lambda text: [int(line.split(",")[1]) for line in text.splitlines()[1:]]
        _, membranes, text = go({"file": "x.npy"}, "leaky", "membrane")
        assert prediction(text) == list(membranes[:, -1].argmax(-1))
        _, membranes, text = go({"file": "x.npy"}, "leaky", "sum")
        assert prediction(text) == list(membranes.sum(1).argmax(-1))
        a, _, text = go({"file": "x.npy"}, "spiking", "sum")
        assert a.sum() > 0 and len(prediction(text)) == b


def sweeps():
    with scratch() as d:
        with open(f"{d}/s.yaml", "w") as f:
            f.write(f"""run: {RUNS}/digits_mlp_q8_mesh45.yaml
mode: product
axes:
  input.limit: [3, 4]
  chip.core.axon_in.max_axons: [4096, 10]
  chip.noc.size: [[4, 4], [2, 2]]
""")
        code, out, err = spikeloom("sweep", f"{d}/s.yaml", "-o", f"{d}/o", "-j", "2", "-q")
        assert code == 1 and "8 points, 4 failed" in out, (code, out, err)
        rows = list(csv.DictReader(open(f"{d}/o/results.csv")))
        assert len(rows) == 8
        for r in rows:
            failed = r["chip.core.axon_in.max_axons"] == "10"
            assert (r["status"] == "failed") == failed
            assert ("input axons of a core: need 64, have 10" in r["error"]) == failed, r["error"]
            assert failed or float(r["samples"]) == float(r["input.limit"])
        j = json.load(open(f"{d}/o/results.json"))
        assert len(j) == 8 and j[0]["axes"]["input.limit"] == "3" and j[0]["energy.total_pj"] > 0
        stamps = {n: os.stat(f"{d}/o/{n}").st_mtime_ns for n in os.listdir(f"{d}/o") if os.path.isdir(f"{d}/o/{n}")}
        before = open(f"{d}/o/results.csv").read()
        assert spikeloom("sweep", f"{d}/s.yaml", "-o", f"{d}/o", "-q")[0] == 1
        assert before == open(f"{d}/o/results.csv").read()
        assert stamps == {n: os.stat(f"{d}/o/{n}").st_mtime_ns for n in stamps}, "a finished point ran again"
        with open(f"{d}/z.yaml", "w") as f:
            f.write(f"run: {RUNS}/digits_mlp_q8_mesh45.yaml\nmode: zip\naxes: {{input.limit: [1, 2], map.seed: [1, 2]}}\n")
        code, out, _ = spikeloom("sweep", f"{d}/z.yaml", "-o", f"{d}/z", "-j", "2", "-q")
        assert code == 0 and "2 points, 0 failed" in out


def sweeps_of_trainings():
    with scratch() as d:
        with open(f"{d}/s.yaml", "w") as f:
            f.write(f"""train: {ROOT}/configs/train/digits_mlp.yaml
axes:
  train.steps: [2]
  train.epochs: [0]
  chip.file: [{ROOT}/configs/chips/sata.yaml]
  train.batch: [4, 8, 99999]
""")
        code, out, err = spikeloom("sweep", f"{d}/s.yaml", "-o", f"{d}/o", "-q")
        assert code == 1 and "3 points, 1 failed" in out, (code, out, err)
        rows = list(csv.DictReader(open(f"{d}/o/results.csv")))
        assert [r["status"] for r in rows] == ["ok", "ok", "failed"] and "train.batch" in rows[2]["error"], rows
        for r in rows[:2]:
            s = stats(f"{d}/o/{r['result']}")
            assert int(r["cycles"]) == s["cycles"] and int(r["batch"]) == s["batch"] == int(r["train.batch"])
            assert float(r["phases.backward.energy_pj"]) == s["phases"]["backward"]["energy_pj"]
            assert float(r["ann.energy_ratio"]) == s["ann"]["energy_ratio"]
        # a point that was interrupted goes on from its checkpoint
        first = f"{d}/o/{rows[0]['result']}"
        os.makedirs(f"{first}.training")
        os.rename(f"{first}/checkpoint.h5", f"{first}.training/checkpoint.h5")
        shutil.rmtree(first)
        code, _, err = spikeloom("sweep", f"{d}/s.yaml", "-o", f"{d}/o", "-q")
        again = list(csv.DictReader(open(f"{d}/o/results.csv")))
        assert code == 1 and again == rows and not os.path.exists(f"{first}.training"), err
        for text, what in (("run: a.yaml\ntrain: b.yaml\naxes: {x: [1]}\n", "2:8: train: a sweep is over a run or a training, not both"),
                           ("trian: b.yaml\naxes: {x: [1]}\n", "1:1: trian: unknown key; did you mean 'train'?")):
            with open(f"{d}/bad.yaml", "w") as f:
                f.write(text)
            code, _, err = spikeloom("sweep", f"{d}/bad.yaml", "-o", f"{d}/bad")
            assert code == 3 and err == f"spikeloom: {d}/bad.yaml:{what}\n", err


def what_is_said():
    """Levels of what goes to stderr; stdout holds the results only."""
    with scratch() as d:
        def said(*args):
            code, out, err = spikeloom("run", f"{RUNS}/digits_mlp_q8_mesh45.yaml", "-o", f"{d}/o", "--json", "--set", "input.limit=2", *args)
            assert code == 0 and json.loads(out)["samples"] == 2, err
            return err.splitlines()
        assert said() == []
        for args in (("-v",), ("--verbose", "-q"), ("--log-level", "info")):
            lines = said(*args)
            assert all(line.startswith("info: ") for line in lines), lines
            for what in ("reading network and input: ", "pass graph: ", "pass placement: ", "pass check: ", "compiling: ", "simulation: ", "report: "):
                assert sum(line.startswith(f"info: {what}") for line in lines) == 1, (what, lines)
        saturate = ("--set", "chip.core.dendrite.accumulator_bits=8")
        lines = said(*saturate)
        assert len(lines) == 1 and lines[0].startswith("warning: ") and "beyond their width" in lines[0], lines
        assert said(*saturate, "-v")[-1] == lines[0], "warnings come last"
        for args in (("-q",), ("--log-level", "off")):
            assert said(*saturate, *args) == [], args
        assert said(*saturate, "-q", "--log-level", "warning") == lines
        assert spikeloom("run", "x.yaml", "--log-level", "loud")[0] == 2


if __name__ == "__main__":
    main([help_and_version, what_is_said, files_of_a_run, interrupted_results_are_replaced_whole, map_inspect_validate_schema,
          encodings_and_decoders, sweeps, sweeps_of_trainings])
