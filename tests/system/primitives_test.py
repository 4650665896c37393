# SPDX-License-Identifier: Apache-2.0
"""NIR primitives that the digits networks do not use, against the float64 reference interpreter, and what fixed-point
cores refuse."""
import json
import os

import numpy as np

from support import ROOT, main, recorded, recorded_layers, scratch, spikeloom
from nir_reference import NEURONS, Reference, read_nir
from nir_writer import write_nir

T, B = 12, 2
RNG = np.random.default_rng(11)


def grid(*shape):
    """Eight-bit weights: exact in fixed point too."""
    return (np.round(RNG.normal(0, 1.2, shape) * 64).clip(-127, 127) / 64).astype(np.float32)


def linear(n_in, n_out):
    return {"type": "Linear", "weight": grid(n_out, n_in)}


def lif(*shape):
    return {"type": "LIF", "tau": np.full(shape, 4e-4), "r": np.full(shape, 4.0), "v_leak": np.zeros(shape), "v_threshold": np.ones(shape), "v_reset": np.zeros(shape)}


def node(kind, *shape):
    one = lambda v: np.full(shape, v)
    return {"LI": {"type": "LI", "tau": one(4e-4), "r": one(4.0), "v_leak": one(0.25)},
            "I": {"type": "I", "r": one(1e4)},
            "ALIF": {**lif(*shape), "type": "ALIF", "adapt_decay": one(0.9), "adapt_jump": one(0.3), "adapt_strength": one(1.7)},
            "IF": {"type": "IF", "r": one(1e4), "v_threshold": one(1.5), "v_reset": one(0.0)},
            "Threshold": {"type": "Threshold", "threshold": one(0.5)},
            "CubaLI": {"type": "CubaLI", "tau_mem": one(4e-4), "tau_syn": one(2e-4), "r": one(4.0), "v_leak": one(0.0), "w_in": one(2.0)}}[kind]


def check(nodes, edges, shape, arithmetic="float64", expect=0, **profile):
    x = (RNG.random((T, B) + shape) < 0.4).astype(np.uint8)
    nodes = {"input": {"type": "Input", "shape": np.array(shape)}, **nodes}
    with scratch() as d:
        write_nir(f"{d}/n.nir", nodes, edges)
        np.save(f"{d}/x.npy", x)
        with open(f"{d}/run.yaml", "w") as f:
            json.dump({"network": {"file": "n.nir"}, "profile": {"preset": "nir-euler", "dt": "100 us", **profile}, "record": ["spikes", "membrane"],
                       "decode": {"rule": "sum"}, "input": {"file": "x.npy", "encoding": "spikes"},
                       "chip": {"file": f"{ROOT}/configs/chips/mesh45.yaml", "core": {"soma": {"arithmetic": arithmetic}, "axon_out": {"max_fanout_entries": 65536}}}}, f)
        code, _, err = spikeloom("run", f"{d}/run.yaml", "-o", f"{d}/o", "-q")
        assert code == expect, f"exit code {code}: {err}"
        if expect:
            return err
        ref = Reference(read_nir(f"{d}/n.nir"), dt=1e-4, **({"if_dt": profile["if_dt"]} if "if_dt" in profile else {}))
        want = ref.run(x.astype(float), record=list(nodes)[1:])
        compared = 0
        for n in recorded_layers(f"{d}/o", "membrane"):
            kind = nodes[n]["type"]
            key = "spikes" if kind in NEURONS + ("Threshold",) else "membrane"
            got = recorded(f"{d}/o", n, key).transpose(1, 0, 2)
            assert np.array_equal(got, want[n].reshape(got.shape)), f"{n} ({kind}): {int((got != want[n].reshape(got.shape)).sum())} of {got.size} differ"
            compared += int(np.count_nonzero(got))
        assert compared > 0, "nothing happened"


def out(n):
    return {"type": "Output", "shape": np.array([n])}


def conv1d():
    w = grid(4, 1, 3)
    nodes = {"conv": {"type": "Conv1d", "input_shape": 11, "weight": w, "stride": 2, "padding": 1, "dilation": 1, "groups": 2, "bias": grid(4)},
             "a": lif(4, 6), "flat": {"type": "Flatten", "start_dim": 0, "end_dim": -1, "input_type": np.array([4, 6])}, "fc": linear(24, 3), "b": lif(3), "output": out(3)}
    edges = [("input", "conv"), ("conv", "a"), ("a", "flat"), ("flat", "fc"), ("fc", "b"), ("b", "output")]
    check(nodes, edges, (2, 11))
    check(nodes, edges, (2, 11), arithmetic="fixed")


def every_neuron():
    for kind in ("I", "LI", "CubaLI", "Threshold", "IF", "ALIF"):
        check({"f": linear(6, 5), "n": node(kind, 5), "output": out(5)}, [("input", "f"), ("f", "n"), ("n", "output")], (6,))


def analogue_hidden_layers():
    nodes = {"f": linear(6, 5), "n": node("LI", 5), "g": linear(5, 4), "z": lif(4), "output": out(4)}
    edges = [("input", "f"), ("f", "n"), ("n", "g"), ("g", "z"), ("z", "output")]
    check(nodes, edges, (6,))
    err = check(nodes, edges, (6,), arithmetic="fixed", expect=3)
    assert "sends analogue values" in err, err


def readout_without_a_neuron():
    check({"f": linear(6, 5), "n": lif(5), "g": {"type": "Affine", "weight": grid(3, 5), "bias": grid(3)}, "output": out(3)},
          [("input", "f"), ("f", "n"), ("n", "g"), ("g", "output")], (6,))


def delays():
    for steps in (np.full(5, 2), np.array([0, 1, 2, 3, 1])):
        nodes = {"f": linear(6, 5), "n": lif(5), "d": {"type": "Delay", "delay": steps * 1e-4}, "g": linear(5, 4), "z": lif(4), "output": out(4)}
        edges = [("input", "f"), ("f", "n"), ("n", "d"), ("d", "g"), ("g", "z"), ("z", "output")]
        check(nodes, edges, (6,))
        if len(set(steps)) == 1:
            check(nodes, edges, (6,), arithmetic="fixed")


def pools_in_a_row_and_alone():
    pool = lambda t, k, s: {"type": t, "kernel_size": np.array([k, k]), "stride": np.array([s, s]), "padding": np.array([0, 0])}
    nodes = {"p1": pool("SumPool2d", 2, 1), "p2": pool("AvgPool2d", 2, 2), "s": {"type": "Scale", "scale": np.array([2.0])}, "n": lif(2, 3, 3),
             "flat": {"type": "Flatten", "start_dim": 0, "end_dim": -1, "input_type": np.array([2, 3, 3])}, "fc": linear(18, 4), "z": lif(4), "output": out(4)}
    edges = [("input", "p1"), ("p1", "p2"), ("p2", "s"), ("s", "n"), ("n", "flat"), ("flat", "fc"), ("fc", "z"), ("z", "output")]
    check(nodes, edges, (2, 7, 7))
    check(nodes, edges, (2, 7, 7), arithmetic="fixed")


def pools_of_a_line():
    """AvgPool1d, whose windows overlap and whose zeros count in the mean."""
    nodes = {"c": {"type": "Conv1d", "weight": grid(3, 2, 3), "stride": 1, "padding": 1, "dilation": 1, "groups": 1, "bias": np.zeros(3),
                   "input_shape": 11}, "n": lif(3, 11),
             "p": {"type": "AvgPool1d", "kernel_size": np.array([4]), "stride": np.array([2]), "padding": np.array([1])},
             "flat": {"type": "Flatten", "start_dim": 0, "end_dim": -1, "input_type": np.array([3, 5])}, "fc": linear(15, 4), "z": lif(4), "output": out(4)}
    edges = [("input", "c"), ("c", "n"), ("n", "p"), ("p", "flat"), ("flat", "fc"), ("fc", "z"), ("z", "output")]
    check(nodes, edges, (2, 11))
    check(nodes, edges, (2, 11), arithmetic="fixed")


def a_matrix_that_stays_in_its_file():
    check({"fc": linear(600, 500), "lif": lif(500), "output": {"type": "Output", "shape": np.array([500])}},
          [("input", "fc"), ("fc", "lif"), ("lif", "output")], (600,))


def memory_per_synapse():
    """A large dense layer costs at most two bytes per synapse beside the eight bits of the modelled memory, at the peak."""
    peak = {}
    with scratch() as d:
        for n in (64, 2048):
            write_nir(f"{d}/n{n}.nir", {"input": {"type": "Input", "shape": np.array([n])}, "fc": linear(n, n), "lif": lif(n),
                                        "output": {"type": "Output", "shape": np.array([n])}}, [("input", "fc"), ("fc", "lif"), ("lif", "output")])
            np.save(f"{d}/x{n}.npy", (RNG.random((4, 1, n)) < 0.1).astype(np.uint8))
            with open(f"{d}/run{n}.yaml", "w") as f:
                json.dump({"network": {"file": f"n{n}.nir"}, "profile": {"preset": "nir-euler", "dt": "100 us"}, "input": {"file": f"x{n}.npy", "encoding": "spikes"},
                           "chip": {"file": f"{ROOT}/configs/chips/loihi.yaml"}}, f)
            code, _, err = spikeloom("run", f"{d}/run{n}.yaml", "-o", f"{d}/o{n}", "-q")
            assert code == 0, err
            with open(f"{d}/o{n}/host.json") as f:
                peak[n] = json.load(f)["peak_memory_kib"] * 1024
    per_synapse = (peak[2048] - peak[64]) / (2048 * 2048 - 64 * 64)
    assert per_synapse <= 1 + 2, f"{per_synapse:.2f} bytes per synapse"
    print(f"{per_synapse:.2f} bytes per synapse")


def mutual_recurrence_with_a_delay():
    nodes = {"f": linear(6, 5), "a": lif(5), "ab": linear(5, 5), "b": lif(5), "d": {"type": "Delay", "delay": np.full(5, 1e-4)}, "ba": linear(5, 5), "output": out(5)}
    edges = [("input", "f"), ("f", "a"), ("a", "ab"), ("ab", "b"), ("b", "d"), ("d", "ba"), ("ba", "a"), ("b", "output")]
    check(nodes, edges, (6,))


def two_ways_from_an_analogue_input():
    """Currents that the host computes for one layer add up, also when one way is delayed."""
    for delayed in (False, True):
        way = {"d": {"type": "Delay", "delay": np.full(6, 1e-4)}, "g": linear(6, 5)} if delayed else {"g": linear(6, 5)}
        nodes = {"input": {"type": "Input", "shape": np.array([6])}, "f": linear(6, 5), **way, "n": lif(5), "output": out(5)}
        edges = [("input", "f"), ("f", "n"), ("g", "n"), ("n", "output")] + ([("input", "d"), ("d", "g")] if delayed else [("input", "g")])
        images = RNG.integers(0, 9, (B, 6)).astype(np.uint8)
        for encoding, data in (("constant", images), ("spikes", RNG.integers(0, 9, (T, B, 6)).astype(np.uint8))):
            with scratch() as d:
                write_nir(f"{d}/n.nir", nodes, edges)
                np.save(f"{d}/x.npy", data)
                with open(f"{d}/run.yaml", "w") as f:
                    json.dump({"network": {"file": "n.nir"}, "profile": {"preset": "nir-euler", "dt": "100 us"}, "record": ["spikes"],
                               "input": {"file": "x.npy", "encoding": encoding, "scale": 0.125, "timesteps": T},
                               "chip": {"file": f"{ROOT}/configs/chips/mesh45.yaml", "core": {"axon_in": {"payload_bits": 0}}}}, f)
                code, _, err = spikeloom("run", f"{d}/run.yaml", "-o", f"{d}/o", "-q")
                assert code == 0, err
                x = data * 0.125 if encoding == "spikes" else np.broadcast_to(data * 0.125, (T, B, 6))
                want = Reference(read_nir(f"{d}/n.nir"), dt=1e-4).run(x)["n"]
                got = recorded(f"{d}/o", "n").transpose(1, 0, 2)
                assert got.any() and np.array_equal(got, want), f"{encoding}, delayed {delayed}: {int((got != want).sum())} of {got.size} differ"


if __name__ == "__main__":
    main([conv1d, every_neuron, analogue_hidden_layers, readout_without_a_neuron, delays, pools_in_a_row_and_alone, pools_of_a_line, mutual_recurrence_with_a_delay, two_ways_from_an_analogue_input,
          a_matrix_that_stays_in_its_file, memory_per_synapse])
