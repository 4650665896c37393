# SPDX-License-Identifier: Apache-2.0
"""The shipped fabrics with `spikeloom noc`: they run, nothing is lost, every event is priced or excused and the parts
of the energy are its whole; prices by file, by Accelergy's tables, and what is said of wrong ones."""
import glob
import json
import math
import os
import time

import yaml

from support import ROOT, main, scratch, spikeloom

NOC = f"{ROOT}/configs/noc"


def noc(file, *args, sets=()):
    code, out, err = spikeloom("noc", file, "--json", "-q", *args, *[x for s in sets for x in ("--set", s)])
    assert code == 0, err
    return json.loads(out)


def every_preset_runs():
    files = sorted(glob.glob(f"{NOC}/*.yaml"))
    assert len(files) >= 8
    for file in files:
        began = time.time()
        j = noc(file)
        assert time.time() - began < 30, file
        name = os.path.basename(file)
        assert j["stable"], name
        c = j["conservation"]
        assert c["expected"] == c["delivered"] + c["dropped"] + c["in_flight_deliveries"], name
        assert c["delivered"] > 1000 and c["dropped"] == 0, name
        e = j["energy"]
        assert sum(x["pj"] for x in e["events"].values()) == e["dynamic_pj"], name
        assert math.isclose(e["on_chip_pj"] + e["bridge_pj"], e["dynamic_pj"], rel_tol=1e-12, abs_tol=1e-9), name
        for x in e["events"].values():
            assert x["pj"] == x["count"] * x["price_pj"] and x["source"], name
            assert x["grade"] in ("measured", "simulated", "derived", "assumed"), name
        for event, x in e["unpriced"].items():
            assert x["reason"] and x["reason"] != "not in the price list", (name, event)
        counted = {k for k, n in j["counters"].items() if n and k in e["events"] or k in e["unpriced"]}
        assert counted >= set(e["events"]), name
        hops = sum(n for k, n in j["counters"].items() if k.startswith("noc.link_") and k not in
                   ("noc.link_x", "noc.link_y", "noc.link_z"))
        assert hops == j["flit_hops"], name
        assert sum(x["flits"] for x in j["links"].values()) <= hops, name  # of the first seed
        assert all(0 <= x["utilisation_mean"] <= x["utilisation_max"] <= 1 for x in j["links"].values()), name
        code, out, err = spikeloom("validate", file)
        assert code == 0 and "valid (noc file)" in out, err


def laws_at_the_command_line():
    """One pair of cores: time of a hop and energy of a packet, from the report."""
    def flow(file, a, b, *sets):
        j = noc(f"{NOC}/{file}", sets=("traffic.pattern=pairs", f"traffic.pairs=[[{a}, {b}]]", "traffic.injection=periodic",
                                       "measure.seeds=[1]", *sets))
        p = j["latency"]["packet"]
        assert p["min"] == p["max"] == p["mean"], "an empty network has one latency"
        return p["mean"] * j["cycle_ps"] / 1000, j
    near, _ = flow("loihi.yaml", 0, 1)
    east, j = flow("loihi.yaml", 0, 4)
    north, _ = flow("loihi.yaml", 0, 32)
    assert abs(east - near - 4.1) < 1e-6 and abs(north - near - 6.5) < 1e-6
    events = j["energy"]["events"]
    assert events["noc.link_x+"]["price_pj"] == 3.0 and "noc.link_x-" not in events
    _, j = flow("truenorth.yaml", 0, 3)
    x = j["energy"]["events"]["noc.link_x+"]
    assert abs(x["price_pj"] - 2.304) < 1e-12 and x["formula"] == "300 fJ/bit/mm * 32 bits * 240 um"
    _, j = flow("truenorth_4chips.yaml", 63, 64)
    crossings = j["chip_crossings"]
    assert crossings["pj"] == crossings["flits"] * 832 and crossings["per_delivery"] >= 1
    for bits, nj in ((40, 1.0), (72, 1.8)):
        _, j = flow("spinnaker.yaml", 0, 16, f"noc.flit_bits={bits} bits", "traffic.rate=0.001")
        assert j["energy"]["events"]["noc.buffer_reads"]["price_pj"] == 1000 * nj


def multicast_gain():
    """A tree needs fewer flit hops than repeated unicast, by the factor that the report gives."""
    sets = ("traffic.pattern=layers", "traffic.layers=[8, 16, 24, 16]", "traffic.rate=0.002", "measure.seeds=[1]")
    hops = {}
    for style in ("tree", "unicast"):
        j = noc(f"{NOC}/mesh8.yaml", sets=(*sets, f"noc.multicast.style={style}"))
        m = j["multicast"]
        assert m["copied_in_routers"] == (style == "tree") and m["gain"] > 2
        assert m["gain"] == m["flit_hops_as_unicast"] / m["flit_hops_as_trees"]
        hops[style] = m["flit_hops_per_delivery"]
    # every set is used alike: the run's own ratio is the gain
    assert abs(hops["unicast"] / hops["tree"] / m["gain"] - 1) < 0.05, (hops, m)


def prices_from_files():
    with scratch() as d:
        with open(f"{d}/ert.yaml", "w") as f:
            f.write("""ERT:
  version: '0.4'
  tables:
    - {name: 'chip.buffer[1..64]', actions: [{name: write, arguments: {}, energy: 0.5}, {name: read, arguments: {}, energy: 0.25}]}
    - {name: 'chip.link_x[1..112]', actions: [{name: transfer, arguments: {}, energy: 2.0}]}
    - {name: 'chip.link_y[1..112]', actions: [{name: transfer, arguments: {}, energy: 3.0}]}
    - {name: 'chip.xbar[1..64]', actions: [{name: move, arguments: {}, energy: 1.0}]}
    - {name: 'chip.router[1..64]', actions: [{name: leak, arguments: {}, energy: 0.125}]}
""")
        free = {f"noc.{e}": "not in the table" for e in ("packets", "ni_in", "ni_out", "vc_grants", "switch_grants", "local")}
        run = {"base": f"{NOC}/mesh8.yaml", "measure": {"seeds": [1]},
               "energy": {"ert": "ert.yaml", "map": {"xbar.move": "noc.crossbar"}, "unpriced": free}}
        with open(f"{d}/run.yaml", "w") as f:
            yaml.safe_dump(run, f)
        j = noc(f"{d}/run.yaml", "-o", f"{d}/o")
        c, e = j["counters"], j["energy"]
        assert e["dynamic_pj"] == (0.5 * c["noc.buffer_writes"] + 0.25 * c["noc.buffer_reads"] + 2 * c["noc.link_x"] +
                                   3 * c["noc.link_y"] + c["noc.crossbar"])
        assert e["leakage"]["router_pj"] == 0.125 * 64 * j["cycles"] == e["leakage_pj"]
        assert e["total_pj"] == e["dynamic_pj"] + e["leakage_pj"]
        y = yaml.safe_load(open(f"{d}/o/energy.yaml"))
        assert y["noc"]["events"]["noc.link_y+"]["source"] == "ert.yaml: chip.link_y[1..112], transfer"
        links = [row.split(",") for row in open(f"{d}/o/links.csv").read().splitlines()[1:]]
        assert sum(float(row[-1] or 0) for row in links) == 2 * c["noc.link_x"] + 3 * c["noc.link_y"]
        again = noc(f"{d}/o/config.resolved.yaml")
        assert again["energy"] == e

        def refused(change, *words, network=None):
            broken = json.loads(json.dumps(run))
            change(broken["energy"])
            broken["noc"] = network or {}
            with open(f"{d}/bad.yaml", "w") as f:
                yaml.safe_dump(broken, f)
            code, _, err = spikeloom("noc", f"{d}/bad.yaml", "-q")
            assert code in (3, 6), err
            for word in words:
                assert word in err, err
        refused(lambda e: e.update(map={}), f"{d}/ert.yaml:7:", "'xbar.move' is no event", "energy.map")
        refused(lambda e: e.update(map={"xbar.move": "noc.crosbar"}), f"{d}/bad.yaml:", "did you mean 'noc.crossbar'?")
        refused(lambda e: e["unpriced"].pop("noc.local"), f"{d}/bad.yaml:", "energy.actions.noc.local: missing")
        refused(lambda e: e.update(ert="no.yaml"), "no.yaml")
        refused(lambda e: e.update(actions={"noc.link_x": {"value": "2 pJ/bit/mm", "source": "x"}}),
                "noc.link_length: missing; energy.actions.noc.link_x is a price per mm", network={"link_length": 0})
        refused(lambda e: e.update(actions={"noc.link_x": {"value": "2 pJ/flit", "source": "x"}}),
                f"{d}/bad.yaml:", "energy.actions.noc.link_x.value", "a price is per event, '/bit' or '/bit/mm'")


if __name__ == "__main__":
    main([every_preset_runs, laws_at_the_command_line, multicast_gain, prices_from_files])
