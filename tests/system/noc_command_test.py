# SPDX-License-Identifier: Apache-2.0
"""`spikeloom noc` as a user meets it: patterns, injection, traces and packets of a run, sweeps, reports and files."""
import csv
import json
import math
import os
import re
import statistics

from support import ROOT, main, run, scratch, spikeloom

EXAMPLE = """noc:     {topology: mesh, size: [8, 8], routing: xy, link_latency: 1,
          router: {pipeline: P2, vcs: 4, buffer: 8, vc_allocator: separable_input_first, switch_allocator: separable_input_first, arbiter: round_robin}}
traffic: {pattern: uniform, rate: 0.2, packet_size: 1, injection: bernoulli, self: true}
measure: {sample: 10000, seeds: [1, 2, 3, 4, 5, 6, 7, 8]}
"""
RUN = f"{ROOT}/configs/runs/digits_mlp_q8_mesh45.yaml"


def write(path, text):
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    return path


def noc(file, *args, expect=0):
    code, out, err = spikeloom("noc", file, "-q", *args)
    assert code == expect, f"exit code {code}, expected {expect}: {err}"
    return out


def report(file, *args):
    return json.loads(noc(file, "--json", *args))


def rows(path):
    with open(path, encoding="utf-8") as f:
        return list(csv.DictReader(f))


def small(d, traffic, noc_keys="topology: mesh, size: [4, 4]", measure="sample: 2000, warmup: 1, max_warmup: 1, samples: 2"):
    return write(f"{d}/{abs(hash((traffic, noc_keys))) % 10**8}.yaml", f"noc: {{{noc_keys}}}\ntraffic: {{{traffic}}}\nmeasure: {{{measure}}}\n")


def example_of_the_manual():
    with scratch() as d:
        file = write(f"{d}/noc.yaml", EXAMPLE)
        j = report(file, "--set", "measure.sample=1000", "--threads", "2")
        for key in ("mean", "p50", "p95", "p99", "max"):
            assert j["latency"]["packet"][key] >= j["latency"]["packet"]["p50" if key != "mean" else "min"], key
        assert 19 < j["latency"]["zero_load"] < j["latency"]["network"]["mean"] <= j["latency"]["packet"]["mean"] < 23
        assert abs(j["accepted_flit_rate"] - 0.2) < 0.005 and abs(j["hops"]["mean"] - 5.25) < 0.05
        assert j["stable"] is True and j["cycles"] > 8 * 4000 and j["flit_hops"] > 0
        assert [s["seed"] for s in j["seeds"]] == list(range(1, 9))
        text = noc(file, "--set", "measure.sample=1000")
        for word in ("packet, with source queue", "accepted", "hops", "energy", "busiest link of each router"):
            assert word in text, word
        # the same section in a chip file
        section = EXAMPLE[:EXAMPLE.index("traffic:")].rstrip()
        write(f"{d}/chip.yaml", f"base: {ROOT}/configs/chips/mesh45.yaml\nenergy: {{file: {ROOT}/configs/energy/mesh45.yaml}}\n{section}\n")
        write(f"{d}/run.yaml", re.sub(r"\.\./\.\./tests", f"{ROOT}/tests", re.sub(r"file: \.\./chips/mesh45\.yaml", "file: chip.yaml", open(RUN, encoding="utf-8").read())))
        run(f"{d}/run.yaml", f"{d}/out", "--set", "input.limit=2")
        assert "size: [8, 8]" in open(f"{d}/out/config.resolved.yaml", encoding="utf-8").read()
        code, out, err = spikeloom("validate", file)
        assert code == 0 and "valid (noc file)" in out, err
        schema = json.loads(spikeloom("schema", "noc")[1])
        assert {"noc", "traffic", "measure", "energy"} <= set(schema["properties"]), schema.keys()


def files_and_reproducibility():
    with scratch() as d:
        file = write(f"{d}/noc.yaml", EXAMPLE)
        less = ["--set", "measure.sample=300", "--set", "measure.seeds=[5, 6, 7]"]
        noc(file, "-o", f"{d}/a", *less)
        assert sorted(os.listdir(d)) == ["a", "noc.yaml"], os.listdir(d)
        assert sorted(os.listdir(f"{d}/a")) == ["config.resolved.yaml", "energy.yaml", "heatmap.svg", "latency.csv", "links.csv", "manifest.json",
                                                "nodes.csv", "routers.csv", "stats.json", "summary.txt"]
        stats = open(f"{d}/a/stats.json", "rb").read()
        noc(file, "-o", f"{d}/b", "--threads", "3", *less)
        noc(f"{d}/a/config.resolved.yaml", "-o", f"{d}/c")
        noc(f"{d}/c/config.resolved.yaml", "-o", f"{d}/a")          # replaces an older result
        for other in "abc":
            for name in sorted(set(os.listdir(f"{d}/a")) - {"manifest.json"}):      # tells what was typed
                assert open(f"{d}/{other}/{name}", "rb").read() == open(f"{d}/b/{name}", "rb").read(), (other, name)
        assert open(f"{d}/b/stats.json", "rb").read() == stats
        j = json.loads(stats)
        nodes = rows(f"{d}/a/nodes.csv")
        assert len(nodes) == 65 and int(nodes[64]["flits"]) == 0    # the host port
        rate = statistics.fmean(float(n["flits_per_cycle"]) for n in nodes[:64])
        assert abs(rate - j["accepted_flit_rate"]) < 1e-5, (rate, j["accepted_flit_rate"])
        links = [r for r in rows(f"{d}/a/links.csv") if r["to"] != "core"]
        assert len(links) == 4 * 8 * 7
        first = json.loads(noc(file, "--json", *less, "--seed", "5"))
        assert sum(int(r["flits"]) for r in links) == first["flit_hops"]  # of the first seed
        assert max(float(r["flits_per_cycle"]) for r in links) <= 1
        assert len(rows(f"{d}/a/routers.csv")) == 64
        assert sum(int(r["packets"]) for r in rows(f"{d}/a/latency.csv")) == j["packets_measured"]
        svg = open(f"{d}/a/heatmap.svg", encoding="utf-8").read()
        assert svg.startswith("<svg") and svg.count("<rect x=") == 64 and svg.rstrip().endswith("</svg>")


def hops(pattern, k=4):
    """Mean links of a pattern on a k x k mesh whose nodes all send, by its definition."""
    n, bits = k * k, int(math.log2(k * k))
    to = {"transpose": lambda i: i % k * k + i // k,
          "bit_complement": lambda i: n - 1 - i,
          "bit_reverse": lambda i: int(f"{i:0{bits}b}"[::-1], 2),
          "shuffle": lambda i: (2 * i) % n + (2 * i) // n,
          "tornado": lambda i: (i % k + (k + 1) // 2 - 1) % k + (i // k + (k + 1) // 2 - 1) % k * k,
          "neighbour": lambda i: (i % k + 1) % k + (i // k + 1) % k * k}[pattern]
    return statistics.fmean(abs(i % k - to(i) % k) + abs(i // k - to(i) // k) for i in range(n))


def patterns():
    with scratch() as d:
        for p in ("transpose", "bit_complement", "bit_reverse", "shuffle", "tornado", "neighbour"):
            j = report(small(d, f"pattern: {p}, rate: 0.1"))
            assert abs(j["hops"]["mean"] - hops(p)) < 0.08, (p, j["hops"], hops(p))
            assert abs(j["offered_flit_rate"] - 0.1) < 0.005 and j["conservation"]["dropped"] == 0, p
        # hotspots with weights: 3 of 4 hot packets to node 5, half of all are background
        noc(small(d, "pattern: hotspot, hotspots: [[5, 3], [10, 1]], background: 0.5, rate: 0.02"), "-o", f"{d}/hot")
        flits = [int(r["flits"]) for r in rows(f"{d}/hot/nodes.csv")]
        share = [f / sum(flits) for f in flits]
        assert abs(share[5] - 0.375 - 0.5 / 16) < 0.04 and abs(share[10] - 0.125 - 0.5 / 16) < 0.04, share
        assert all(0.01 < s < 0.06 for i, s in enumerate(share[:16]) if i not in (5, 10)), share
        # asymmetric lists: node 0 sends at the rate, node 3 at half of it, the others nothing
        noc(small(d, "pattern: pairs, pairs: [[0, 1, 1], [0, 2, 3], [3, 4, 2]], rate: 0.5"), "-o", f"{d}/pairs")
        got = {r["node"]: float(r["flits_per_cycle"]) for r in rows(f"{d}/pairs/nodes.csv") if r["flits"] != "0"}
        assert set(got) == {"1", "2", "4"}, got
        assert abs(got["1"] - 0.125) < 0.02 and abs(got["2"] - 0.375) < 0.03 and abs(got["4"] - 0.25) < 0.03, got
        # a distribution of fan-outs, and layers
        j = report(small(d, "pattern: fan_out, fan_outs: [[1, 1], [5, 1]], rate: 0.02, seed: 3"))
        assert j["multicast"]["sets"] == 16
        fan = j["conservation"]["expected"] / j["counters"]["noc.packets"]
        assert 1.5 < fan < 4.5, fan
        j = report(small(d, "pattern: layers, layers: [4, 6, 2], rate: 0.02", "topology: mesh, size: [4, 4], multicast: {style: tree}"))
        assert j["multicast"]["sets"] == 10 and j["multicast"]["gain"] > 1.3, j["multicast"]
        # a mix of lengths: mean 2.5 flits; classes that share the channels
        j = report(small(d, "packet_sizes: [[1, 1], [4, 1]], classes: [1, 3], rate: 0.2", "topology: mesh, size: [4, 4], router: {vcs: 4, classes: 2}"))
        assert abs(j["counters"]["noc.ni_in"] / j["counters"]["noc.packets"] - 2.5) < 0.05
        assert abs(j["offered_flit_rate"] - 0.2) < 0.01


def injection():
    with scratch() as d:
        p99 = {}
        for i in ("bernoulli", "periodic", "on_off", "timestep", "spatial"):
            j = report(small(d, f"rate: 0.08, injection: {i}, on: 40, duty: 0.1, period: 500, radius: 1", measure="sample: 20000, warmup: 1, max_warmup: 1"))
            assert abs(j["offered_flit_rate"] - 0.08) < 0.006, (i, j["offered_flit_rate"])
            p99[i] = j["latency"]["packet"]["p99"]
        assert p99["periodic"] <= p99["bernoulli"] <= p99["on_off"] < p99["timestep"] < p99["spatial"], p99


def traces():
    with scratch() as d:
        write(f"{d}/t.csv", "# a comment\ncycle,source,destination,flits\n500,3,0,2\n0,0,15,1\n20,1,2;3;16,1\n")
        j = report(small(d, "pattern: trace, file: t.csv", "topology: mesh, size: [4, 4], multicast: {style: tree}"), "--threads", "4")
        assert j["counters"]["noc.packets"] == 3 and j["conservation"] == {
            "expected": 5, "delivered": 5, "dropped": 0, "in_flight_deliveries": 0, "in_flight_flits": 0, "in_source_queues": 0}
        assert j["latency"]["packet"]["max"] == 3 * 7 + 2 and j["cycles"] > 500      # 6 links, P2
        noc(small(d, "pattern: trace, file: t.csv"), "-o", f"{d}/out")
        again = report(f"{d}/out/config.resolved.yaml")
        assert again == json.load(open(f"{d}/out/stats.json", encoding="utf-8"))


def packets_of_a_run():
    with scratch() as d:
        more = ["--set", "record=[packets]", "--set", "input.limit=5"]
        run(RUN, f"{d}/one", *more)
        for name, args in (("three", ["--threads", "3"]), ("shuffled", ["--shuffle", "7"]), ("plain", ["--engine", "plain"])):
            run(RUN, f"{d}/{name}", *more, *args)
            assert open(f"{d}/{name}/packets.csv", "rb").read() == open(f"{d}/one/packets.csv", "rb").read(), name
            assert sorted(os.listdir(f"{d}/{name}")) == sorted(os.listdir(f"{d}/one"))
        assert not os.path.exists(f"{d}/one/spikes.h5")
        stats = json.load(open(f"{d}/one/stats.json", encoding="utf-8"))
        sent = rows(f"{d}/one/packets.csv")
        assert len(sent) == stats["noc"]["packets"] > 1000
        assert sum(r["source"] == "16" for r in sent) == stats["noc"]["packets"] - sum(r["source"] != "16" for r in sent) > 0  # host
        cycles = [int(r["cycle"]) for r in sent]
        assert cycles == sorted(cycles) and cycles[-1] < stats["cycles"]["total"]
        # the network alone does with them what it did below the cores
        write(f"{d}/replay.yaml", "noc: {topology: mesh, size: [4, 4]}\ntraffic: {pattern: trace, file: one/packets.csv}\n")
        config = open(f"{d}/one/config.resolved.yaml", encoding="utf-8").read()
        assert "size: [4, 4]" in config and "pipeline: P2" in config
        counters = report(f"{d}/replay.yaml")["counters"]
        for key in ("packets", "packets_delivered", "ni_in", "ni_out", "buffer_writes", "link_x", "link_y", "crossbar", "vc_grants"):
            assert counters[f"noc.{key}"] == stats["noc"][key], key


def sweep():
    with scratch() as d:
        file = write(f"{d}/noc.yaml", "noc: {size: [4, 4], router: {vcs: 1, buffer: 4}}\nmeasure: {sample: 1000, seeds: [1, 2]}\n")
        code, out, err = spikeloom("noc", file, "--sweep-load", "-o", f"{d}/a", "--threads", "2")
        assert code == 0 and "stable up to" in out and "rate 0.0100: accepted" in err, err
        j = json.load(open(f"{d}/a/stats.json", encoding="utf-8"))
        curve = j["curve"]
        stable = [p for p in curve if p["stable"]]
        assert [p["rate"] for p in curve] == sorted(p["rate"] for p in curve) and curve[0]["rate"] == 0.01
        assert j["saturation_rate"] == stable[-1]["rate"] and 0.3 < j["saturation_rate"] < 0.8
        worst = min(p["rate"] for p in curve if not p["stable"])
        assert worst - j["saturation_rate"] <= 0.01 * worst + 1e-12
        latency = [p["packet_mean"] for p in stable]
        assert all(b > a - 0.3 for a, b in zip(latency, latency[1:])), latency
        assert abs(latency[0] - j["zero_load"]) < 0.5 and j["knee_2x"] <= j["knee_3x"] <= j["saturation_rate"]
        assert [float(r["rate"]) for r in rows(f"{d}/a/curve.csv")] == [p["rate"] for p in curve]
        noc(f"{d}/a/config.resolved.yaml", "--sweep-load", "-o", f"{d}/b")
        assert open(f"{d}/b/stats.json", "rb").read() == open(f"{d}/a/stats.json", "rb").read()
        # a network that is never stable ends too: everything into one node, packets above the limit
        never = report(small(d, "pattern: all_to_one", measure="sample: 200, samples: 1, warmup: 0, max_warmup: 0, drain: 0"), "--sweep-load")
        assert never["saturation_rate"] < 0.07, never["saturation_rate"]


if __name__ == "__main__":
    main([example_of_the_manual, files_and_reproducibility, patterns, injection, traces, packets_of_a_run, sweep])
