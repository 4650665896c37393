# SPDX-License-Identifier: Apache-2.0
"""Nothing is lost without a word: rounding, saturation, integers that do not hold a value, dropped packets."""
import csv
import json
import os

import yaml
from support import ROOT, main, np, run, scratch, spikeloom, stats
from nir_writer import lif, write_nir

CHIPS = f"{ROOT}/configs/chips"
DIGITS = f"{ROOT}/configs/runs/digits_mlp_q8_mesh45.yaml"


def chain(path, sizes, weights, thresholds, tau=1e-3, types=None):
    """Input, then Linear and LIF in turn."""
    nodes, edges, last = {"input": {"type": "Input", "shape": np.array([sizes[0]])}}, [], "input"
    for i, w in enumerate(weights):
        nodes[f"fc{i}"] = {"type": "Linear", "weight": np.asarray(w, dtype=np.float64)}
        nodes[f"lif{i}"] = lif((sizes[i + 1],), tau, 1.0, thresholds[i])
        edges += [(last, f"fc{i}"), (f"fc{i}", f"lif{i}")]
        last = f"lif{i}"
    nodes["output"] = {"type": "Output", "shape": np.array([sizes[-1]])}
    write_nir(path, nodes, edges + [(last, "output")])


def case(d, weights, thresholds, x, labels=None, chip="mesh45", **more):
    """A run file with its network and data."""
    sizes = [np.shape(weights[0])[1]] + [np.shape(w)[0] for w in weights]
    chain(f"{d}/net.nir", sizes, weights, thresholds, **more.pop("net", {}))
    arrays = {"x": np.asarray(x)} | ({} if labels is None else {"y": np.asarray(labels)})
    np.savez(f"{d}/x.npz", **arrays)
    spec = {"network": {"file": "net.nir"}, "profile": {"preset": "nir-euler", "dt": "1 ms"},
            "input": {"file": "x.npz", "array": "x", "encoding": "spikes"} | ({} if labels is None else {"labels": "y"}),
            "chip": {"file": f"{CHIPS}/{chip}.yaml"}, "record": ["spikes"]}
    for key, value in more.items():
        spec[key] = spec.get(key, {}) | value if isinstance(value, dict) else value
    with open(f"{d}/run.yaml", "w", encoding="utf-8") as f:
        yaml.safe_dump(spec, f)
    return f"{d}/run.yaml"


def refused(file, *args, code=3, words=()):
    got, _, err = spikeloom("run", file, "-q", "-o", os.path.join(os.path.dirname(file), "refused"), *args)
    assert got == code, (got, code, err)
    for w in words:
        assert w in err, (w, err)


# one weight of 5 and 100 of 0.01, 8 bits: the steps are 2^-4
SMALL = np.array([[0.01] * 100 + [0.0], [0.0] * 100 + [5.0]])


def weights_that_become_zero_are_told():
    with scratch() as d:
        for chip in ("mesh45", "loihi"):
            file = case(d, [SMALL], [0.5], np.ones((20, 1, 101)), chip=chip)
            out, _ = run(file, f"{d}/o")
            s = stats(f"{d}/o")
            lost = s["lost"]["weights"]
            assert (lost["values"], lost["zeroed"], lost["clipped"]) == (101, 100, 0), lost
            assert lost["largest_error"] == 1.0 and 0.98 < lost["mean_error"] <= 1.0
            assert s["layers"][1]["lost"]["weights"] == lost and s["layers"][0]["lost"]["weights"]["largest_error"] is None
            assert "100 of 101 became 0" in out and sum(line.startswith("  lost ") for line in out.splitlines()) == 1
            _, table, _ = spikeloom("map", file)
            row = next(line for line in table.splitlines() if line.split()[:2] == ["lif0", "weights"])
            assert row.split()[2:4] == ["101", "100"], row
            assert run_code(file, d, "--fail-if", "lost.weights.zeroed > 0") == 1
            assert run_code(file, d, "--fail-if", "layers[1].lost.weights.largest_error < 1") == 0


def run_code(file, d, *args):
    return spikeloom("run", file, "-q", "-o", f"{d}/checked", *args)[0]


def nothing_lost_says_nothing():
    with scratch() as d:
        w = np.array([[0.5, 0.25], [-0.5, 1.0]])
        file = case(d, [w], [0.25], np.ones((4, 1, 2)), net={"tau": 2e-3})    # a decay of 1/2
        out, _ = run(file, f"{d}/o")
        assert stats(f"{d}/o")["lost"]["weights"]["mean_error"] == 0 and "lost" not in out, out
        out, _ = run(file, f"{d}/o", "--set", "chip.core.soma.arithmetic=float64")
        assert stats(f"{d}/o")["lost"]["weights"]["values"] == 0 and "lost" not in out, out


def parameters_that_are_lost_are_told():
    with scratch() as d:
        w = np.eye(2)
        # a leak below half a step of the decay factor, and a threshold below a step of the membrane
        file = case(d, [w], [np.array([1e-9, 1.0])], np.ones((4, 1, 2)), net={"tau": np.array([1e4, 2e-3])})
        run(file, f"{d}/o")
        p = stats(f"{d}/o")["layers"][1]["lost"]["parameters"]
        assert p["decay_v"]["zeroed"] == 1 and p["decay_v"]["largest_error"] == 1, p
        assert stats(f"{d}/o")["lost"]["parameters"]["zeroed"] >= 1
        # ties are counted: half a step
        file = case(d, [np.array([[127.0, 0.5, 1.0]])], [100.0], np.ones((1, 1, 3)))
        run(file, f"{d}/o")
        assert stats(f"{d}/o")["lost"]["weights"]["ties"] == 1


def saturations_reach_summary_and_sweep():
    with scratch() as d:
        out, _ = run(DIGITS, f"{d}/o", "--set", "chip.core.dendrite.accumulator_bits=8", "--set", "input.limit=5")
        s = stats(f"{d}/o")
        by_kind = s["lost"]["saturations"]
        assert by_kind["sums"] > 0 and by_kind["total"] == sum(by_kind[k] for k in by_kind if k != "total")
        assert by_kind["total"] == sum(x["lost"]["saturations"]["total"] for x in s["layers"])
        assert f"{by_kind['total']} saturations" in out
        with open(f"{d}/sweep.yaml", "w", encoding="utf-8") as f:
            yaml.safe_dump({"run": DIGITS, "axes": {"chip.core.dendrite.accumulator_bits": [8, 24], "input.limit": [5]}}, f)
        assert spikeloom("sweep", f"{d}/sweep.yaml", "-o", f"{d}/s", "-q")[0] == 0
        with open(f"{d}/s/results.csv", encoding="utf-8") as f:
            rows = list(csv.DictReader(f))
        assert [int(r["lost.saturations.total"]) > 0 for r in rows] == [True, False]
        for column in ("undecided", "lost.weights.zeroed", "lost.weights.largest_error", "lost.weights.mean_error",
                       "lost.parameters.zeroed", "lost.parameters.clipped", "lost.input_rounded", "lost.packets_dropped"):
            assert column in rows[0], column


def an_output_without_spikes_is_undecided():
    with scratch() as d:
        x = np.zeros((3, 4, 2))
        x[:, 2, 0] = 1
        x[:, 3, 1] = 1
        file = case(d, [np.eye(2) * 2], [1.0], x, labels=[0, 1, 0, 0])
        out, _ = run(file, f"{d}/o")
        s = stats(f"{d}/o")
        assert s["undecided"] == 2 and s["accuracy"] == 0.25 and "2 inferences undecided" in out, out
        with open(f"{d}/o/predictions.csv", encoding="utf-8") as f:
            assert [r["prediction"] for r in csv.DictReader(f)] == ["", "", "0", "1"]
        run(file, f"{d}/o2", "--threads", "2")
        assert stats(f"{d}/o2") == s
        run(file, f"{d}/m", "--set", "decode.rule=membrane")
        assert stats(f"{d}/m")["undecided"] == 0


def float_input_is_rounded_and_told():
    with scratch() as d:
        x = np.random.default_rng(1).random((3, 2, 4))
        file = case(d, [np.ones((2, 4))], [1.0], x)
        refused(file, "--set", "chip.core.axon_in.payload_bits=8", code=4, words=["input.bits: 8"])
        out, _ = run(file, f"{d}/o", "--set", "chip.core.axon_in.payload_bits=8", "--set", "input.bits=8")
        assert stats(f"{d}/o")["lost"]["input_rounded"] == x.size and f"{x.size} input values rounded" in out
        exact = np.round(x * 64) / 64
        np.savez(f"{d}/x.npz", x=exact)
        for rounding in ("nearest", "floor", "stochastic"):
            run(file, f"{d}/o", "--set", "chip.core.axon_in.payload_bits=8", "--set", "input.bits=8", "--set", f"input.rounding={rounding}")
            assert stats(f"{d}/o")["lost"]["input_rounded"] == 0
        np.savez(f"{d}/x.npz", x=x * 1000)
        refused(file, "--set", "input.bits=8", words=["input.bits", "input.scale"])


def weights_beyond_integers_are_refused():
    with scratch() as d:
        for w, where in ((1e30, "fc0"), (-1e30, "fc0"), (1e16, "fc0")):
            for check in ("true", "false"):
                file = case(d, [np.array([[w, 1.0]])], [1.0], np.ones((2, 1, 2)))
                refused(file, "--set", f"map.check={check}", words=[f"node '{where}'", "net.nir"])
        file = case(d, [np.eye(2)], [1.0], np.ones((2, 1, 2)), profile={"clamp": True, "v_min": -1e30})
        run(file, f"{d}/o")
        assert stats(f"{d}/o")["layers"][1]["lost"]["parameters"]["v_min"]["clipped"] == 1


def integers(schema, path=()):
    """(key path, schema) of every whole number of a schema, lists and maps aside."""
    for name, s in schema.get("properties", {}).items():
        here = path + (name,)
        kinds = [s] + s.get("anyOf", [])
        for k in kinds:
            if k.get("type") == "integer":
                yield here, k
                break
        yield from integers(s, here)


def every_integer_has_an_end():
    """Of every kind of file: a range in the schema, and of a run file: a value beyond it is refused by key and place."""
    seeds = 0
    for kind in ("run", "train", "noc", "cim", "sweep", "chip", "training-chip", "fabric", "energy"):
        _, text, _ = spikeloom("schema", kind)
        for path, s in integers(json.loads(text)):
            assert "minimum" in s and "maximum" in s, (kind, path)
            if s["maximum"] > 1e12:
                assert "seed" in path[-1] or path[-1] == "check_limit", (kind, path)
                seeds += 1
    assert seeds > 5
    _, text, _ = spikeloom("schema", "run")
    tried = 0
    with scratch() as d:
        for path, s in integers(json.loads(text)):
            if s["maximum"] > 1e12 or "cores" in path or "links" in path or "cim" in path or "sparsity" in str(path):
                continue
            key = ".".join(path)
            for value in (v for v in (int(s["maximum"]) + 1, 2**32 + 1, 2**64 + 1) if v > s["maximum"]):
                code, _, err = spikeloom("run", DIGITS, "-q", "-o", f"{d}/o", "--set", f"{key}={value}")
                assert code == 3 and path[-1] in err, (key, value, code, err)
                tried += 1
    assert tried > 100


def integers_are_not_cut():
    with scratch() as d:
        args = ("--set", "input.limit=1", "--set", "input.timesteps=2")
        for value, want in ((1, None), (4, None), (2**32 - 1, None)):
            run(DIGITS, f"{d}/o{value}", *args, "--set", f"chip.core.soma.lanes={value}")
        cycles = [stats(f"{d}/o{v}")["cycles"]["total"] for v in (1, 4, 2**32 - 1)]
        assert cycles[0] > cycles[1] > cycles[2], cycles
        refused_at = [("chip.core.soma.lanes", 2**32), ("schedule.reset_every", 2**32 + 1), ("chip.timestep.latency", 2**53)]
        for key, value in refused_at:
            code, _, err = spikeloom("run", DIGITS, "-q", "-o", f"{d}/r", "--set", f"{key}={value}")
            assert code == 3 and key.split(".")[-1] in err, err
        # 65535 flits are taken, 65537 were 1
        run(DIGITS, f"{d}/w", *args, "--set", "chip.core.axon_out.packet_bits=2097120 bits")
        assert stats(f"{d}/w")["cycles"]["total"] > 10**6
        code, _, err = spikeloom("run", DIGITS, "-q", "-o", f"{d}/r", "--set", "chip.core.axon_out.packet_bits=2097184 bits")
        assert code == 3 and "packet_bits" in err and "65535" in err, err
        for verb in ("validate", "map"):
            assert spikeloom(verb, DIGITS, "--set", "chip.core.axon_out.packet_bits=2097184 bits")[0] == 3
        # more cycles than can be counted are refused before the run
        file = case(d, [np.eye(2)], [1.0], np.ones((1, 2)))
        code, _, err = spikeloom("run", file, "-q", "-o", f"{d}/r", "--set", "chip.timestep.latency=1000000000000",
                                 "--set", "input.encoding=constant", "--set", "input.timesteps=16000000")
        assert code == 3 and "timestep.latency" in err and "2^63" in err, err


def counts_beyond_the_payload_travel_in_several_packets():
    with scratch() as d:
        # the first layer fires 20 times in a step
        file = case(d, [np.array([[20.5]]), np.array([[1.0]])], [1.0, 1e3], np.ones((1, 1, 1)),
                    profile={"multispike": True, "reset": "subtract"}, record=["spikes", "membrane"])
        seen = {}
        for bits in (0, 1, 4, 8):
            run(file, f"{d}/o{bits}", "--set", f"chip.core.axon_in.payload_bits={bits}")
            s = stats(f"{d}/o{bits}")
            assert s["layers"][1]["spikes"] == 20
            seen[bits] = (s["noc"]["packets"] - s["host"]["packets"], s["ops"]["ac"], s["ops"]["mac"])
        assert {b: n[0] for b, n in seen.items()} == {0: 20, 1: 20, 4: 2, 8: 1}, seen
        # 15 + 5 and 20 are multiplied; the input's spike and counts of 1 are added
        assert seen[0][1:] == (21, 0) and seen[4][1:] == (1, 2) and seen[8][1:] == (1, 1), seen
        file = case(d, [np.array([[3e4]])], [1e-3], np.ones((1, 1, 1)), profile={"multispike": True, "reset": "subtract"})
        refused(file, code=5, words=["profile.multispike"])


ROUTERS = {"vc": [], "handshake": ["kind=handshake"], "deflection": ["kind=deflection"],
           "timeout": ["kind=timeout", "wait1=2"]}


def lost_packets_are_counted_and_the_run_ends():
    single = [a for k in ("flits=1", "graded_flits=1") for a in ("--set", f"chip.core.axon_out.{k}")]
    with scratch() as d:
        for name, keys in ROUTERS.items():
            sets = [a for k in keys for a in ("--set", f"chip.noc.router.{k}")] + (single if name != "vc" else [])
            for loss in ("0.01", "1"):
                code, out, err = spikeloom("run", DIGITS, "-q", "-o", f"{d}/o", "--set", "input.limit=4", *sets,
                                           "--set", "chip.core.soma.max_neurons=20", "--set", f"chip.noc.faults.loss={loss}")
                if code == 3:
                    assert "loss" in err or "router" in err, (name, err)
                    continue
                assert code == 0, (name, loss, code, err)
                s = stats(f"{d}/o")
                n = s["noc"]
                assert n["packets_dropped"] > 0 and n["packets_expected"] == n["packets_delivered"] + n["packets_dropped"], (name, n)
                assert s["lost"]["packets_dropped"] == n["packets_dropped"] and "packets dropped" in out
        code, _, err = spikeloom("run", DIGITS, "-q", "-o", f"{d}/o", "--set", "chip.core.soma.max_neurons=20", "--set",
                                 "chip.noc.router.kind=timeout", "--set", "chip.noc.router.wait1=2", "--set", "chip.core.axon_in.fifo=1", *single)
        assert code == 0, err
        # partial sums must all arrive
        cim = f"{ROOT}/configs/runs/digits_conv_q8_cim_rram.yaml"
        code, _, err = spikeloom("run", cim, "-q", "-o", f"{d}/o", "--set", "map.row_parts=2", "--set", "chip.noc.faults.loss=0.01")
        assert code == 3 and "faults.loss" in err and "partial sums" in err, err


if __name__ == "__main__":
    main([weights_that_become_zero_are_told, nothing_lost_says_nothing, parameters_that_are_lost_are_told,
          saturations_reach_summary_and_sweep, an_output_without_spikes_is_undecided, float_input_is_rounded_and_told,
          weights_beyond_integers_are_refused, every_integer_has_an_end, integers_are_not_cut,
          counts_beyond_the_payload_travel_in_several_packets, lost_packets_are_counted_and_the_run_ends])
