# SPDX-License-Identifier: Apache-2.0
"""Bad input: each case gives its one-line error and exit code, and leaves nothing behind. The expected text is what
stands after 'spikeloom: '; {d} is the scratch directory."""
import os
import re
import shutil

import h5py
import numpy as np

from support import ROOT, main
from refusals import refused
from nir_writer import write_nir

GOLDEN = os.path.join(ROOT, "tests", "golden", "digits")
RUN = """network: {file: net.nir}
profile: {preset: nir-euler, dt: 100 us, compare: ">", reset: value}
input:   {file: in.npz, array: image, scale: 0.0625, encoding: constant, timesteps: 8, labels: label, limit: 4}
decode:  {rule: spike_count}
chip:    {file: chip.yaml}
map:     {place: auto, seed: 1}
record:  [spikes]
"""


def prepare(d):
    shutil.copy(f"{GOLDEN}/digits_conv_q8.nir", f"{d}/net.nir")
    shutil.copy(f"{GOLDEN}/digits_image_input.npz", f"{d}/in.npz")
    with open(f"{d}/chip.yaml", "w") as f:
        f.write(f"base: {ROOT}/configs/chips/mesh45.yaml\nenergy: {{file: {ROOT}/configs/energy/mesh45.yaml}}\n")
    write(d, "run.yaml", RUN)


def write(d, name, text):
    with open(f"{d}/{name}", "w") as f:
        f.write(text)


def edit(old, new):
    def f(d):
        assert old in RUN
        write(d, "run.yaml", RUN.replace(old, new))
    return f


def nir(change):
    def f(d):
        with h5py.File(f"{d}/net.nir", "r+") as h:
            change(h["node"])
    return f


def replace(group, key, value):
    del group[key]
    group[key] = value


def truncated(name, keep):
    def f(d):
        data = open(f"{d}/{name}", "rb").read()
        open(f"{d}/{name}", "wb").write(data[:int(len(data) * keep)])
    return f


def nothing(d):
    pass


def loop(d):
    n = 4
    lif = {"type": "LIF", "tau": np.full(n, 8e-4), "r": np.full(n, 8.0), "v_leak": np.zeros(n), "v_threshold": np.ones(n), "v_reset": np.zeros(n)}
    write_nir(f"{d}/net.nir", {"input": {"type": "Input", "shape": np.array([n])}, "fc": {"type": "Linear", "weight": np.eye(n, dtype=np.float32)},
                               "a": lif, "rec1": {"type": "Linear", "weight": np.eye(n, dtype=np.float32)}, "b": lif,
                               "rec2": {"type": "Linear", "weight": np.eye(n, dtype=np.float32)}, "output": {"type": "Output", "shape": np.array([n])}},
              [("input", "fc"), ("fc", "a"), ("a", "rec1"), ("rec1", "b"), ("b", "rec2"), ("rec2", "a"), ("b", "output")])
    np.savez(f"{d}/in.npz", image=np.zeros((4, n), np.uint8), label=np.zeros(4))


def bomb(d):
    for i in range(1, 4):
        write(d, f"b{i}.yaml", "".join(f"{k}: {{file: b{i + 1}.yaml}}\n" for k in "abcdefghijklmnopqrst"))
    write(d, "b4.yaml", "x: 1\n")
    edit("{file: chip.yaml}", "{file: b1.yaml}")(d)


def pipe(text):
    def f(d):
        os.mkfifo(f"{d}/pipe.yaml")
        write(d, "chip.yaml", text)
    return f


# name, preparation, arguments, exit code, error
CASES = [
    ("malformed yaml", edit("decode:  {rule: spike_count}", "decode:  {rule: spike_count"), [], 3, '{d}/run.yaml:5:5: end of map flow not found'),
    ("unknown key", edit("timesteps: 8", "timestep: 8"), [], 3, "{d}/run.yaml:3:74: input.timestep: unknown key; did you mean 'timesteps'?"),
    ("missing section", edit('profile: {preset: nir-euler, dt: 100 us, compare: ">", reset: value}\n', ""), [], 3, '{d}/run.yaml:1:1: profile: required key is missing'),
    ("missing dt", edit("dt: 100 us, ", ""), [], 3, '{d}/run.yaml:2:10: profile.dt: required key is missing'),
    ("no unit", edit("100 us", "100"), [], 3, "{d}/run.yaml:2:34: profile.dt: expected a time with a unit such as '2 ns', got '100' without a unit"),
    ("wrong unit", edit("100 us", "100 pJ"), [], 3, "{d}/run.yaml:2:34: profile.dt: 'pJ' is no unit of time (units: s, ms, us, ns, ps, fs), got '100 pJ'"),
    ("wrong type", edit("timesteps: 8", "timesteps: eight"), [], 3, "{d}/run.yaml:3:85: input.timesteps: expected a whole number, got 'eight'"),
    ("negative", edit("timesteps: 8", "timesteps: -8"), [], 3, '{d}/run.yaml:3:85: input.timesteps: must be >= 0 (got -8)'),
    ("bad enum", edit("rule: spike_count", "rule: spike_cuont"), [], 3, "{d}/run.yaml:4:17: decode.rule: 'spike_cuont' is not one of spike_count, membrane, sum; did you mean 'spike_count'?"),
    ("unknown preset", edit("nir-euler", "nir-eular"), [], 3, "{d}/run.yaml:2:19: profile.preset: unknown preset 'nir-eular' (known: nir-euler, snntorch, snntorch-subtract, snntorch-defaults, snntorch-zero, snntorch-none, norse, spikingjelly, sinabs, sinabs-defaults, rockpool, spyx, lava); did you mean 'nir-euler'?"),
    ("bad compare", edit('">"', '"=>"'), [], 3, "{d}/run.yaml:2:51: profile.compare: '=>' is not one of >, >="),
    ("bad place", edit("place: auto", "place: best"), [], 3, "{d}/run.yaml:6:18: map.place: 'best' is not one of auto, sequential"),
    ("duplicate key", edit("seed: 1", "seed: 1, seed: 2"), [], 3, "{d}/run.yaml:6:33: duplicate key 'seed' (first at line 6)"),
    ("no run file", lambda d: os.remove(f"{d}/run.yaml"), [], 6, '{d}/run.yaml: cannot open file'),
    ("no chip file", lambda d: os.remove(f"{d}/chip.yaml"), [], 6, '{d}/run.yaml:5:17: file: {d}/chip.yaml: cannot open file'),
    ("no network", lambda d: os.remove(f"{d}/net.nir"), [], 6, '{d}/net.nir: cannot be opened: No such file or directory'),
    ("no input", lambda d: os.remove(f"{d}/in.npz"), [], 6, '{d}/in.npz: cannot be read: No such file or directory'),
    ("truncated network", truncated("net.nir", 0.5), [], 3, '{d}/net.nir: is a damaged or truncated HDF5 file; get a new copy'),
    ("empty network", truncated("net.nir", 0), [], 3, '{d}/net.nir: is not an HDF5 file; a NIR file was expected'),
    ("text as network", lambda d: write(d, "net.nir", "hello"), [], 3, '{d}/net.nir: is not an HDF5 file; a NIR file was expected'),
    ("NaN weight", nir(lambda n: n["nodes/fc/weight"].write_direct(np.full((10, 512), np.nan, np.float32))), [], 3, "{d}/net.nir: node 'fc': key 'weight' holds nan at element 0; it must be finite"),
    ("zero tau", nir(lambda n: n["nodes/lif1/tau"].write_direct(np.zeros((16, 8, 8)))), [], 3, "{d}/net.nir: node 'lif1': key 'tau' is 0 at element 0; a time constant must be > 0"),
    ("unknown node type", nir(lambda n: replace(n["nodes/lif2"], "type", "LIFF")), [], 3, "{d}/net.nir: node 'lif2': unknown type 'LIFF'; did you mean 'LIF'?"),
    ("a type that NIR does not have", nir(lambda n: replace(n["nodes/lif2"], "type", "MaxPool2d")), [], 3, "{d}/net.nir: node 'lif2': unknown type 'MaxPool2d'; NIR has no max pool; of spikes it is a SumPool2d of the same window, and a Threshold of 0.5 behind it"),
    ("a norm", nir(lambda n: replace(n["nodes/lif2"], "type", "BatchNorm2d")), [], 3, "{d}/net.nir: node 'lif2': unknown type 'BatchNorm2d'; fold it into weight and bias of the layer before it, and export again"),
    ("a batch dimension", nir(lambda n: replace(n["nodes/input"], "shape", np.array([1, 1, 8, 8]))), [], 3, "{d}/net.nir: node 'conv1': input has shape [1, 1, 8, 8], expected 3 dimensions [C, H, W]; the first looks like a batch: export the network with the shape of one sample, [1, 8, 8]"),
    ("a tab", edit("map:     {place: auto, seed: 1}", "map:\n\tplace: auto"), [], 3, "{d}/run.yaml:7:1: indented with a tab; YAML is indented with spaces"),
    ("a tab behind spaces", edit("map:     {place: auto, seed: 1}", "map:\n  place: auto\n \tseed: 1"), [], 3, "{d}/run.yaml:8:2: indented with a tab; YAML is indented with spaces"),
    ("a network file as chip", lambda d: write(d, "chip.yaml", f"base: {ROOT}/configs/noc/mesh8.yaml\n"), [], 3, f"{ROOT}/configs/noc/mesh8.yaml: chip: is a noc file, for `spikeloom noc`; expected a chip file"),
    ("a run file as chip", lambda d: write(d, "chip.yaml", RUN), [], 3, "{d}/chip.yaml: chip: is a run file, for `spikeloom run` and `spikeloom map`; expected a chip file"),
    ("an array file as chip", lambda d: write(d, "chip.yaml", f"base: {ROOT}/configs/cim/rram_1t1r_32.yaml\n"), [], 3, f"{ROOT}/configs/cim/rram_1t1r_32.yaml: chip: is a cim file, for `spikeloom cim`; expected a chip file"),
    ("a price list as chip", lambda d: write(d, "chip.yaml", f"base: {ROOT}/configs/energy/mesh45.yaml\n"), [], 3, f"{ROOT}/configs/energy/mesh45.yaml: chip: is an energy file, for the key `energy` of a chip; expected a chip file"),
    ("a chip as price list", nothing, ["--set", f"chip.energy.file={ROOT}/configs/chips/loihi.yaml"], 3, "*: energy: is a chip file, for the key `chip` of a run or training file; expected an energy file"),
    ("files that include each other", bomb, [], 3, "{d}/b3.yaml:*: file: {d}/b4.yaml: more than 1000 files are included"),
    ("base: of a pipe", pipe("base: pipe.yaml\n"), [], 6, "{d}/*chip.yaml:1:7: base: {d}/pipe.yaml: is not a regular file"),
    ("file: of a pipe", lambda d: (os.mkfifo(f"{d}/pipe.yaml"), edit("{file: chip.yaml}", "{file: pipe.yaml}")(d)), [], 6, "{d}/run.yaml:5:17: file: {d}/pipe.yaml: is not a regular file"),
    ("a device", edit("{file: chip.yaml}", "{file: /dev/zero}"), [], 6, "{d}/run.yaml:5:17: file: /dev/zero: is not a regular file"),
    ("unknown node key", nir(lambda n: n["nodes/lif2"].create_dataset("taw", data=1.0)), [], 3, "{d}/net.nir: node 'lif2': unknown key 'taw' in a node of type LIF; did you mean 'tau'?"),
    ("missing node key", nir(lambda n: n["nodes/lif2"].__delitem__("tau")), [], 3, "{d}/net.nir: node 'lif2': key 'tau' is missing; type LIF needs it"),
    ("dangling edge", nir(lambda n: n.move("nodes/lif2", "nodes/lif22")), [], 3, "{d}/net.nir: edge 'conv2' -> 'lif2': 'lif2' names no node; did you mean 'lif22'? network.repair: true takes it so"),
    ("wrong shape", nir(lambda n: replace(n["nodes/fc"], "weight", np.zeros((10, 500), np.float32))), [], 3, "{d}/net.nir: node 'fc': weight [10, 500] takes 500 values in the last dimension, the input has shape [512]"),
    ("attention", lambda d: shutil.copy(f"{GOLDEN}/digits_ssa.nir", f"{d}/net.nir"), [], 3, "unsupported: node 'qk' of type MatMul: products of two signals are not compiled onto cores yet"),
    ("loop that is too short", loop, [], 4, "does not fit: timesteps of delay in a loop: need 2, have 1 (each hop takes one on the chip: 'b' -> 'a' -> 'b')"),
    ("truncated input", truncated("in.npz", 0.7), [], 3, '{d}/in.npz: not an .npz archive, or cut off (no central directory)'),
    ("unknown array", edit("array: image", "array: imgae"), [], 3, "{d}/in.npz: no array 'imgae'; did you mean 'image'?"),
    ("wrong input size", edit("array: image", "array: label"), [], 3, "{d}/in.npz: a sample has 1 values, shape []; the network's input has 64, shape [1, 8, 8] ([samples, ...] = [360])"),
    ("spikes of the wrong rank", edit("encoding: constant", "encoding: spikes"), [], 3, "{d}/in.npz: array 'label': 360 labels for 1 samples ([timesteps, samples, ...] = [360, 1, 8, 8]); the key `order: samples_first` swaps the two axes"),
    ("no timesteps", edit(" timesteps: 8,", ""), [], 3, '{d}/in.npz: input.timesteps: required for this encoding'),
    ("payload too narrow", nothing, ["--set", "chip.core.axon_in.payload_bits=3"], 4, "does not fit: payload bits of a graded spike: need 5, have 3 (input 'input'; `input.bits: 3` rounds its values)"),
    ("too few cores", nothing, ["--set", "chip.noc.size=[2, 1]", "--set", "chip.core.soma.max_neurons=100"], 4, 'does not fit: cores: need 18, have 2 (the network)'),
    ("too few axons", nothing, ["--set", "chip.core.axon_in.max_axons=30"], 4, "does not fit: input axons of a core: need 64, have 30 (one neuron of layer 'lif2')"),
    ("too little memory", nothing, ["--set", "chip.core.synapse.memory=10 bits"], 4, "does not fit: synapse memory of a core (bits): need 72, have 10 (one neuron of layer 'lif1')"),
    ("too few fan-out entries", nothing, ["--set", "chip.core.axon_out.max_fanout_entries=3", "--set", "chip.core.soma.max_neurons=64"], 4, "does not fit: output fan-out entries of a core: need 384, have 3 (one neuron of layer 'lif1')"),
    ("too short a delay ring", lambda d: skip_network(d), ["--set", "chip.core.dendrite.max_delay=1"], 4, "does not fit: axonal delay (timesteps): need 2, have 1 ('input' -> 'b')"),
    ("host port off the mesh", nothing, ["--set", "chip.io.router=[9, 0]"], 3, '--set chip.io.router: chip.io.router: [9, 0] is no router of this 4 x 4 mesh'),
    ("no virtual channels", nothing, ["--set", "chip.noc.router.vcs=0"], 3, '--set chip.noc.router.vcs: chip.noc.router.vcs: must be >= 1 (got 0)'),
    ("unknown pipeline", nothing, ["--set", "chip.noc.router.pipeline=P9"], 3, '--set chip.noc.router.pipeline: chip.noc.router.pipeline: unknown `P9`; known: P2, P3, P4'),
    ("unknown topology", nothing, ["--set", "chip.noc.topology=tours"], 3, "--set chip.noc.topology: chip.noc.topology: unknown `tours`; did you mean 'torus'?"),
    ("unknown policy of timesteps", nothing, ["--set", "chip.timestep.policy=tick_like_truenorth"], 3, "--set chip.timestep.policy: chip.timestep.policy: unknown `tick_like_truenorth`; expected one of 'barrier'"),
    ("unknown core", nothing, ["--set", "chip.core.kind=far_memory"], 3, "--set chip.core.kind: chip.core.kind: unknown 'far_memory'; did you mean 'near_memory'?"),
    ("rounding without bits", edit("scale: 0.0625", "scale: 0.0625, rounding: floor"), [], 3, "{d}/in.npz: input.rounding does nothing without input.bits"),
    ("too few bits for the values", edit("scale: 0.0625", "scale: 1, bits: 3"), [], 3, "{d}/in.npz: values up to 16 do not fit input.bits: 3; scale them (input.scale)"),
    ("missing prices", lambda d: missing_prices(d), [], 3, "{d}/prices.yaml:8:3: chip.energy.actions.soma.spikes: missing; give it a price, or a reason under energy.unpriced (spikes fired); missing as well: energy.actions.axon_out.packets (packets sent), energy.actions.host.packets (packets injected by the host), energy.actions.barrier.barriers (barriers between timesteps)"),
    ("missing price", lambda d: missing_price(d), [], 3, '{d}/prices.yaml:8:3: chip.energy.actions.host.packets: missing; give it a price, or a reason under energy.unpriced (packets injected by the host)'),
    ("unknown event", nothing, ["--set", "chip.energy.unpriced.dendrite.acc=why"], 3, '--set chip.energy.unpriced.dendrite.acc: chip.energy.unpriced.dendrite: expected a text, got a map'),
    ("malformed --set", nothing, ["--set", "chip.noc"], 2, '--set chip.noc: expected key.path=value'),
    ("unknown --set key", nothing, ["--set", "chip.noc.sise=[4, 4]"], 3, "--set chip.noc.sise: chip.noc.sise: unknown key; did you mean 'size'?"),
    ("malformed --fail-if", nothing, ["--fail-if", "energy"], 2, "--fail-if 'energy': expected 'path op number', e.g. 'energy.total_pj > 1e9'"),
    ("unknown --fail-if", nothing, ["--fail-if", "energy.totl_pj > 1"], 2, "--fail-if 'energy.totl_pj > 1': the report has no 'energy.totl_pj'; did you mean 'total_pj'?"),
    ("failing check", nothing, ["--fail-if", "samples >= 4"], 1, 'check failed: samples >= 4 (is 4)'),
    ("spike count of a read-out", lambda d: readout_network(d), [], 3, "decode.rule: spike_count needs a spiking output, but layer 'output' does not fire; use membrane or sum"),
    ("unwritable output", lambda d: write(d, "out", "a file"), [], 6, '{d}/out: exists and is not a result directory; choose another with -o'),
    ("unknown option", nothing, ["--sett", "x"], 2, None),
]


def skip_network(d):
    n = 3
    lif = {"type": "LIF", "tau": np.full(n, 8e-4), "r": np.full(n, 8.0), "v_leak": np.zeros(n), "v_threshold": np.ones(n), "v_reset": np.zeros(n)}
    eye = {"type": "Linear", "weight": np.eye(n, dtype=np.float32)}
    write_nir(f"{d}/net.nir", {"input": {"type": "Input", "shape": np.array([n])}, "f1": eye, "a": lif, "f2": eye, "b": lif, "skip": eye,
                               "output": {"type": "Output", "shape": np.array([n])}},
              [("input", "f1"), ("f1", "a"), ("a", "f2"), ("f2", "b"), ("input", "skip"), ("skip", "b"), ("b", "output")])
    np.savez(f"{d}/in.npz", image=np.zeros((4, n), np.uint8), label=np.zeros(4))


def missing_prices(d):
    missing_price(d)
    prices = open(f"{d}/prices.yaml").read()
    write(d, "prices.yaml", re.sub(r"(?m)^  (barrier\.barriers|soma\.spikes|axon_out\.packets): .*\n", "", prices))


def missing_price(d):
    prices = open(f"{ROOT}/configs/energy/mesh45.yaml").read().replace("  host.packets: outside the chip\n", "")
    write(d, "prices.yaml", prices)
    chip = open(f"{ROOT}/configs/chips/mesh45.yaml").read()
    write(d, "chip.yaml", chip.replace("../energy/mesh45.yaml", "prices.yaml").replace("../energy", f"{ROOT}/configs/energy"))


def readout_network(d):
    n = 3
    write_nir(f"{d}/net.nir", {"input": {"type": "Input", "shape": np.array([n])}, "f1": {"type": "Linear", "weight": np.eye(n, dtype=np.float32)},
                               "output": {"type": "Output", "shape": np.array([n])}}, [("input", "f1"), ("f1", "output")])
    np.savez(f"{d}/in.npz", image=np.zeros((4, n), np.uint8), label=np.zeros(4))


def corpus():
    refused(CASES, "run", "run.yaml", prepare)


if __name__ == "__main__":
    main([corpus])
