# SPDX-License-Identifier: Apache-2.0
"""What is not defined is not 0; nothing grows with timesteps in which nothing happens; names and order are not data."""
import csv
import json
import os

import yaml
from support import PROGRAM, ROOT, main, np, run, scratch, spikeloom, stats
from losses_test import case, chain
from nir_writer import lif, write_nir

# endings of keys of reports whose value is a quotient or a figure of packets or samples
QUOTIENTS = ("accuracy", "rate", "ratio", "mean", "per_sample_pj", "per_sample_s", "per_sample_mean", "per_delivery", "per_delivery_pj",
             "per_flit_hop_pj", "flit_hops_per_delivery", "utilisation", "utilisation_mean", "p50", "p95", "p99", "min", "max",
             "largest_error", "mean_error", "std_of_seeds", "packet_mean", "network_mean", "hops_mean", "zero_load", "gain",
             "share_of_dynamic", "per_sample_min", "per_sample_max", "knee_2x", "knee_3x", "saturation_rate",
             "accepted_min_node", "accepted_max_node", "mean_flits_buffered", "link_utilisation_max", "utilisation_max", "percent",
             "effect_percent")


def figures(j, path=""):
    if isinstance(j, dict):
        for k, v in j.items():
            yield from figures(v, f"{path}.{k}" if path else k)
    elif isinstance(j, list):
        for i, v in enumerate(j):
            yield from figures(v, f"{path}[{i}]")
    else:
        yield path, j


def quotients_of_zeros(j, defined=()):
    return [p for p, v in figures(j) if v == 0 and v is not None and p.rsplit(".", 1)[-1] in QUOTIENTS and p not in defined]


def noc(file, *args):
    code, out, err = spikeloom("noc", file, "-q", *args)
    assert code == 0, err
    return out


def networks_without_a_packet():
    with scratch() as d:
        with open(f"{d}/trace.csv", "w", encoding="utf-8") as f:
            f.write("cycle,source,destination\n")
        with open(f"{d}/noc.yaml", "w", encoding="utf-8") as f:
            f.write("noc: {topology: mesh, size: [4, 4]}\ntraffic: {pattern: trace, file: trace.csv}\n")
        with open(f"{d}/full.yaml", "w", encoding="utf-8") as f:    # saturated: not one measured packet arrives
            f.write("noc: {topology: torus, size: [10, 10], routing: xy, router: {vcs: 3, buffer: 8}}\n"
                    "traffic: {pattern: uniform, rate: 1.0, packet_size: 5}\nmeasure: {sample: 100, seeds: [1]}\n")
        j = json.loads(noc(f"{d}/noc.yaml", "--json"))
        # no flit crossed a link in the one cycle that passed: 0 of 1 is defined
        left = [p for p in quotients_of_zeros(j) if "utilisation" not in p and "buffered" not in p]
        assert left == [], left
        for file in ("noc", "full"):
            j = json.loads(noc(f"{d}/{file}.yaml", "--json"))
            assert all(v is None for v in j["latency"]["packet"].values()) and j["latency"]["zero_load"] is None, j["latency"]
            text = noc(f"{d}/{file}.yaml", "-o", f"{d}/o")
            assert "none, no packet arrived" in text and "0.00 ps" not in text, text
            code, _, err = spikeloom("noc", f"{d}/{file}.yaml", "-q", "--fail-if", "latency.packet.p99 > 60")
            assert code == 1 and "not defined" in err, err
        code, _, err = spikeloom("noc", f"{d}/noc.yaml", "-q", "--fail-if", "latency.packet.p99 > 60", "--fail-if", "cycles > 1e9")
        assert code == 1 and err.count("check failed") == 1, err


def a_knee_that_does_not_exist():
    with scratch() as d:
        with open(f"{d}/noc.yaml", "w", encoding="utf-8") as f:
            f.write("noc: {topology: mesh, size: [4, 4]}\ntraffic: {pattern: uniform, rate: 0.1, packet_size: 1}\n"
                    "measure: {sample: 200, warmup: 1, max_warmup: 1, samples: 1, latency_limit: 1, seeds: [1]}\n")
        code, out, err = spikeloom("noc", f"{d}/noc.yaml", "-q", "--sweep-load", "--json")
        assert code == 0, err
        j = json.loads(out)
        assert j["saturation_rate"] is None and j["knee_2x"] is None and j["knee_3x"] is None, {k: j[k] for k in j if k != "curve"}
        text = spikeloom("noc", f"{d}/noc.yaml", "-q", "--sweep-load", "-o", f"{d}/o")[1]
        assert "stable up to none" in text, text
        assert spikeloom("noc", f"{d}/noc.yaml", "-q", "--sweep-load", "--fail-if", "knee_2x < 0.1")[0] == 1
        with open(f"{d}/o/curve.csv", encoding="utf-8") as f:
            for row in csv.DictReader(f):
                assert row["packet_mean"] != "0", row


def runs_that_do_nothing():
    with scratch() as d:
        for chip in ("mesh45", "loihi"):
            file = case(d, [np.eye(2)], [1.0], np.zeros((3, 2, 2)), chip=chip)
            run(file, f"{d}/o")
            s = stats(f"{d}/o")
            # no neuron fired in 12 chances: a rate of 0 is defined
            left = [p for p in quotients_of_zeros(s) if not p.endswith(".rate") and "lost." not in p]
            assert left == [] and s["accuracy"] is None and s["estimate"]["ratio"] is None, left
            assert s["undecided"] == 2
            for name in ("layers.csv", "predictions.csv"):
                assert "null" not in open(f"{d}/o/{name}", encoding="utf-8").read(), name
            assert "null" not in open(f"{d}/o/stats.txt", encoding="utf-8").read()
            code, _, err = spikeloom("run", file, "-q", "-o", f"{d}/c", "--fail-if", "accuracy < 0.5")
            assert code == 1 and "accuracy" in err and "not defined" in err, err
            assert spikeloom("run", file, "-q", "-o", f"{d}/c", "--fail-if", "accuracy >= 0")[0] == 1


def parts_without_a_price():
    """A component of whose events none has a price has no energy."""
    with scratch() as d:
        file = case(d, [np.eye(2) * 2], [1.0], np.ones((3, 1, 2)))
        run(file, f"{d}/o")
        priced = {k: v["energy_pj"] for k, v in stats(f"{d}/o")["components"].items()}
        free = {k.split(".")[0] for k, v in stats(f"{d}/o")["unpriced"].items() if v["count"]}
        for name, pj in priced.items():
            assert pj is None or pj > 0, (name, pj)
        assert all(name in priced for name in free), (free, priced)


def sparse(d, steps, events=((0, 0), (7, 1))):
    chain(f"{d}/net.nir", [2, 2], [np.eye(2) * 2], [1.0])
    x = {"network": {"file": "net.nir"}, "profile": {"preset": "nir-euler", "dt": "1 ms"},
         "input": {"file": "x.npz", "array": "x", "encoding": "spikes"}, "chip": {"file": f"{ROOT}/configs/chips/mesh45.yaml"}, "record": []}
    data = np.zeros((steps, 1, 2), dtype=np.uint8)
    for t, n in events:
        data[t, 0, n] = 1
    data[steps - 1, 0, 0] = 1
    np.savez(f"{d}/x.npz", x=data)
    with open(f"{d}/run.yaml", "w", encoding="utf-8") as f:
        yaml.safe_dump(x, f)
    return f"{d}/run.yaml"


def peak_kib(*args):
    pid = os.fork()
    if pid == 0:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 1)
        os.dup2(null, 2)
        os.execv(PROGRAM, [PROGRAM, *map(str, args)])
    _, status, usage = os.wait4(pid, 0)
    assert status == 0, status
    return usage.ru_maxrss


def nothing_grows_with_quiet_timesteps():
    with scratch() as d:
        sizes = {}
        for steps in (1000, 100000):
            file = sparse(d, steps)
            kib = peak_kib("run", file, "-q", "-o", f"{d}/o")
            sizes[steps] = (kib, os.path.getsize(f"{d}/o/stats.json"), os.path.getsize(f"{d}/o/stats.txt"))
            s = stats(f"{d}/o")
            quiet = [r for r in s["steps"] if r["timestep"] is None]
            assert len(quiet) == 1 and len(s["steps"]) < 12 and quiet[0]["times"] + len(s["steps"]) - 1 == s["chip_timesteps"] == steps + 1
            assert sum(r["cycles"] for r in s["steps"]) + s["cycles"]["reset"] == s["cycles"]["total"]
            for key in ("spikes", "ac", "packets"):
                assert quiet[0][key] == 0
        assert sizes[100000][0] < 100 * 1024 and sizes[100000][0] - sizes[1000][0] < 16 * 1024, sizes
        assert sizes[100000][1] < 100e3 and sizes[100000][2] < 100e3, sizes
        # on request, and added up the same
        file = sparse(d, 200)
        run(file, f"{d}/few")
        run(file, f"{d}/all", "--set", "record=[timesteps]")
        few, every = stats(f"{d}/few")["steps"], stats(f"{d}/all")["steps"]
        assert [r["timestep"] for r in every] == list(range(201))
        for key in ("cycles", "spikes", "ac", "packets"):
            assert sum(r[key] for r in few) == sum(r[key] for r in every), key
        assert {json.dumps(r) for r in few if r["timestep"] is not None} <= {json.dumps(r) for r in every}


def layers(d, names, path, order=1):
    """Twelve layers in a chain with a skip, named as given."""
    rng = np.random.default_rng(3)
    nodes, edges, last = {}, [], "input"
    made = [("input", {"type": "Input", "shape": np.array([24])})]
    for i, name in enumerate(names):
        w = rng.normal(0, 0.5, (24, 24))
        made += [(f"w{name}", {"type": "Linear", "weight": w}), (name, lif((24,), 2e-3, 1.0, 0.4))]
        edges += [(last, f"w{name}"), (f"w{name}", name)]
        if i == 4:
            edges.append((names[1], f"w{name}"))
        if i == 6:    # a loop
            made.append((f"r{name}", {"type": "Linear", "weight": rng.normal(0, 0.2, (24, 24))}))
            edges += [(name, f"r{name}"), (f"r{name}", name)]
        last = name
    made.append(("output", {"type": "Output", "shape": np.array([24])}))
    edges.append((last, "output"))
    for name, node in made[::order]:
        nodes[name] = node
    write_nir(path, nodes, edges[::order])


def names_and_order_are_not_data():
    with scratch() as d:
        np.savez(f"{d}/x.npz", x=(np.random.default_rng(0).random((6, 2, 24)) < 0.5).astype(np.uint8))
        spec = {"network": {"file": "net.nir"}, "profile": {"preset": "nir-euler", "dt": "1 ms"},
                "input": {"file": "x.npz", "array": "x", "encoding": "spikes"},
                "chip": {"file": f"{ROOT}/configs/chips/mesh45.yaml", "core": {"soma": {"max_neurons": 24}}, "noc": {"size": [6, 6]}}, "record": []}
        with open(f"{d}/run.yaml", "w", encoding="utf-8") as f:
            yaml.safe_dump(spec, f)
        seen = []
        named = {"odd": [str(2 * i + 1) for i in range(12)], "padded": [f"n{2 * i + 1:02d}" for i in range(12)],
                 "backwards": [f"z{12 - i:02d}" for i in range(12)], "long": [f"a_layer_with_a_long_name_{i}" for i in range(12)]}
        for names in named.values():
            for order in (1, -1):
                layers(d, names, f"{d}/net.nir", order)
                out, _ = run(f"{d}/run.yaml", f"{d}/o")
                s = stats(f"{d}/o")
                assert [x["name"] for x in s["layers"]] == ["input"] + names
                table = [line.split()[0] for line in out.splitlines() if line.split() and line.split()[0] in names]
                assert table == names, table
                _, mapped, _ = spikeloom("map", f"{d}/run.yaml")
                number = {f"{name}[24]": i for i, name in enumerate(names)}
                cores = [[number.get(w, w) for w in line.split()] for line in mapped.splitlines() if "[24]" in line]
                for x in s["layers"]:
                    del x["name"]
                seen.append((json.dumps(s), cores))
        for other in seen[1:]:
            assert other[1] == seen[0][1] and other[0] == seen[0][0]


if __name__ == "__main__":
    main([networks_without_a_packet, a_knee_that_does_not_exist, runs_that_do_nothing, parts_without_a_price,
          nothing_grows_with_quiet_timesteps, names_and_order_are_not_data])
