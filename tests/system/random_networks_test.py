# SPDX-License-Identifier: Apache-2.0
"""Random networks on random chips: spikes bit-identical to the independent interpreters of tests/oracle,
in fixed point (integer_reference.py) and float64 (nir_reference.py). SPIKELOOM_CASES, SPIKELOOM_SEED: more, others."""
import json
import os

import numpy as np

from support import recorded, recorded_layers, run, scratch, spikeloom, main
from integer_reference import IntegerReference
from nir_reference import Reference, read_nir
from nir_writer import write_nir

CASES = int(os.environ.get("SPIKELOOM_CASES", "40"))
SEED = int(os.environ.get("SPIKELOOM_SEED", "1"))


def neuron(rng, shape, kind, grid):
    """grid: parameters are short binary fractions, so that float64 sums are exact whatever their order."""
    full = lambda lo, hi: np.round(rng.uniform(lo, hi, shape) * 256) / 256 if grid else rng.uniform(lo, hi, shape)
    one = lambda v: np.full(shape, v)
    tau = 1e-4 * rng.choice([2.0, 4.0, 8.0]) if grid else 1e-4 * rng.uniform(1.5, 12)
    if kind == "IF":
        return {"type": "IF", "r": one(1e4), "v_threshold": full(0.6, 2.0), "v_reset": one(0.0)}
    n = {"type": kind, "v_leak": one(0.0) if rng.random() < 0.6 else full(-0.1, 0.1)}
    if kind in ("LIF", "CubaLIF", "ALIF"):
        n["v_threshold"] = full(0.5, 1.5)
        n["v_reset"] = one(0.0) if rng.random() < 0.7 else full(-0.3, 0.2)
    if kind == "ALIF":
        n.update({"adapt_decay": full(0.3, 1.0), "adapt_jump": full(0.05, 0.6), "adapt_strength": full(0.5, 2.0)})
    if kind.startswith("Cuba"):
        ts = 1e-4 * rng.choice([2.0, 4.0])
        n.update({"tau_mem": one(tau), "tau_syn": one(ts), "r": one(tau / 1e-4), "w_in": one(ts / 1e-4)})
    else:
        n.update({"tau": one(tau), "r": one(tau / 1e-4) if rng.random() < 0.8 else full(0.8, 3.0)})
    return n


def weights(rng, shape, fan_in, grid):
    w = rng.normal(0, 1.6 / np.sqrt(max(fan_in, 1)), shape)
    return (np.round(w * 256) / 256 if grid else w).astype(np.float32)


def conv_out(n, k, s, p, d):
    return (n + 2 * p - d * (k - 1) - 1) // s + 1


def make_network(rng, grid):
    """Returns nodes, edges, input shape, IF used."""
    nodes, edges = {}, []
    kinds = ["LIF", "LIF", "CubaLIF", "IF", "ALIF"]
    conv = rng.random() < 0.55
    shape = (int(rng.integers(1, 4)), int(rng.integers(5, 11)), int(rng.integers(5, 11))) if conv else (int(rng.integers(3, 40)),)
    nodes["input"] = {"type": "Input", "shape": np.array(shape)}
    last, cur, previous_neuron = "input", shape, None
    depth = int(rng.integers(1, 4))
    for i in range(depth):
        is_last = i == depth - 1
        if len(cur) == 3 and not (is_last and rng.random() < 0.6):
            c, h, w = cur
            if min(h, w) >= 4 and rng.random() < 0.35 and i > 0:
                k = int(rng.integers(2, 4))
                s = int(rng.integers(1, k + 1))
                p = int(rng.integers(0, 2))
                t = "SumPool2d" if rng.random() < 0.5 else "AvgPool2d"
                if grid and t == "AvgPool2d":
                    k = s = 2
                nodes[f"pool{i}"] = {"type": t, "kernel_size": np.array([k, k]), "stride": np.array([s, s]), "padding": np.array([p, p])}
                edges.append((last, f"pool{i}"))
                last, cur = f"pool{i}", (c, conv_out(h, k, s, p, 1), conv_out(w, k, s, p, 1))
                c, h, w = cur
            g = int(rng.choice([x for x in (1, c) if True]))
            co = g * int(rng.integers(1, 5))
            kh, kw = (int(min(rng.integers(1, 4), h)), int(min(rng.integers(1, 4), w)))
            sy, sx = int(rng.integers(1, 3)), int(rng.integers(1, 3))
            py, px = int(rng.integers(0, 2)), int(rng.integers(0, 2))
            dy = int(rng.integers(1, 3)) if (kh - 1) * 2 + 1 <= h else 1
            dx = int(rng.integers(1, 3)) if (kw - 1) * 2 + 1 <= w else 1
            nodes[f"conv{i}"] = {"type": "Conv2d", "input_shape": np.array([h, w]), "weight": weights(rng, (co, c // g, kh, kw), kh * kw * c // g, grid),
                                 "stride": np.array([sy, sx]), "padding": np.array([py, px]), "dilation": np.array([dy, dx]), "groups": g,
                                 "bias": weights(rng, (co,), 40, grid)}
            edges.append((last, f"conv{i}"))
            last, cur = f"conv{i}", (co, conv_out(h, kh, sy, py, dy), conv_out(w, kw, sx, px, dx))
        else:
            if len(cur) == 3:
                nodes[f"flat{i}"] = {"type": "Flatten", "start_dim": 0, "end_dim": -1, "input_type": np.array(cur)}
                edges.append((last, f"flat{i}"))
                last, cur = f"flat{i}", (int(np.prod(cur)),)
            n_out = int(rng.integers(2, 30))
            nodes[f"fc{i}"] = {"type": "Affine", "weight": weights(rng, (n_out, cur[0]), cur[0], grid), "bias": weights(rng, (n_out,), 30, grid)}
            edges.append((last, f"fc{i}"))
            last, cur = f"fc{i}", (n_out,)
            if rng.random() < 0.2:
                nodes[f"scale{i}"] = {"type": "Scale", "scale": np.round(rng.uniform(0.5, 2, n_out) * 4) / 4}
                edges.append((last, f"scale{i}"))
                last = f"scale{i}"
        kind = "LI" if is_last and rng.random() < 0.15 else str(rng.choice(kinds))
        name = f"n{i}"
        nodes[name] = neuron(rng, cur, kind, grid)
        edges.append((last, name))
        if kind != "LI" and rng.random() < 0.3:                         # recurrence
            n = int(np.prod(cur))
            if len(cur) == 1:
                nodes[f"rec{i}"] = {"type": "Linear", "weight": weights(rng, (n, n), n, grid)}
                edges += [(name, f"rec{i}"), (f"rec{i}", name)]
        if previous_neuron and len(cur) == 1 and len(previous_neuron[1]) == 1 and rng.random() < 0.4:   # skip connection
            n_in = previous_neuron[1][0]
            nodes[f"skip{i}"] = {"type": "Linear", "weight": weights(rng, (cur[0], n_in), n_in, grid)}
            edges += [(previous_neuron[0], f"skip{i}"), (f"skip{i}", name)]
        previous_neuron = (last_neuron, last_shape) if i > 0 else ("input", shape)
        last_neuron, last_shape = name, cur
        last = name
    nodes["output"] = {"type": "Output", "shape": np.array(cur)}
    edges.append((last, "output"))
    return nodes, edges, shape


def make_case(seed):
    rng = np.random.default_rng(seed)
    floating = rng.random() < 0.3
    nodes, edges, shape = make_network(rng, grid=floating)
    profile = {"preset": "nir-euler", "dt": "100 us", "method": str(rng.choice(["euler", "euler", "exp", "jump"])),
               "compare": str(rng.choice([">", ">="])), "reset": str(rng.choice(["value", "value", "subtract", "subtract_snn"])),
               "cuba": str(rng.choice(["seq", "par"])), "reset_delay": False}
    if profile["reset"] != "subtract_snn":
        profile["reset_delay"] = bool(rng.random() < 0.2)
        if not profile["reset_delay"] and rng.random() < 0.15:
            profile["multispike"] = True
    if floating:
        profile["method"] = "euler"
    loihi = not floating and rng.random() < 0.35
    bits = int(rng.choice([4, 6, 8, 8, 12]))
    x, y = [(3, 1), (2, 2), (4, 4), (5, 3), (8, 8), (20, 15)][rng.integers(0, 6)]
    per = 1 if x * y >= 60 else int(rng.choice([1, 2, 4]))
    small = rng.random() < 0.5 and x * y * per >= 15
    chip = {"file": "CHIP"}
    core = {"soma": {"max_neurons": int(rng.integers(20, 60)) if small else 1024, "lanes": int(rng.choice([1, 4]))},
            "synapse": {"weight_bits": bits, "conv": bool(rng.random() < 0.8), "memory": "4096 KiB"}, "dendrite": {"lanes": int(rng.choice([1, 8])), "accumulator_bits": 24, "max_delay": 8,
                                                                                  "ports": int(rng.choice([1, 2]))},
            "axon_in": {"max_axons": 8192, "fifo": int(rng.choice([1, 2, 16]))}, "axon_out": {"max_fanout_entries": 200 if small else 65536, "fifo": int(rng.choice([1, 4, 16])), "flits": int(rng.choice([1, 3]))}}
    if small and rng.random() < 0.5:
        core["axon_out"]["max_fanout_entries"] = 60000
    if floating:
        core["soma"]["arithmetic"] = "float64"
    if not loihi:
        core["soma"]["rounding"] = str(rng.choice(["floor", "toward_zero"]))
        core["soma"]["decay_bits"] = int(rng.choice([8, 12, 16]))
    chip.update({"core": core, "noc": {"size": [x, y], "cores_per_router": per,
                                       "router": {"pipeline": str(rng.choice(["P2", "P3", "P4"])), "vcs": int(rng.choice([1, 2, 4])), "buffer": int(rng.choice([1, 2, 8]))}},
                 "io": {"router": [0, 0]}})
    T, B = int(rng.integers(4, 14)), int(rng.integers(1, 4))
    analogue = rng.random() < 0.35
    if analogue:
        data = rng.integers(0, 17, (B,) + shape).astype(np.uint8)
        spec = {"encoding": "constant", "scale": 0.0625, "timesteps": T}
        xs = np.broadcast_to(data * 0.0625, (T, B) + shape)
    else:
        data = (rng.random((T, B) + shape) < rng.uniform(0.1, 0.5)).astype(np.uint8)
        spec = {"encoding": "spikes"}
        xs = data.astype(np.float64)
    return {"rng": rng, "nodes": nodes, "edges": edges, "profile": profile, "chip": chip, "loihi": loihi, "floating": floating,
            "data": data, "input": spec, "x": xs, "analogue": analogue, "place": str(rng.choice(["auto", "sequential"]))}


def check_case(seed, adapt=lambda case: None, adapt_core=lambda core: None):
    """Returns "ok", or "does not fit". adapt: changes the case; adapt_core: the resolved core for the interpreter."""
    c = make_case(seed)
    adapt(c)
    here = os.path.dirname(os.path.abspath(__file__))
    with scratch() as d:
        write_nir(f"{d}/net.nir", c["nodes"], c["edges"])
        np.savez_compressed(f"{d}/data.npz", x=c["data"])
        c["chip"]["file"] = os.path.join(here, "..", "..", "configs", "chips", "loihi.yaml" if c["loihi"] else "mesh45.yaml")
        fires = c["nodes"][[n for n in c["nodes"] if n.startswith("n")][-1]]["type"] != "LI"
        with open(f"{d}/run.yaml", "w") as f:
            json.dump({"network": {"file": "net.nir"}, "profile": c["profile"],
                       "input": {"file": "data.npz", "array": "x", **c["input"]}, "chip": c["chip"],
                       "decode": {"rule": "spike_count" if fires else "membrane"},
                       "map": {"place": c["place"], "seed": seed, **c.get("map", {})}, "record": ["spikes", "membrane"]}, f)
        code, _, err = spikeloom("run", f"{d}/run.yaml", "-o", f"{d}/out", "-q")
        if code == 4:
            return "does not fit"
        assert code == 0, f"seed {seed}: exit code {code}: {err}"
        graph = read_nir(f"{d}/net.nir")
        p = dict(c["profile"])
        if c["floating"]:
            ref = Reference(graph, dt=1e-4, method=p["method"], reset=p["reset"], compare="gt" if p["compare"] == ">" else "ge",
                            multispike=p.get("multispike", False), cuba=p["cuba"], reset_delay=p["reset_delay"])
            want = ref.run(np.asarray(c["x"]))
        else:
            import yaml
            core = yaml.safe_load(open(f"{d}/out/config.resolved.yaml"))["chip"]["core"]
            adapt_core(core)
            host = c["analogue"] and core["axon_in"]["payload_bits"] == 0
            exponent = None
            if c["analogue"]:
                exponent, v = 0, np.unique(c["data"]) * 0.0625
                while np.any(np.ldexp(v, exponent) % 1):
                    exponent += 1
            oracle = IntegerReference(graph, p, core, input_exponent=exponent, host_input=host)
            want = oracle.run(np.asarray(c["x"]))
        layers = recorded_layers(f"{d}/out")
        total = 0
        for n in layers:
            got = recorded(f"{d}/out", n).transpose(1, 0, 2)
            ref = want[n].reshape(got.shape)
            assert np.array_equal(got, ref), f"seed {seed}: layer {n}: {int((got != ref).sum())} of {got.size} spikes differ"
            total += int(got.sum())
        if not c["floating"]:
            for n in recorded_layers(f"{d}/out", "membrane"):
                got = recorded(f"{d}/out", n, "membrane").transpose(1, 0, 2)
                ref = np.stack(oracle.membrane[n]).reshape(got.shape)
                assert np.array_equal(got, ref), f"seed {seed}: layer {n}: {int((got != ref).sum())} of {got.size} membranes differ"
        return "ok"


def random_networks():
    results = [check_case(SEED * 1000 + i) for i in range(CASES)]
    n = results.count("ok")
    print(f"{n} of {CASES} networks compared, {CASES - n} do not fit their chip")
    assert n >= CASES // 2, "too few networks fit"


if __name__ == "__main__":
    main([random_networks])
