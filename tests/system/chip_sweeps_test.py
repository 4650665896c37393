# SPDX-License-Identifier: Apache-2.0
"""The ready sweeps over devices and chips, the docs' table of chips, area in the reports."""
import csv
import os
import subprocess

import yaml

from support import PROGRAM, ROOT, main, run, scratch, spikeloom, stats

SWEEPS = os.path.join(ROOT, "configs", "sweeps")


def one_point_of_the_device_sweep():
    sweep = yaml.safe_load(open(f"{SWEEPS}/cim_devices.yaml"))
    axes = sweep["axes"]
    assert len({len(v) for v in axes.values()}) == 1
    knobs = {k: v for k, v in axes.items() if k != "input.limit"}
    assert all(len(set(v)) >= 3 for v in knobs.values()), "each knob takes three values or more"
    base_run = os.path.normpath(os.path.join(SWEEPS, sweep["run"]))
    assert yaml.safe_load(open(base_run))["device_seeds"] >= 20
    with scratch() as d:
        small = {"run": base_run, "mode": "zip", "axes": {k: [v[0], v[-1]] for k, v in axes.items()} | {"input.limit": [3, 3]}}
        with open(f"{d}/s.yaml", "w") as f:
            yaml.safe_dump(small, f)
        code, out, err = spikeloom("sweep", f"{d}/s.yaml", "-o", f"{d}/o", "-q")
        assert code == 0, (out, err)
        for row in csv.DictReader(open(f"{d}/o/results.csv")):
            low, mean, high = (float(row[k]) for k in ("devices.accuracy_low", "accuracy", "devices.accuracy_high"))
            assert 0 <= low <= mean + 1e-9 and mean <= high + 1e-9 and high <= 1, (low, mean, high)
            low, mean, high = (float(row[f"devices.energy_per_sample_pj_{k}"]) for k in ("low", "mean", "high"))
            assert 0 < low < mean < high, (low, mean, high)
            assert float(row["energy.total_pj"]) > 0 and float(row["time.simulated_s"]) > 0
            assert float(row["area.total_mm2"]) == stats(f"{d}/o/{row['result']}")["area"]["total_mm2"] > 0


def files_of_a_sweep_are_seen_from_its_folder():
    with scratch() as d:
        os.makedirs(f"{d}/sweeps/chips")
        os.makedirs(f"{d}/elsewhere")
        for name in ("mesh45", "little"):
            with open(f"{d}/sweeps/chips/{name}.yaml", "w") as f:
                yaml.safe_dump({"base": f"{ROOT}/configs/chips/mesh45.yaml", "name": name}, f)
        chips = ["chips/mesh45.yaml", f"{d}/sweeps/chips/little.yaml", "chips/none.yaml"]
        with open(f"{d}/sweeps/s.yaml", "w") as f:
            yaml.safe_dump({"run": f"{ROOT}/configs/runs/digits_mlp_q8_mesh45.yaml", "mode": "zip",
                            "axes": {"chip.file": chips, "input.limit": [1, 1, 1]}}, f)
        code, _, _ = spikeloom("sweep", "../sweeps/s.yaml", "-o", f"{d}/o", "-q", cwd=f"{d}/elsewhere")
        rows = list(csv.DictReader(open(f"{d}/o/results.csv")))
        assert code == 1 and [r["status"] for r in rows] == ["ok", "ok", "failed"], rows
        assert [r["chip.file"] for r in rows] == chips and "sweeps/chips/none.yaml" in rows[2]["error"]
        assert [stats(f"{d}/o/{r['result']}")["chip"] for r in rows[:2]] == ["mesh45", "little"]


def table_of_chips():
    with scratch() as d:
        p = subprocess.run([f"{ROOT}/scripts/chips-table", d], capture_output=True, text=True, check=False,
                           env={**os.environ, "SPIKELOOM": PROGRAM})
        assert p.returncode == 0, p.stderr
        page = open(f"{ROOT}/docs/reference/chips-compared.md").read()
        for line in p.stdout.splitlines():
            assert line in page, f"the docs' table differs: {line}"
        assert len(p.stdout.splitlines()) == 9


def area_in_the_reports():
    with scratch() as d:
        for chip in ("mesh45", "hybrid", "cim_sram_digital", "loihi"):
            text, _ = run(f"{ROOT}/configs/runs/digits_mlp_q8_mesh45.yaml", f"{d}/{chip}", "--set", "input.limit=1",
                          "--set", f"chip.file={ROOT}/configs/chips/{chip}.yaml")
            area = stats(f"{d}/{chip}")["area"]
            if chip == "loihi":
                assert area["total_mm2"] is None and "no area figures" in area["not_included"][0]
                assert "area      none" in text
                continue
            leaves = [p for k in area["kinds"].values() for p in k["components"].values()] + list(area["network"].values())
            assert area["network"]["routers"]["mm2"] > 0 and "routers" not in area["not_included"]
            assert abs(sum(p["mm2"] for p in leaves) / area["total_mm2"] - 1) < 1e-12
            assert all(p["source"] and p["grade"] for p in leaves)
            assert area["not_included"] and f"area      {area['total_mm2']:.3g} mm2" in text


if __name__ == "__main__":
    main([one_point_of_the_device_sweep, files_of_a_sweep_are_seen_from_its_folder, table_of_chips, area_in_the_reports])
