# SPDX-License-Identifier: Apache-2.0
"""Compute-in-memory chips: on ideal arrays the digits networks are bit-identical to the golden files, random networks to
the integer interpreter, whatever the encoding, the row selection, the number of copies and of processes."""
import glob
import json
import os

import numpy as np

from golden_test import compare
from nir_writer import lif, write_nir
from random_networks_test import check_case, make_case
from support import ROOT, main, recorded, run, scratch, spikeloom, stats

RUNS = os.path.join(ROOT, "configs", "runs")
CHIPS = os.path.join(ROOT, "configs", "chips")
# The ready chips; converters that round or clip are replaced by ones with as many bits as exact sums need.
IDEAL = {"cim_rram_1t1r": {}, "cim_sram_digital": {}, "cim_sram_event_row": {}, "hybrid": {},
         "cim_neurram": {"chip.core.cim.adc.fs": "lossless", "chip.core.cim.adc.adc_bits": 13},
         "cim_spikesim": {"chip.core.cim.adc.fs": "lossless", "chip.core.cim.adc.adc_bits": 10}}


def digits(kind):
    return f"{RUNS}/digits_{kind}_q8_mesh45.yaml"


def on(chip, **more):
    sets = {"chip.file": f"{CHIPS}/{chip}.yaml", **IDEAL[chip], **{k.replace("__", "."): v for k, v in more.items()}}
    return [a for k, v in sets.items() for a in ("--set", f"{k}={v}")]


def golden_on_every_ideal_chip():
    for chip in IDEAL:
        for kind in ("mlp", "conv"):
            with scratch() as d:
                run(digits(kind), d + "/o", *on(chip))
                compare(d + "/o", f"digits_{kind}_q8")
                s = stats(d + "/o")
                assert s["ops"]["mac"] == 0 or kind == "conv"
                array = [c for c in s["cores"] if "arrays" in c]
                assert sum(c["arrays"]["used"] for c in array) == s["arrays"]["used"] > 0
                assert 0 < s["arrays"]["utilisation"] <= 1
                assert all(c["counters"]["cim"].get("clips", 0) == 0 for c in array if "cim" in c["counters"])
                assert s["components"]["cim"]["energy_pj"] > 0 and s["load"]["cycles"] > 0 and s["load"]["energy_pj"] > 0


def operations_are_those_of_near_memory():
    with scratch() as d:
        run(digits("conv"), d + "/near", "--set", "input.limit=30")
        near = stats(d + "/near")["ops"]
        for chip in ("cim_rram_1t1r", "cim_sram_event_row"):
            run(digits("conv"), f"{d}/{chip}", *on(chip), "--set", "input.limit=30")
            assert stats(f"{d}/{chip}")["ops"] == near


def same_bytes_whatever_the_order_and_the_processes():
    for chip in ("cim_rram_1t1r", "hybrid"):
        noise = {} if chip == "hybrid" else {"chip__core__cim__device__read_noise": 0.05, "chip__core__cim__device__sigma": 0.1}
        with scratch() as d:
            args = on(chip, input__limit=24, **noise)
            run(digits("conv"), d + "/a", *args)
            run(digits("conv"), d + "/b", *args, "--threads", "3")
            run(digits("conv"), d + "/c", *args, "--shuffle", "11", "--engine", "plain")
            run(d + "/a/config.resolved.yaml", d + "/d")
            for other in "bcd":
                for name in ("stats.json", "predictions.csv", "energy.yaml", "config.resolved.yaml"):
                    assert open(f"{d}/a/{name}").read() == open(f"{d}/{other}/{name}").read(), (chip, other, name)
            with open(d + "/a/spikes.h5", "rb") as x, open(d + "/b/spikes.h5", "rb") as y:
                assert x.read() == y.read()


def copies_save_time_and_take_arrays():
    with scratch() as d:
        seen = []
        for n in (1, 2, 4):
            run(digits("conv"), f"{d}/{n}", *on("cim_rram_1t1r", map__duplicate=n, chip__core__cim__arrays=32))
            compare(f"{d}/{n}", "digits_conv_q8")
            s = stats(f"{d}/{n}")
            seen.append((s["cycles"]["per_sample_mean"], s["arrays"]["used"], s["arrays"]["copies"]))
            events = [l["counters"]["cim"]["conversions"] for l in s["layers"] if "cim" in l["counters"]]
            assert n == 1 or events == before, "the same vectors are read"
            before = events
        assert [u for _, u, _ in seen] == [10 * n + 8 for n in (1, 2, 4)] and [c for _, _, c in seen] == [1, 2, 4]
        assert seen[1][0] < 0.65 * seen[0][0] and seen[2][0] < 0.65 * seen[1][0], seen
        code, out, _ = spikeloom("map", digits("conv"), *on("cim_rram_1t1r", map__duplicate=2))
        assert code == 0 and "2 copies" in out and "of 16 arrays" in out and "144 x 32 in 2 x 4 arrays" in out, out


def a_layer_is_cut_until_its_arrays_fit():
    """One array per core holds 128 rows x 9 outputs: a layer of 64 inputs is cut over its neurons only."""
    with scratch() as d:
        run(digits("mlp"), d + "/o", *on("cim_rram_1t1r", chip__core__cim__arrays=1, chip__noc__size="[5, 4]"))
        compare(d + "/o", "digits_mlp_q8")
        assert stats(d + "/o")["cores_used"] == 17          # 15 for 128 outputs, 2 for 10
        code, _, err = spikeloom("run", digits("conv"), "-o", d + "/p", *on("cim_rram_1t1r", chip__core__cim__arrays=1))
        assert code == 4 and "cores" in err and "need 18, have 16" in err, err


def cim_events(s, key):
    return sum(l["counters"].get("cim", {}).get(key, 0) for l in s["layers"])


def rows_over_several_cores():
    """Partial sums travel as packets; the golden bytes come out whatever the cut, the FIFOs and the order."""
    tight = {"chip__core__axon_in__fifo": 1, "chip__core__axon_out__fifo": 1, "chip__noc__router__buffer": 1, "chip__core__cim__rows__double_buffer": "false"}
    for kind, senders, more in (("mlp", 4, {"map__row_parts": 3}), ("conv", 10, {"chip__core__cim__arrays": 1}), ("conv", 2, {"map__row_parts": 2, **tight})):
        with scratch() as d:
            args = on("cim_rram_1t1r", chip__noc__size="[6, 6]", **more)
            run(digits(kind), d + "/a", *args)
            compare(d + "/a", f"digits_{kind}_q8")
            s = stats(d + "/a")
            assert cim_events(s, "psum_adds") > 0 and cim_events(s, "psum_overflows") == 0
            assert cim_events(s, "psum_packets") * 2 >= cim_events(s, "psum_adds") > cim_events(s, "psum_packets")
            code, out, _ = spikeloom("map", digits(kind), *args)
            assert code == 0 and f"{senders} of them partial sums only" in out and "partial sums to core" in out, out
            run(digits(kind), d + "/b", *args, "--shuffle", "11", "--engine", "plain", "--threads", "2")
            for name in ("stats.json", "predictions.csv", "energy.yaml"):
                assert open(f"{d}/a/{name}").read() == open(f"{d}/b/{name}").read(), (kind, name)


def a_wide_layer_as_near_memory():
    """Fan-in 1500 on arrays of 128 rows, four to a core,: the bytes of near-memory cores."""
    rng = np.random.default_rng(8)
    w = lambda *shape: np.round(rng.normal(0, 0.15, shape) * 64) / 64
    nodes = {"input": {"type": "Input", "shape": np.array([1500])},
             "wide": {"type": "Linear", "weight": w(30, 1500)}, "lif1": lif((30,), 1e-3, 10, 1.0),
             "fc": {"type": "Linear", "weight": w(9, 30)}, "lif2": lif((9,), 1e-3, 10, 1.0),
             "skip": {"type": "Linear", "weight": w(9, 1500)}, "output": {"type": "Output", "shape": np.array([9])}}
    edges = [("input", "wide"), ("wide", "lif1"), ("lif1", "fc"), ("fc", "lif2"), ("input", "skip"), ("skip", "lif2"), ("lif2", "output")]
    x = (rng.random((8, 5, 1500)) < rng.uniform(0.01, 0.2, (8, 5, 1))).astype(np.uint8)
    x[3, :, :] = 0                                          # and a timestep without a spike
    with scratch() as d:
        write_nir(f"{d}/net.nir", nodes, edges)
        np.savez_compressed(f"{d}/data.npz", x=x)
        chip = {"core": {"soma": {"max_neurons": 512}, "synapse": {"memory": "64 KiB"}}, "noc": {"size": [6, 6]}}
        cim = {"kind": "cim", "cim": {"arrays": 4, "input_bits": 4, "weights": {"weight_bits": 8}}}
        for name, more in (("near", {}), ("rram", cim), ("narrow", {**cim, "cim": {**cim["cim"], "psum": {"psum_bits": 14}}}),
                           ("event_row", {**cim, "cim": {**cim["cim"], "array": {"type": "sram_digital", "digital": "event_row"}}})):
            c = {**chip, "file": f"{CHIPS}/{'mesh45' if name == 'near' else 'cim_rram_1t1r'}.yaml", "core": {**chip["core"], **more}}
            with open(f"{d}/{name}.yaml", "w") as f:
                json.dump({"network": {"file": "net.nir"}, "profile": {"preset": "nir-euler", "dt": "100 us"},
                           "input": {"file": "data.npz", "array": "x", "encoding": "spikes"}, "chip": c,
                           "decode": {"rule": "spike_count"}, "record": ["spikes", "membrane"], "map": {"weight_exponent": 6}}, f)
            if name == "event_row":                         # its sums are membranes: they cannot leave the array
                code, _, err = spikeloom("run", f"{d}/{name}.yaml", "-o", f"{d}/{name}")
                assert code == 4 and "arrays of a core" in err and "event-row" in err, err
                continue
            run(f"{d}/{name}.yaml", f"{d}/{name}")
            for layer in ("lif1", "lif2"):
                for key in ("spikes", "membrane"):
                    a, b = recorded(f"{d}/near", layer, key), recorded(f"{d}/{name}", layer, key)
                    assert a.tobytes() == b.tobytes() and (key == "membrane" or a.sum() > 20), (name, layer, key, a.sum())
            if name == "near":
                continue
            s, steps = stats(f"{d}/{name}"), 8 * 5
            # 12 and 13 row blocks, 4 arrays a core: three and four parts of each slice; their sums travel in each timestep
            assert cim_events(s, "psum_adds") == (30 * 2 + 9 * 3) * steps, cim_events(s, "psum_adds")
            per_packet = {"rram": 2, "narrow": 4}[name]
            packets = steps * sum(parts * -(-n // per_packet) for parts, n in ((2, 7), (2, 8), (2, 7), (2, 8), (3, 9)))
            assert cim_events(s, "psum_packets") == packets, (name, cim_events(s, "psum_packets"), packets)
            assert cim_events(s, "psum_overflows") == 0


def membranes_take_rows_of_event_row_arrays():
    """Five rows per output position: positions of a kernel are cut until the membranes and the weights fit an array's rows."""
    seen = []
    for rows in (0, 5):
        with scratch() as d:
            run(digits("conv"), d + "/o", *on("cim_sram_event_row", chip__core__cim__array__membrane_rows=rows))
            compare(d + "/o", "digits_conv_q8")
            s = stats(d + "/o")
            seen.append((s["arrays"]["used"], cim_events(s, "row_adds"), cim_events(s, "sweeps"), cim_events(s, "vectors")))
    # lif1: 24 + 16 + 24 of 64 positions, 8 + 48 + 8 rows are left for 9; lif2: 144 rows in 128 - 16 x 5; lif3: 512 in 123
    assert seen[0][0] == 1 + 2 * 2 + 4 and seen[1][0] == (2 + 1 + 2) + 3 * 2 + 5, seen
    assert seen[0][1:] == seen[1][1:] and seen[0][3] == 0, "the same events wherever the membranes are"
    code, out, _ = spikeloom("map", digits("conv"), *on("cim_sram_event_row", chip__core__cim__array__membrane_rows=127))
    assert code == 4, out


def the_graded_layer_of_a_hybrid_chip():
    with scratch() as d:
        code, out, _ = spikeloom("map", digits("conv"), *on("hybrid"))
        assert code == 0 and "lif1 near, lif2 cim, lif3 cim" in out and "no graded input" in out, out
        for lif1 in ("near", "cim"):
            run(digits("conv"), f"{d}/{lif1}", *on("hybrid", map__kinds__lif1=lif1, map__kinds__lif3="near"))
            compare(f"{d}/{lif1}", "digits_conv_q8")
            s = stats(f"{d}/{lif1}")
            assert [l.get("cores") for l in s["layers"] if l["name"] != "input"] == [lif1, "cim", "near"]
            assert (s["ops"]["offchip_mac"] > 0) == (lif1 == "cim")
            assert s["kinds"]["cim"]["cores_used"] == (2 if lif1 == "cim" else 1)


def random_networks():
    compared = 0
    for seed in range(5000, 5060):
        rng = np.random.default_rng(seed)
        if make_case(seed)["floating"]:
            continue
        bits = int(rng.choice([4, 6, 8]))
        encoding = str(rng.choice(["differential", "offset", "twos_complement"]))
        kind = str(rng.choice(["rram_1t1r", "pcm", "adder_tree", "event_row", "sram_analog"]))
        rows = int(rng.choice([16, 64, 128]))
        cim = {"arrays": int(rng.choice([4096, 4096, 40, 12])), "input_bits": 14,
               "array": {"rows": rows, "cols": int(rng.choice([32, 128])), "cell_bits": int(rng.choice([1, 2])) if kind in ("rram_1t1r", "pcm") else 1},
               "weights": {"weight_bits": bits, "encoding": encoding},
               "rows": {"rows_parallel": min(rows, int(rng.choice([1, 7, 31]))), "row_select": str(rng.choice(["all", "groups_skip", "packed"])),
                        "bus_bits": int(rng.choice([0, 16])), "double_buffer": bool(rng.random() < 0.5)},
               "adc": {"adc_bits": 8, "adc_share": int(rng.choice([1, 8]))}, "timing": {"sample_hold": bool(rng.random() < 0.5)},
               "psum": {"psum_bits": 40}}
        if kind in ("adder_tree", "event_row"):
            cim["array"].update({"type": "sram_digital", "digital": kind})
            if kind == "event_row":
                cim["array"]["membrane_rows"] = int(rng.choice([0, 1, 5]))
        else:
            cim["array"]["type"] = kind

        if encoding == "differential" and kind in ("rram_1t1r", "pcm") and seed % 2:
            cim["weights"]["encoding"] = "differential_rows"
            cim["rows"]["rows_parallel"] += cim["rows"]["rows_parallel"] % 2

        def adapt(c):
            c["chip"]["core"].update({"kind": "cim", "cim": cim})
            c["map"] = {"row_parts": int(rng.choice([1, 1, 2, 5]))}
            c["chip"]["energy"] = {"file": f"{ROOT}/configs/energy/cim_32.yaml"}

        def adapt_core(core):
            core["synapse"]["weight_bits"] = bits
            core["symmetric"] = encoding == "differential"

        compared += check_case(seed, adapt, adapt_core) == "ok"
    print(f"{compared} random networks on random arrays")
    assert compared >= 20, compared


def accuracy_over_devices():
    with scratch() as d:
        args = on("cim_rram_1t1r", chip__core__cim__device__sigma=0.5, chip__core__cim__device__p_sa0=0.02, input__limit=40)
        run(digits("mlp"), d + "/four", *args, "--set", "device_seeds=4")
        run(digits("mlp"), d + "/threads", *args, "--set", "device_seeds=4", "--threads", "2")
        s = stats(d + "/four")
        assert s == stats(d + "/threads")
        alone, others = [], {"cycles_per_sample": [], "time_per_sample_s": [], "energy_per_sample_pj": []}
        for seed in (1, 2, 3, 4):
            run(digits("mlp"), f"{d}/{seed}", *args, "--set", f"device_seed={seed}")
            one = stats(f"{d}/{seed}")
            alone.append(one["accuracy"])
            assert "devices" not in one
            for key, value in zip(others, (one["cycles"]["per_sample_mean"], one["time"]["per_sample_s"], one["energy"]["per_sample_pj"])):
                others[key].append(value)
        v = s["devices"]
        for key, values in others.items():
            assert np.allclose(v[key], values, rtol=1e-12, atol=0), (key, v[key], values)
            spread = 3.182 * np.std(values, ddof=1) / 2
            assert np.allclose([v[key + "_mean"], v[key + "_high"] - v[key + "_mean"], v[key + "_mean"] - v[key + "_low"]],
                               [np.mean(values), spread, spread], rtol=1e-6), key
            assert (v[key + "_min"], v[key + "_max"]) == (min(v[key]), max(v[key]))
        assert len(set(others["energy_per_sample_pj"])) == 4, "other cells draw other currents"
        text = open(d + "/four/summary.txt").read()
        assert "4 chips that differ in their devices" in text and "    energy " in text and "    cycles " in text
        assert v["accuracy"] == alone and len(set(alone)) > 1, alone
        half = 3.182 * np.std(alone, ddof=1) / 2            # Student's t with 3 degrees of freedom
        assert abs(v["accuracy_mean"] - np.mean(alone)) < 1e-12 and s["accuracy"] == v["accuracy_mean"]
        assert abs(v["accuracy_mean"] - v["accuracy_low"] - half) < 1e-9
        assert abs(min(1.0, np.mean(alone) + half) - v["accuracy_high"]) < 1e-9


def ready_chips_are_valid_and_their_converters_good_enough():
    for file in sorted(glob.glob(f"{CHIPS}/*.yaml")):
        code, _, err = spikeloom("validate", file)
        assert code == 0, err
    for chip in ("cim_neurram", "cim_spikesim"):            # as they ship: rounding and clipping converters
        with scratch() as d:
            run(digits("conv"), d + "/o", "--set", f"chip.file={CHIPS}/{chip}.yaml", "--set", "input.limit=60")
            s = stats(d + "/o")
            assert s["accuracy"] >= 0.9, (chip, s["accuracy"])
            assert sum(l["counters"].get("cim", {}).get("clips", 0) for l in s["layers"]) > 0


def mistakes():
    cases = [
        ({"chip.core.cim.rows.rows_parallel": 129}, 3, "chip.core.cim.rows.rows_parallel: 129 rows in parallel, but the array has 128"),
        ({"chip.core.cim.adc.adc_bits": 0}, 3, "chip.core.cim.adc.adc_bits: must be >= 1"),
        ({"chip.core.cim.timing.f_clk": "1 GHz"}, 3, "chip.core.cim.timing.f_clk: arrays of a chip have its clock"),
        ({"chip.core.cim.timing.t_rd": "10 nm"}, 3, "chip.core.cim.timing.t_rd: expected cycles or a time"),
        ({"chip.core.cim.adc.price_table": "guess"}, 3, "chip.core.cim.adc.price_table: expected survey, compact or spikesim"),
        ({"chip.core.cim": "null"}, 3, "chip.core.cim: a core of kind cim needs this section"),
        ({"chip.core.soma.arithmetic": "float64"}, 3, "chip.core.soma.arithmetic: cores of kind cim compute in integers"),
        ({"chip.core.cim.input_bits": 2}, 4, "input bits of an array row"),
        ({"chip.core.cim.weights.encoding": "differential_rows"}, 3, "chip.core.cim.rows.rows_parallel: array.rows and rows_parallel must be even"),
        ({"chip.core.cim.array.type": "sram_digital", "chip.core.cim.timing.registers": 16, "chip.core.cim.timing.t_add": "1 ns"}, 3,
         "chip.core.cim.timing.t_add: 16 full adders and a register take 16.000 ns, a clock period is 1.000 ns"),
        ({"map.weight_exponent": 12}, 4, "weight bits (map.weight_exponent)"),
        ({"chip.core.cim.array.membrane_rows": 3}, 3, "chip.core.cim.array.membrane_rows: membranes are in arrays of digital: event_row only"),
        ({"chip.core.cim.arays": 2}, 3, "chip.core.cim.arays: unknown key; did you mean 'arrays'?"),
        ({"chip.energy.file": f"{ROOT}/configs/energy/mesh45.yaml"}, 3, "energy.adc: has no table 'survey'"),
    ]
    for sets, want, message in cases:
        with scratch() as d:
            args = on("cim_rram_1t1r") + [a for k, v in sets.items() for a in ("--set", f"{k}={v}")]
            code, _, err = spikeloom("run", digits("conv"), "-o", d + "/o", "-q", *args)
            assert code == want and message in err, (sets, code, err)
            assert not os.path.exists(d + "/o")


if __name__ == "__main__":
    main([golden_on_every_ideal_chip, operations_are_those_of_near_memory, same_bytes_whatever_the_order_and_the_processes,
          copies_save_time_and_take_arrays, a_layer_is_cut_until_its_arrays_fit, rows_over_several_cores, a_wide_layer_as_near_memory,
          membranes_take_rows_of_event_row_arrays,
          the_graded_layer_of_a_hybrid_chip, random_networks,
          accuracy_over_devices, ready_chips_are_valid_and_their_converters_good_enough, mistakes])
