# SPDX-License-Identifier: Apache-2.0
"""Chips with several kinds of cores: two near-memory kinds that differ in size, speed, number formats and prices."""
import os

import yaml

from golden_test import compare
from support import ROOT, main, run, scratch, spikeloom, stats

RUNS = os.path.join(ROOT, "configs", "runs")
HYBRID = f"""base: {ROOT}/configs/chips/mesh45.yaml
name: big.little
energy: {{file: {ROOT}/configs/energy/mesh45.yaml}}
cores:
  - name: little
    columns: [0, 2]
    soma: {{max_neurons: 600, lanes: 1, decay_bits: 12, state_bits: 36}}
    axon_in: {{payload_bits: 0}}
    energy:
      actions: {{synapse.word_reads: {{value: 5 pJ, category: memory, source: assumed}}}}
      leakage: {{core: {{value: 0.25 mW, source: assumed}}}}
  - name: big
"""


def hybrid(d, text=HYBRID):
    with open(f"{d}/chip.yaml", "w") as f:
        f.write(text)
    run_file = yaml.safe_load(open(f"{RUNS}/digits_conv_q8_mesh45.yaml"))
    for key in ("network", "input"):
        run_file[key]["file"] = os.path.normpath(os.path.join(RUNS, run_file[key]["file"]))
    run_file["chip"] = {"file": "chip.yaml"}
    with open(f"{d}/run.yaml", "w") as f:
        yaml.safe_dump(run_file, f)
    return f"{d}/run.yaml"


def chosen(*pairs):
    return [a for layer, kind in pairs for a in ("--set", f"map.kinds.{layer}={kind}")]


def golden_on_any_choice_of_kinds():
    for kinds in ("big big big", "little big big", "big little little", "little little little"):
        with scratch() as d:
            file = hybrid(d)
            run(file, d + "/o", *chosen(*zip(("lif1", "lif2", "lif3"), kinds.split())))
            compare(d + "/o", "digits_conv_q8")
            s = stats(d + "/o")
            assert [l.get("cores") for l in s["layers"] if l["kind"] != "Input"] == kinds.split()
            first = kinds.split()[0]
            assert (s["ops"]["offchip_mac"] > 0) == (first == "little")   # no payload: the host computes the currents
            assert s["kinds"]["little"]["cores_total"] == s["kinds"]["big"]["cores_total"] == 8
            for kind in ("big", "little"):
                cores = [c for c in s["cores"] if c["kind"] == kind]
                assert len(cores) == s["kinds"][kind]["cores_used"]
                assert all((c["endpoint"] % 2 == 0) == (kind == "little") for c in cores)
            used = {k: s["kinds"][k]["cores_used"] for k in s["kinds"]}
            assert used["little"] == (2 if first == "little" else 0) + kinds.split()[1:].count("little"), used


def energy_and_leakage_by_kind():
    with scratch() as d:
        file = hybrid(d)
        run(file, d + "/o", *chosen(("lif1", "big"), ("lif2", "little"), ("lif3", "big")))
        s = stats(d + "/o")
        words = {c["endpoint"]: c["counters"]["synapse"]["word_reads"] for c in s["cores"]}
        e = yaml.safe_load(open(d + "/o/energy.yaml"))
        little = sum(n for k, n in words.items() if k % 2 == 0)
        assert e["little.synapse"]["events"]["synapse.word_reads"]["count"] == little > 0
        assert abs(float(e["little.synapse"]["energy"].split()[0]) - 5 * little) < 1e-6 * little
        assert e["big.synapse"]["events"]["synapse.word_reads"]["count"] == sum(words.values()) - little
        seconds = s["time"]["simulated_s"]
        want = 8 * (0.25e-3 + 1e-3) * seconds * 1e12
        assert abs(s["energy"]["leakage"]["core_pj"] / want - 1) < 1e-9
        assert abs(s["kinds"]["little"]["energy"]["leakage_pj"] / (8 * 0.25e-3 * seconds * 1e12) - 1) < 1e-9
        total = sum(s["energy"][c + "_pj"] for c in ("compute", "memory", "noc", "control", "leakage"))
        assert abs(total / s["energy"]["total_pj"] - 1) < 1e-12
        by_step = sum(t["energy"]["total_pj"] for t in s["steps"])
        resets = 5.01 * sum(c["counters"]["soma"]["state_resets"] for c in s["cores"])    # between samples
        assert abs((by_step + resets) / s["energy"]["dynamic_pj"] - 1) < 1e-9, (by_step, resets, s["energy"])


def the_resolved_file_gives_the_same_bytes():
    with scratch() as d:
        file = hybrid(d)
        run(file, d + "/a", *chosen(("lif2", "little")), "--set", "input.limit=20")
        run(d + "/a/config.resolved.yaml", d + "/b")
        run(file, d + "/c", *chosen(("lif2", "little")), "--set", "input.limit=20", "--threads", "2", "--shuffle", "7")
        for other in "bc":
            for name in ("stats.json", "predictions.csv", "energy.yaml", "config.resolved.yaml"):
                assert open(f"{d}/a/{name}").read() == open(f"{d}/{other}/{name}").read(), (other, name)


def without_a_choice_the_cheaper_kind_is_taken():
    with scratch() as d:
        file = hybrid(d)
        code, out, err = spikeloom("map", file)
        assert code == 0, err
        line = next(l for l in out.splitlines() if l.startswith("  lif2 "))
        assert "* little" in line or "*little" in line.replace("* ", "*"), line     # 5 pJ per word against 26.6 pJ
        values = {w: float(v) for w, v in zip(line.replace("*", "").split()[1::2], line.replace("*", "").split()[2::2])}
        assert values["little"] < values["big"]
        code, out, err = spikeloom("map", file, "--set", "chip.cores.0.energy.actions.\"synapse.word_reads\".value=500 pJ")
        line = next(l for l in out.splitlines() if l.startswith("  lif2 "))
        assert "*big" in line.replace("* ", "*"), line
        # the estimate of a layer against the simulation, with the rate that the layer before really has
        run(file, d + "/o", *chosen(("lif1", "big"), ("lif2", "big"), ("lif3", "big")))
        s = stats(d + "/o")
        rate = s["layers"][1]["rate"]
        code, out, err = spikeloom("map", file, "--set", f"map.rate={rate}")
        line = next(l for l in out.splitlines() if l.startswith("  lif2 ")).replace("*", "").split()
        estimate = float(line[line.index("big") + 1]) * 1e3
        lif2 = next(l for l in s["layers"] if l["name"] == "lif2")["energy"]
        real = (lif2["total_pj"] - lif2["noc_pj"]) / 360
        assert 0.8 < estimate / real < 1.25, (estimate, real)


def mistakes():
    cases = [
        (["map.kinds.lif2=litle"], 3, "map.kinds.lif2: unknown kind 'litle'; did you mean 'little'?"),
        (["map.kinds.lif5=little"], 3, "map.kinds.lif5: no such layer; did you mean 'lif"),
        (["chip.cores.0.columns=[4]"], 3, "chip.cores.0.columns.0: the chip has columns 0 to 3"),
        (["chip.cores.1.name=little"], 3, "chip.cores.1.name: 'little' is the name of another kind too"),
        (["chip.cores.1.kind=far_memory"], 3, "chip.cores.1.kind: unknown 'far_memory'; did you mean 'near_memory'?"),
        (["chip.cores.1.soma.lanse=2"], 3, "chip.cores.1.soma.lanse: unknown key; did you mean 'lanes'?"),
        (["chip.cores.0.energy.actions.\"dendrite.acc\"={value: 1 pJ, source: x}"], 3,
         "chip.cores.0.energy.actions.dendrite.acc: no such event; did you mean 'dendrite.ac'?"),
        (["chip.cores.0.soma.arithmetic=float64"], 3, "chip.cores.1.soma.arithmetic: all kinds of cores of a chip compute in the same arithmetic"),
        (["map.kinds.lif1=little", "chip.cores.0.soma.max_neurons=10"], 4, "cores (kind 'little')"),
        (["map.kinds.lif2=little", "chip.cores.0.synapse.memory=40 bits"], 4, "synapse memory of a core (bits) (kind 'little')"),
    ]
    for sets, want, message in cases:
        with scratch() as d:
            file = hybrid(d)
            code, _, err = spikeloom("run", file, "-o", d + "/o", "-q", *[a for s in sets for a in ("--set", s)])
            assert code == want and message in err, (sets, code, err)
            assert not os.path.exists(d + "/o")
    with scratch() as d:
        file = hybrid(d, HYBRID.replace("columns: [0, 2]", "columns: [0, 9]"))
        code, _, err = spikeloom("validate", d + "/chip.yaml")
        assert code == 3 and "chip.yaml:6:18: cores.0.columns.1: the chip has columns 0 to 3" in err, err
        code, _, err = spikeloom("run", f"{RUNS}/digits_conv_q8_mesh45.yaml", "-o", d + "/o", "--set", "map.kinds.lif1=near")
        assert code == 3 and "map.kinds.lif1: the chip's cores are all alike" in err, err


if __name__ == "__main__":
    main([golden_on_any_choice_of_kinds, energy_and_leakage_by_kind, the_resolved_file_gives_the_same_bytes,
          without_a_choice_the_cheaper_kind_is_taken, mistakes])
