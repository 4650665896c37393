# SPDX-License-Identifier: Apache-2.0
"""`spikeloom cim` against the reference model of a crossbar, and what it does with wrong input."""
import json
import os

import numpy as np

from support import ROOT, main, scratch, spikeloom
from golden_ref import core                                                # noqa: E402 (support adds its folder)

SELECT = {"all": "all_groups", "groups_skip": "groups", "packed": "packed"}
KEYS = {"values", "cycles", "conversions", "groups", "clips", "energy_pj"}


def array(d, weights, inputs, spec, *args, expect=0):
    """(list of --json, stderr)"""
    np.save(f"{d}/W.npy", weights)
    np.save(f"{d}/X.npy", inputs)
    with open(f"{d}/array.yaml", "w") as f:
        f.write("{" + ", ".join(f"{k}: {v}" for k, v in spec.items()) + "}\n")
    code, out, err = spikeloom("cim", f"{d}/array.yaml", "--weights", f"{d}/W.npy", "--inputs", f"{d}/X.npy", "--json", *args)
    assert code == expect, f"{spec}: exit code {code}, expected {expect}: {err}"
    return (json.loads(out) if code == 0 else None), err


def random_array(rng):
    bits, cols = int(rng.integers(2, 9)), int(rng.choice([32, 64, 100, 128, 256]))
    encoding = str(rng.choice(["differential", "offset"]))
    rows = int(rng.integers(1, 200))
    return {"rows": max(128, rows), "cols": cols, "cell_bits": int(rng.integers(1, 4)), "weight_bits": bits,
            "encoding": encoding, "rows_parallel": int(rng.integers(1, 129)), "row_select": str(rng.choice(list(SELECT))),
            "adc_bits": int(rng.integers(1, 10)), "adc_share": int(rng.choice([s for s in (1, 2, 4, 5, 8, 16, 32) if s <= cols])),
            "t_wl": int(rng.integers(0, 4)), "t_rd": int(rng.integers(1, 12)), "t_sh": 0, "t_adc": int(rng.integers(1, 4)),
            "t_sa": int(rng.integers(0, 4)), "psum_bits": 48}, rows


def agrees(number, spec, weights, inputs, result):
    assert len(result) == len(inputs)
    for x, got in zip(inputs, result):
        acc, m = core(weights, x, wb=spec["weight_bits"], cb=spec["cell_bits"], enc="diff" if spec["encoding"] == "differential" else "offset",
                      adc=spec["adc_bits"], mux=spec["adc_share"], cols=spec["cols"], rpar=spec["rows_parallel"], sel=SELECT[spec["row_select"]],
                      t_wl=spec["t_wl"], t_rd=spec["t_rd"], t_adc=spec["t_adc"], t_sa=spec["t_sa"])
        assert KEYS <= got.keys(), got.keys()
        scale = max(1.0, np.abs(acc).max())
        assert np.abs(np.array(got["values"]) - acc).max() <= 1e-9 * scale, f"{number} {spec}: {got['values']} against {acc}"
        for ours, theirs in (("cycles", "cycles"), ("conversions", "conversions"), ("groups", "groups")):
            assert got[ours] == m[theirs], f"{number} {spec}: {ours} {got[ours]}, expected {m[theirs]}"
        assert got["counters"].get("rows_driven", 0) == m["wl_pulses"]
        assert got["clips"] == 0 and got["energy_pj"] > 0 or not x.any()


def random_arrays_agree_with_the_reference():
    """520 arrays, three vectors each."""
    rng = np.random.default_rng(2025)
    with scratch() as d:
        for number in range(520):
            spec, rows = random_array(rng)
            top = 2 ** (spec["weight_bits"] - 1) - 1
            weights = rng.integers(-top, top + 1, (rows, int(rng.integers(1, 24))))
            inputs = np.array([(rng.random(rows) < p).astype(np.uint8) for p in (0.03, 0.2, 0.7)])
            result, _ = array(d, weights, inputs, spec)
            agrees(number, spec, weights, inputs, result)


def golden_file_through_the_command():
    folder = f"{ROOT}/tests/golden/cim"
    weights = np.loadtxt(f"{folder}/golden_W_128x16_int4.csv", delimiter=",", dtype=int)
    inputs = np.loadtxt(f"{folder}/golden_x_5x128.csv", delimiter=",", dtype=int)
    spec = {"rows": 128, "cols": 128, "cell_bits": 1, "weight_bits": 4, "encoding": "differential", "rows_parallel": 31,
            "row_select": "packed", "adc_bits": 5, "adc_share": 8, "t_wl": 1, "t_rd": 2, "t_sh": 0, "t_adc": 1, "t_sa": 1}
    with scratch() as d:
        for select in SELECT:
            result, _ = array(d, weights, inputs, {**spec, "row_select": select})
            agrees(select, {**spec, "row_select": select}, weights, inputs, result)
            for x, got in zip(inputs, result):
                assert got["values"] == (x @ weights).tolist()
        assert [r["cycles"] for r in result] == [10, 10, 10, 10, 22]


def seeds_and_order():
    rng = np.random.default_rng(3)
    weights, inputs = rng.integers(-7, 8, (100, 12)), (rng.random((6, 100)) < 0.4).astype(bool)
    spec = {"sigma": 0.1, "read_noise": 0.05, "r_col": 1, "p_sa1": 0.01, "gain_sigma": 0.01}
    with scratch() as d:
        first, _ = array(d, weights, inputs, spec)
        again, _ = array(d, weights, inputs, spec)
        other, _ = array(d, weights, inputs, spec, "--seed", 2)
        values = lambda r: [x["values"] for x in r]                        # noqa: E731
        assert values(first) == values(again) != values(other)
        # a vector's draws depend on its place in the file (its step), not on the vectors before it
        inputs[0] = False
        changed, _ = array(d, weights, inputs, spec)
        assert values(changed)[1:] == values(first)[1:]


def clipping_is_never_silent():
    weights, inputs = np.full((40, 3), 7), np.ones((2, 40), int)
    with scratch() as d:
        result, err = array(d, weights, inputs, {"adc_bits": 3, "fs": "fixed", "fs_value": 7, "rows_parallel": 20})
        assert result[0]["clips"] == 2 * 9 and "36 codes" in err, (result[0], err)
        result, err = array(d, weights, inputs, {"psum_bits": 6})
        assert result[0]["psum_overflows"] > 0 and "beyond their range" in err
        result, err = array(d, weights, inputs, {})
        assert result[0]["values"] == [280] * 3 and err == ""


def wrong_input_is_refused():
    weights, inputs = np.full((40, 3), 7), np.ones((2, 40), int)
    cases = [({"adc_bits": 0}, weights, inputs, "array.yaml:1:12: adc.adc_bits: must be >= 1"),
             ({"rows_parallel": 129}, weights, inputs, "129 rows in parallel, but the array has 128"),
             ({"rows": 16}, weights, inputs, "31 rows in parallel, but the array has 16"),
             ({"adc_share": 0}, weights, inputs, "adc.adc_share: must be >= 1"),
             ({"cell_bits": 0}, weights, inputs, "array.cell_bits: must be >= 1"),
             ({"adc_bitz": 5}, weights, inputs, "did you mean 'adc_bits'?"),
             ({"encoding": "ofset"}, weights, inputs, "did you mean 'offset'?"),
             ({"t_rd": "10 parsec"}, weights, inputs, "timing.t_rd: expected cycles or a time"),
             ({"t_rd": "-3"}, weights, inputs, "timing.t_rd"),
             ({"node": 7}, weights, inputs, "node: no shipped price list of 7 nm"),
             ({"rows": "[1]"}, weights, inputs, "rows"),
             ({"price_table": "guess"}, weights, inputs, "adc.price_table"),
             ({}, weights + 1, inputs, "weights[0, 0]: 8 is beyond -7 ... 7"),
             ({}, weights * 0.5, inputs, "weights[0, 0] = 3.5 is no integer"),
             ({}, weights[:, 0], inputs, "expected integer weights [rows, outputs], got shape [40]"),
             ({}, weights[:0], inputs, "expected integer weights"),
             ({}, weights, inputs * 2, "inputs[0, 0] = 2: must be 0 or 1"),
             ({}, weights, inputs[:, 1:], "inputs have 39 rows"),
             ({}, weights, inputs * np.nan, "must be 0 or 1"),
             ({}, weights, inputs[0], "expected binary inputs [vectors, rows], got shape [40]")]
    with scratch() as d:
        for spec, w, x, message in cases:
            _, err = array(d, w, x, spec, expect=3)
            assert message in err and len(err.strip().splitlines()) == 1, f"{spec}: {err}"
        open(f"{d}/twice.yaml", "w").write("adc_bits: 5\nadc: {adc_bits: 6}\n")
        code, _, err = spikeloom("cim", f"{d}/twice.yaml", "--weights", f"{d}/W.npy", "--inputs", f"{d}/W.npy")
        assert code == 3 and "given twice" in err, err
        assert spikeloom("cim", f"{d}/none.yaml", "--weights", f"{d}/W.npy", "--inputs", f"{d}/W.npy")[0] == 6
        assert spikeloom("cim", f"{d}/array.yaml", "--weights", f"{d}/none.npy", "--inputs", f"{d}/W.npy")[0] == 6
        assert spikeloom("cim", f"{d}/array.yaml")[0] == 2


def shipped_arrays_run_and_results_are_whole():
    rng = np.random.default_rng(5)
    weights, inputs = rng.integers(-1, 2, (300, 20)), (rng.random((4, 300)) < 0.2).astype(int)
    with scratch() as d:
        np.save(f"{d}/W.npy", weights)
        np.save(f"{d}/X.npy", inputs)
        for name in sorted(os.listdir(f"{ROOT}/configs/cim")):
            file = f"{ROOT}/configs/cim/{name}"
            assert spikeloom("validate", file)[0] == 0
            code, out, err = spikeloom("cim", file, "--weights", f"{d}/W.npy", "--inputs", f"{d}/X.npy", "-o", f"{d}/o")
            assert code == 0, f"{name}: {err}"
            stats = json.load(open(f"{d}/o/stats.json"))
            vectors = json.load(open(f"{d}/o/vectors.json"))
            assert stats["energy_pj"] > 0 and abs(sum(v["energy_pj"] for v in vectors) / stats["energy_pj"] - 1) < 1e-9
            assert abs(sum(stats["energy"].values()) / stats["energy_pj"] - 1) < 1e-9
            assert stats["load"]["cycles"] > 0 and stats["area_um2"]["total"] > 0
            assert stats["cycles_back_to_back"] <= stats["cycles"]
            code, again, err = spikeloom("cim", f"{d}/o/config.resolved.yaml", "--weights", f"{d}/W.npy", "--inputs", f"{d}/X.npy", "-o", f"{d}/p")
            assert code == 0, err
            for f in ("stats.json", "vectors.json", "config.resolved.yaml"):
                assert open(f"{d}/o/{f}").read() == open(f"{d}/p/{f}").read(), f"{name}: {f}"
        code, out, _ = spikeloom("schema", "cim")
        assert code == 0 and "rows_parallel" in json.dumps(json.loads(out))


if __name__ == "__main__":
    main([golden_file_through_the_command, random_arrays_agree_with_the_reference, seeds_and_order, clipping_is_never_silent,
          wrong_input_is_refused, shipped_arrays_run_and_results_are_whole])
