# SPDX-License-Identifier: Apache-2.0
"""Networks as frameworks export them give the frameworks' spikes, with the preset that is named for what the
framework does (docs/how-to/from-pytorch-to-a-chip.md): recorded spikes of the frameworks themselves
(tests/golden/frameworks), and each preset against the framework's published update rule."""
import json
import os
import re
import subprocess

import h5py
import numpy as np
import yaml

from support import PROGRAM, ROOT, main, recorded, run, scratch, spikeloom
import framework_steps as steps
from nir_writer import write_nir

GOLDEN = os.path.join(ROOT, "tests", "golden", "frameworks")
PAGE = os.path.join(ROOT, "docs", "how-to", "from-pytorch-to-a-chip.md")

# case: its profile. Every profile but those named in ONLY_HERE stands in the page.
DEFAULTS = {"preset": "snntorch-defaults"}
CASES = {
    "snntorch_defaults": DEFAULTS,
    "snntorch_readme_dt": DEFAULTS,
    "snntorch_ties": DEFAULTS,
    "snntorch_conv": DEFAULTS,
    "snntorch_learnt": DEFAULTS,
    "snntorch_maxpool_as_threshold": DEFAULTS,
    "snntorch_beta1": DEFAULTS,
    "snntorch_none_readout": {"preset": "snntorch-defaults", "layers": {"3": {"reset": "none"}}},
    "snntorch_synaptic_zero_delay": {"preset": "snntorch-zero"},
    "norse_iaf": {"preset": "norse"},
    "spikingjelly_lif_vreset": {"preset": "spikingjelly"},
    "spikingjelly_plif": {"preset": "spikingjelly"},
    "spikingjelly_sew_resnet": {"preset": "spikingjelly"},
    "sinabs_lif_defaults": {"preset": "sinabs-defaults"},
    "sinabs_cnn": {"preset": "sinabs"},
    "sinabs_maxspike": {"preset": "sinabs-defaults", "max_spikes": 2},
    "rockpool_lif": {"preset": "rockpool"},
    "rockpool_lif_rewritten": {"preset": "nir-euler", "dt": "1 ms", "reset": "subtract", "multispike": True},
    "lava_cuba": {"preset": "lava", "dt": "100 us"},
    "if_value_reset_delay": {"preset": "nir-euler", "dt": "100 us", "reset_delay": True},
}
ONLY_HERE = ("rockpool_lif_rewritten", "if_value_reset_delay")

CORE = {"soma": {"arithmetic": "float64", "max_neurons": 4096}, "synapse": {"memory": "64 MiB"}, "axon_in": {"max_axons": 65536},
        "axon_out": {"max_fanout_entries": 65536}, "dendrite": {"max_delay": 32}}
FLOAT64 = {"file": f"{ROOT}/configs/chips/mesh45.yaml", "noc": {"size": [8, 8]}, "core": CORE}
LOIHI = {"file": f"{ROOT}/configs/chips/loihi.yaml", "core": {"synapse": {"weight_bits": 9}}}


def write_run(d, network, x, profile, chip=None, **more):
    with open(f"{d}/run.yaml", "w") as f:
        json.dump({"network": {"file": network}, "profile": profile, "chip": chip or FLOAT64, "record": ["spikes"],
                   "input": {"file": x, "encoding": "spikes", **({"array": "x"} if x.endswith("z") else {})}, **more}, f)
    return f"{d}/run.yaml"


def differing(directory, want):
    """{layer: (spikes that differ, spikes)}; want: {layer: [T, B, ...]}"""
    out = {}
    for layer, w in want.items():
        w = w.reshape(w.shape[0], w.shape[1], -1).transpose(1, 0, 2)
        got = recorded(directory, layer)
        assert got.shape == w.shape, (layer, got.shape, w.shape)
        assert w.any(), f"{layer} never fires"
        out[layer] = int((got != w).sum()), w.size
    return out


def case(d, name, profile, chip=None, **more):
    z = np.load(f"{GOLDEN}/{name}.npz")
    file = write_run(d, f"{GOLDEN}/{name}.nir", f"{GOLDEN}/{name}.npz", profile, chip, **more)
    code, _, warnings = spikeloom("run", file, "-o", f"{d}/o", "--log-level", "warning")
    assert code == 0, warnings
    return differing(f"{d}/o", {k[5:]: z[k] for k in z.files if k.startswith("want/")}), warnings


def spikes_of_the_frameworks():
    assert sorted(CASES) == sorted(f[:-4] for f in os.listdir(GOLDEN) if f.endswith(".nir"))
    for name, profile in CASES.items():
        with scratch() as d:
            more = {"map": {"weight_exponent": 0}} if name == "lava_cuba" else {}
            got, warnings = case(d, name, profile, LOIHI if name == "lava_cuba" else None, **more)
            assert all(n == 0 for n, _ in got.values()), f"{name}: {got}"
            assert warnings == "", f"{name}: {warnings}"


def integers_reset_late_integrators_to_a_value():
    """Weight 0.6 is no 8-bit number: integers of 8 bits are 0.6016, which fires in the same timesteps."""
    with scratch() as d:
        chip = {**FLOAT64, "core": {"soma": {"max_neurons": 64}}}
        got, _ = case(d, "if_value_reset_delay", CASES["if_value_reset_delay"], chip)
        assert got == {"if": (0, 12)}, got


# ------------------------------------------------------------------------------------------- all presets
def presets():
    with scratch() as d:
        code, _, err = spikeloom("validate", write_run(d, "n.nir", "x.npy", {"preset": "none of them"}))
        assert code == 3
        return re.search(r"known: ([^)]*)\)", err)[1].split(", ")


def layers(preset, n, rng):
    """(what, NIR parameters, step) of each kind of neuron that the preset's framework has."""
    torch = lambda *how: [(k, *steps.snntorch(k, n, rng, *how)) for k in ("Leaky", "Synaptic")]
    counted = ("IF", *steps.counts_steps(n, rng))
    return {
        "nir-euler": lambda: [("LIF", *steps.euler(n, rng, 1e-4))],
        "snntorch": lambda: torch("zero", False) + [counted],
        "snntorch-subtract": lambda: torch("subtract", False),
        "snntorch-defaults": lambda: torch("subtract", True),
        "snntorch-zero": lambda: torch("zero", True),
        "snntorch-none": lambda: torch("none", True),
        "norse": lambda: [(k, *steps.norse(k, n, rng)) for k in ("LIFBoxCell", "LIFCell")] + [counted],
        "spikingjelly": lambda: [(k, *steps.spikingjelly(k, n, rng)) for k in ("LIFNode", "LIFNode without decay_input", "IFNode")],
        "sinabs": lambda: [("IAF, bound", *steps.sinabs("IAF", n, rng, bound=-1)),
                           ("LIF, bound", *steps.sinabs("LIF", n, rng, bound=-1, norm_input=False))],
        "sinabs-defaults": lambda: [(k, *steps.sinabs(k, n, rng)) for k in ("IAF", "LIF")],
        "rockpool": lambda: [("LIFTorch", *steps.rockpool(n, rng))],
        "spyx": lambda: [("LIF", *steps.euler(n, rng, 1e-4, soft=True))],
        "lava": lambda: [("LIF", *steps.euler(n, rng, 1e-4))],
    }[preset]()


def simulate(weights, x, step, feedback=None):
    """Spikes [T, B, neurons] of one layer; with feedback, of the timestep before."""
    state, out = {}, []
    z = np.zeros((x.shape[1], weights.shape[0]))
    for now in x:
        z = step(state, now @ weights.T + (0 if feedback is None else z @ feedback.T))
        out.append(z)
    return np.array(out)


def one_layer(d, node, weights, feedback=None):
    n_out, n_in = weights.shape
    nodes = {"input": {"type": "Input", "shape": np.array([n_in])}, "fc": {"type": "Linear", "weight": weights.astype(np.float32)},
             "lif": node, "output": {"type": "Output", "shape": np.array([n_out])}}
    edges = [("input", "fc"), ("fc", "lif"), ("lif", "output")]
    if feedback is not None:
        nodes["w_rec"] = {"type": "Linear", "weight": feedback.astype(np.float32)}
        edges += [("lif", "w_rec"), ("w_rec", "lif")]
    write_nir(f"{d}/n.nir", nodes, edges)


def on_grid(rng, shape, spread):
    return np.round(rng.normal(0.1, spread, shape) * 16) / 16


def check_layer(preset, what, node, step, rng, feedback=None, **profile):
    n = len(node["r"])
    with scratch() as d:
        scaled = node["type"] != "IF" and (node["r"] == 1).all()         # by dt / tau, so that it needs more
        weights = on_grid(rng, (n, 16), 3.0 if scaled else 0.4)
        x = (rng.random((60, 4, 16)) < 0.3).astype(np.uint8)
        one_layer(d, node, weights, feedback)
        np.save(f"{d}/x.npy", x)
        dt = {} if preset not in ("nir-euler", "spyx", "lava") else {"dt": "100 us"}
        run(write_run(d, "n.nir", "x.npy", {"preset": preset, **dt, **profile}), f"{d}/o")
        got = differing(f"{d}/o", {"lif": simulate(weights, x, step, feedback)})
        assert got["lif"][0] == 0, f"{preset} {what} {profile}: {got}"


def every_preset_is_its_framework():
    for preset in presets():
        rng = np.random.default_rng(7)
        for what, node, step in layers(preset, 40, rng):
            check_layer(preset, what, node, step, rng)


def recurrent_layers_of_snntorch():
    rng = np.random.default_rng(3)
    for preset, mechanism in (("snntorch-defaults", "subtract"), ("snntorch-zero", "zero"), ("snntorch-none", "none")):
        node, step = steps.snntorch("Synaptic", 30, rng, mechanism)
        check_layer(preset, "RSynaptic", node, step, rng, on_grid(rng, (30, 30), 0.2))


def ties_stay_ties():
    """Short binary fractions meet their threshold exactly, again and again."""
    rng = np.random.default_rng(5)
    for mechanism in ("subtract", "zero", "none"):
        preset = {"subtract": "snntorch-defaults"}.get(mechanism, f"snntorch-{mechanism}")
        node, step = steps.snntorch("Leaky", 40, rng, mechanism, True, (0.5, 0.625, 0.375, 0.75))
        check_layer(preset, "Leaky, ties", node, step, rng)


def arguments_that_exporters_drop():
    """The keys that the page adds to a preset."""
    rng = np.random.default_rng(9)
    node, step = steps.spikingjelly("LIFNode", 40, rng, soft=True)
    check_layer("spikingjelly", "v_reset=None", node, step, rng, reset="subtract")
    node, step = steps.spikingjelly("LIFNode", 40, rng, dt=2e-3)
    check_layer("spikingjelly", "dt", node, step, rng, dt="2 ms")
    node, step = steps.rockpool(40, rng, dt=5e-4)
    check_layer("rockpool", "dt", node, step, rng, dt="500 us")
    node, step = steps.sinabs("IAF", 40, rng, most=1)
    check_layer("sinabs-defaults", "SingleSpike", node, step, rng, multispike=False)
    node, step = steps.sinabs("LIF", 40, rng, to_zero=True)
    check_layer("sinabs-defaults", "MembraneReset", node, step, rng, reset="value")
    node, step = steps.snntorch("Leaky", 40, rng, "none")
    check_layer("snntorch-defaults", "none in a layer", node, step, rng, layers={"lif": {"reset": "none"}})
    node, step = steps.sinabs("IAF", 40, rng, most=3)
    check_layer("sinabs-defaults", "MaxSpike(3)", node, step, rng, max_spikes=3)
    node, step = steps.sinabs("LIF", 40, rng, bound=-0.5)
    check_layer("sinabs-defaults", "min_v_mem", node, step, rng, clamp=True, v_min=-0.5, v_min_unit="threshold")
    node, step = steps.sinabs("LIF", 40, rng, norm_input=False)
    check_layer("sinabs-defaults", "norm_input=False", node, step, rng, layers={"lif": {"method": "jump"}})


# ------------------------------------------------------------------------------------- times and refusals
def lif(n=2, tau=2e-4, r=2.0):
    full = lambda v: np.full(n, v)
    return {"type": "LIF", "tau": full(tau), "r": full(r), "v_leak": full(0.0), "v_threshold": full(1.0), "v_reset": full(0.0)}


def told(profile, node=None, expect=0):
    """stderr of a run of one layer."""
    with scratch() as d:
        one_layer(d, node or lif(), np.ones((2, 2)))
        np.save(f"{d}/x.npy", np.ones((4, 1, 2), np.uint8))
        return spikeloom_told(d, write_run(d, "n.nir", "x.npy", profile), expect)


def spikeloom_told(d, file, expect):
    code, _, err = spikeloom("run", file, "-o", f"{d}/o")
    assert code == expect, f"exit code {code}: {err}"
    return err.replace(d, "D")


def timesteps_are_compared():
    err = told({"preset": "nir-euler", "dt": "1 ms"}, expect=3)
    assert "profile.dt: is 1 ms, and tau of node 'lif' is 200 us" in err and "the longest timestep that fits it is 200 us" in err, err
    assert "1 ms" not in told({"preset": "nir-euler", "dt": "1 ms", "method": "exp"}, lif(r=0.2))
    err = told({"preset": "snntorch", "dt": "1 ms"}, lif(tau=2e-3, r=1.0), expect=3)
    assert "profile.dt: is 1 ms, but snnTorch's exporter writes its constants for 100 us; leave dt out" in err, err
    assert "tau / r = 100 us" in told({"preset": "nir-euler", "dt": "50 us"})
    assert "tau / r" not in told({"preset": "nir-euler", "dt": "100 us"})
    assert "100000 timesteps" in told({"preset": "nir-euler", "dt": "1 us"}, lif(tau=0.1, r=1.0))
    for preset in ("nir-euler", "spyx", "lava"):
        err = told({"preset": preset}, expect=3)
        assert "profile.dt: required key is missing" in err, err
    with scratch() as d:
        file = write_run(d, f"{GOLDEN}/rockpool_lif.nir", f"{GOLDEN}/rockpool_lif.npz", {"preset": "rockpool", "dt": "2 ms"})
        assert "node '1_LIFTorch': profile.dt is 2 ms, but r is not tau_mem exp(-dt / tau_mem) / dt" in spikeloom_told(d, file, 0)
    cuba = {**lif(), "type": "CubaLIF", "tau_mem": np.full(2, 1e-3), "tau_syn": np.full(2, 5e-5)}
    del cuba["tau"]
    err = told({"preset": "nir-euler", "dt": "100 us", "method": "exp"}, cuba, expect=3)
    assert "tau_syn of node 'lif' is 50 us" in err, err


def integrators_that_count_timesteps():
    node = {"type": "IF", "r": np.ones(2), "v_threshold": np.ones(2), "v_reset": np.zeros(2)}
    assert "need profile.if_dt: 1" in told({"preset": "nir-euler", "dt": "100 us"}, node)
    assert "if_dt" not in told({"preset": "norse"}, node)
    assert "need profile.if_dt: 0" in told({"preset": "norse", "dt": "100 us"}, {**node, "r": np.full(2, 1e4)})


def delays_between_timesteps():
    """Halves go up, and the user is told."""
    delays = np.array([0.5e-3, 1.5e-3, 2.5e-3, 1.4e-3])
    nodes = {"input": {"type": "Input", "shape": np.array([4])}, "d": {"type": "Delay", "delay": delays},
             "fc": {"type": "Linear", "weight": np.eye(4, dtype=np.float32) * 2},
             "lif": {**lif(4, 1e-2, 10.0)}, "output": {"type": "Output", "shape": np.array([4])}}
    edges = [("input", "d"), ("d", "fc"), ("fc", "lif"), ("lif", "output")]
    for kind in (np.float64, np.float32):
        nodes["d"]["delay"] = delays.astype(kind)
        with scratch() as d:
            write_nir(f"{d}/n.nir", nodes, edges)
            x = np.zeros((8, 1, 4), np.uint8)
            x[0] = 1
            np.save(f"{d}/x.npy", x)
            err = spikeloom_told(d, write_run(d, "n.nir", "x.npy", {"preset": "nir-euler", "dt": "1 ms"}), 0)
            assert recorded(f"{d}/o", "lif")[0].argmax(0).tolist() == [1, 2, 3, 1]
            assert "node 'd': 4 of 4 delays are no multiples of profile.dt (1 ms)" in err and "500 us becomes 1 ms" in err, err
            assert "multiples" not in spikeloom_told(d, write_run(d, "n.nir", "x.npy", {"preset": "nir-euler", "dt": "100 us"}), 0)


def layers_are_the_networks():
    profile = lambda layers: {"preset": "nir-euler", "dt": "100 us", "layers": layers}
    err = told(profile({"lfi": {"reset": "none"}}), expect=3)
    assert "profile.layers.lfi" in err and "did you mean 'lif'" in err, err
    assert "profile.layers.fc" in told(profile({"fc": {"reset": "none"}}), expect=3)
    err = told(profile({"lif": {"reset": "nona"}}), expect=3)
    assert "profile.layers.lif.reset: 'nona' is not one of" in err and "did you mean 'none'" in err, err
    err = told(profile({"lif": {"max_spikes": 2}}), expect=3)
    assert "profile.layers.lif.max_spikes" in err and "multispike" in err, err
    err = told(profile({"lif": {"v_init": "v_rest"}}), expect=3)
    assert "did you mean 'v_reset'" in err, err
    told(profile({"lif": {"v_init": 0.25, "reset": "none", "compare": ">="}}))


def inspect_tells_times():
    out = spikeloom("inspect", f"{GOLDEN}/snntorch_learnt.nir")[1]
    assert "written for timesteps of 100 us" in out, out
    assert "1: tau 156.902 us .. 1.82203 ms (keeps 0.362661 .. 0.945116 per step)" in out, out
    assert "v_threshold 0.58333 .. 1.44807" in out and "timesteps of method euler are 156.902 us at most" in out, out
    assert "tau inf" in spikeloom("inspect", f"{GOLDEN}/snntorch_beta1.nir")[1]


# ------------------------------------------------------------------------------------------------ the page
def the_page_has_every_profile():
    """Each preset and each profile of a sample stands in the page as it is tested here, and nothing else."""
    with open(PAGE) as f:
        text = f.read()
    written = [yaml.safe_load(p)["profile"] for p in re.findall(r"`(profile: \{.*?\})`", text)]
    tested = [p for name, p in CASES.items() if name not in ONLY_HERE]
    for profile in tested:
        assert profile in written, f"{profile} does not stand in {PAGE}"
    for profile in written:
        assert profile in tested, f"{profile} of {PAGE} has no sample"
    for key in re.findall(r"`profile\.([a-z_0-9]+)", text):
        schema = json.loads(subprocess.run([PROGRAM, "schema", "run"], capture_output=True, text=True, check=True).stdout)
        assert key in json.dumps(schema), key


def resolved(profile):
    with scratch() as d:
        one_layer(d, lif(tau=1e-1, r=1.0), np.ones((2, 2)))
        np.save(f"{d}/x.npy", np.ones((4, 1, 2), np.uint8))
        run(write_run(d, "n.nir", "x.npy", profile), f"{d}/o")
        with open(f"{d}/o/config.resolved.yaml") as f:
            return yaml.safe_load(f)["profile"]


def the_table_of_presets_is_true():
    """docs/concepts/profiles.md has each preset with all that it sets."""
    with open(os.path.join(ROOT, "docs", "concepts", "profiles.md")) as f:
        rows = {r[1].strip(" `"): [c.strip() for c in r[2:7]] for r in (line.split("|") for line in f if line.startswith("| `"))}
    assert sorted(rows) == sorted(presets()), (sorted(rows), presets())
    plain = resolved({"preset": "nir-euler", "dt": "100 us"})
    for preset, (dt, method, fires, reset, more) in rows.items():
        want = {**plain, "preset": preset, "method": method, "compare": fires, "reset": reset.split(",")[0],
                "reset_delay": reset.endswith("delayed")}
        own = {} if dt == "to be given" else {"dt": dt}
        want.update(own)
        for item in filter(None, more.split(", ")):
            key, _, value = item.partition(" ")
            want[key] = type(plain[key])(yaml.safe_load(value)) if value else True
        got = resolved({"preset": preset} if own else {"preset": preset, "dt": "100 us"})
        assert got == want, f"{preset}: {[(k, got[k], want[k]) for k in want if got[k] != want[k]]}"


if __name__ == "__main__":
    main([spikes_of_the_frameworks, integers_reset_late_integrators_to_a_value, every_preset_is_its_framework,
          recurrent_layers_of_snntorch, ties_stay_ties, arguments_that_exporters_drop, timesteps_are_compared,
          integrators_that_count_timesteps, delays_between_timesteps, layers_are_the_networks, inspect_tells_times,
          the_page_has_every_profile, the_table_of_presets_is_true])
