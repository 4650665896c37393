# SPDX-License-Identifier: Apache-2.0
"""Bad input to spikeloom train: each case gives its one-line error and exit code and leaves nothing behind. The expected text is what
stands after 'spikeloom: '; {d} is the scratch directory."""
import os

import h5py
import numpy as np

from refusals import refused
from support import ROOT, main, scratch, spikeloom
from nir_writer import write_nir
from train_support import DIGITS, golden_nir

FILE = """network: {file: net.nir}
profile: {preset: nir-euler, dt: 100 us, compare: ">=", reset: value}
data:    {file: in.npz, x: x_train, y: y_train, encoding: constant, shuffle: false}
train:   {algorithm: bptt, timesteps: 4, batch: 8, steps: 2, loss: mse_rate,
          surrogate: {kind: sigmoid, alpha: 4}, optimizer: {kind: sgd, lr: 0.1}}
"""
LAYERS = """network:
  input: [1, 8, 8]
  layers:
    - {kind: conv, name: c1, outputs: 4, kernel: 3, padding: 1}
    - {kind: lif, name: l1, leak: 0.5}
    - {kind: avg_pool, name: pool, size: 2}
    - {kind: flatten, name: flat}
    - {kind: dense, name: fc, outputs: 10}
    - {kind: lif, name: l2, leak: 0.5}
"""


def write(d, text):
    with open(f"{d}/t.yaml", "w") as f:
        f.write(text)


def arrays(**changes):
    """The first 32 digits with some arrays replaced."""
    z = np.load(DIGITS)
    return {"x_train": z["x_train"][:32], "y_train": z["y_train"][:32]} | changes


def edit(old, new):
    def f(d):
        assert old in FILE
        write(d, FILE.replace(old, new))
    return f


def layers(old, new):
    def f(d):
        assert old in LAYERS
        write(d, FILE.replace("network: {file: net.nir}\n", LAYERS.replace(old, new)))
    return f


def data(**changes):
    return lambda d: np.savez(f"{d}/in.npz", **arrays(**changes))


def without(name):
    return lambda d: np.savez(f"{d}/in.npz", **{k: v for k, v in arrays().items() if k != name})


def weights(**a):
    def f(d):
        layers("  layers:", "  weights: {file: w.npz}\n  layers:")(d)
        np.savez(f"{d}/w.npz", **a)
    return f


def threshold_network(d):
    write_nir(f"{d}/net.nir", {"input": {"type": "Input", "shape": np.array([64])}, "fc": {"type": "Linear", "weight": np.zeros((10, 64), np.float32)},
                               "fire": {"type": "Threshold", "threshold": np.ones(10)}, "output": {"type": "Output", "shape": np.array([10])}},
              [("input", "fc"), ("fc", "fire"), ("fire", "output")])


def loop_network(d):
    lif = {"type": "LIF", "tau": np.full(10, 2e-4), "r": np.full(10, 2.0), "v_leak": np.zeros(10), "v_threshold": np.ones(10), "v_reset": np.zeros(10)}
    eye = {"type": "Linear", "weight": np.eye(10, dtype=np.float32)}
    write_nir(f"{d}/net.nir", {"input": {"type": "Input", "shape": np.array([64])}, "fc": {"type": "Linear", "weight": np.zeros((10, 64), np.float32)},
                               "a": lif, "b": lif, "ab": eye, "ba": eye, "output": {"type": "Output", "shape": np.array([10])}},
              [("input", "fc"), ("fc", "a"), ("a", "ab"), ("ab", "b"), ("b", "ba"), ("ba", "a"), ("b", "output")])


def nan_pixel(d):
    x = np.load(DIGITS)["x_train"][:32].copy()
    x[3, 7] = np.nan
    data(x_train=x)(d)


def labels(i, value):
    def f(d):
        y = np.load(DIGITS)["y_train"][:32].astype(np.float64)
        y[i] = value
        data(y_train=y)(d)
    return f


def checkpoint(*args, damage=None):
    """An interrupted training's checkpoint where --resume looks for it."""
    def f(d):
        code, _, err = spikeloom("train", f"{d}/t.yaml", "-o", f"{d}/first", "-q", *args)
        assert code == 0, err
        os.mkdir(f"{d}/out.training")
        os.rename(f"{d}/first/checkpoint.h5", f"{d}/out.training/checkpoint.h5")
        if damage:
            damage(f"{d}/out.training/checkpoint.h5")
    return f


def truncate(path):
    content = open(path, "rb").read()
    open(path, "wb").write(content[:len(content) // 2])


def drop_state(path):
    with h5py.File(path, "r+") as f:
        del f["state"]


def garble_state(path):
    with h5py.File(path, "r+") as f:
        del f["state"]
        f.create_dataset("state", data="{\"step\": 1}", dtype=h5py.string_dtype())


def change_a_weight(path):
    with h5py.File(path, "r+") as f:
        f["parameters/0"][3] += 1e-6


def keep(d):
    pass


X = "{d}/in.npz"
# name, preparation, arguments, exit code, error
CASES = [
    ("malformed yaml", edit("steps: 2, ", "steps: 2, ]"), [], 3, None),
    ("unknown key", edit("loss: mse_rate", "los: mse_rate"), [], 3, "{d}/t.yaml:4:62: train.los: unknown key; did you mean 'loss'?"),
    ("missing batch", edit("batch: 8, ", ""), [], 3, "{d}/t.yaml:4:10: train.batch: required key is missing"),
    ("no samples in a batch", edit("batch: 8", "batch: 0"), [], 3, "{d}/t.yaml:4:49: train.batch: must be >= 1 (got 0)"),
    ("no length", edit("steps: 2, ", ""), [], 3, "{d}/t.yaml:4:10: train: give either `steps` or `epochs`"),
    ("two lengths", edit("steps: 2", "steps: 2, epochs: 3"), [], 3, "{d}/t.yaml:4:10: train: give either `steps` or `epochs`"),
    ("unknown loss", edit("mse_rate", "mse_rata"), [], 3, "{d}/t.yaml:4:68: train.loss: unknown `mse_rata`; did you mean 'mse_rate'?"),
    ("unknown main loss", edit("loss: mse_rate", "loss: {kind: im, main: ce_rte}"), [], 3, "{d}/t.yaml:4:85: train.loss.main: unknown `ce_rte`; did you mean 'ce_rate'?"),
    ("key of another loss", edit("loss: mse_rate", "loss: {kind: mse_rate, lambda: 1}"), [], 3, "{d}/t.yaml:4:93: train.loss.lambda: mse_rate has no lambda"),
    ("key of another optimizer", edit("lr: 0.1", "lr: 0.1, beta1: 0.5"), [], 3, "{d}/t.yaml:5:88: train.optimizer.beta1: sgd has no beta1"),
    ("moment that never forgets", edit("kind: sgd, lr: 0.1", "kind: adam, beta1: 1"), [], 3, "{d}/t.yaml:5:80: train.optimizer.beta1: must be below 1 (got 1)"),
    ("misspelt reset", edit("reset: value", "reset: Value"), [], 3, "{d}/t.yaml:2:64: profile.reset: 'Value' is not one of value, subtract, subtract_snn, none; did you mean 'value'?"),
    ("too many epochs", edit("steps: 2", "epochs: 18446744073709551615"), [], 3, None),
    ("trained leak of one", layers("kind: lif, name: l1, leak: 0.5", "kind: plif, name: l1, leak: 1"), [], 3,
     "{d}/t.yaml:5:36: network.layers.1.leak: a trained leak starts from one value between 0 and 1 for all neurons of a layer"),
    ("labels in a matrix", data(y_train=np.zeros((4, 8))), [], 3, f"{{d}}/t.yaml:3:40: data.y: {X}: array has shape [4, 8]; expected one class per sample, [samples]"),
    ("value beyond float32", data(x_train=np.full((32, 64), 1e200)), [], 3,
     f"{{d}}/t.yaml:3:28: data.x: {X}: value 0 of sample 0 is 1e+200; expected a finite number in the range of float32"),
    ("unknown surrogate", edit("kind: sigmoid", "kind: sigmoud"), [], 3, "{d}/t.yaml:5:29: train.surrogate.kind: unknown `sigmoud`; did you mean 'sigmoid'?"),
    ("key of another surrogate", edit("alpha: 4", "width: 4"), [], 3, None),
    ("unknown optimizer", edit("kind: sgd", "kind: sdg"), [], 3, "{d}/t.yaml:5:67: train.optimizer.kind: unknown `sdg`; did you mean 'sgd'?"),
    ("unknown algorithm", edit("bptt", "bppt"), [], 3, "{d}/t.yaml:4:22: train.algorithm: unknown `bppt`; did you mean 'bptt'?"),
    ("negative learning rate", edit("lr: 0.1", "lr: -0.1"), [], 3, None),
    ("several spikes per step", edit("reset: value", "reset: value, multispike: true"), [], 3, "{d}/t.yaml:2:83: profile.multispike: cannot be trained with"),
    ("unknown reset", edit("reset: value", "reset: valeu"), [], 3, None),
    ("unknown dump", edit("network:", "dump: [spike]\nnetwork:"), [], 3, "{d}/t.yaml:1:8: dump.0: 'spike' is not one of spikes, membranes, gradients, weights; did you mean 'spikes'?"),
    ("cycles without a chip", keep, ["--fidelity", "cycle"], 3, "chip: --fidelity cycle needs a chip that trains"),
    ("unknown chip file", keep, ["--set", "chip.file=nothing.yaml"], 6, None),
    ("a chip that does not train", keep, ["--set", f"chip.file={ROOT}/configs/chips/loihi.yaml"], 3,
     ROOT + "/configs/chips/loihi.yaml:5:1: chip.training_energy: missing; training on the cores of a chip needs prices of what their lanes and buffers do, "
     "e.g. {file: ../energy/training_mesh45.yaml}"),
    ("a file that is no chip", keep, ["--set", f"chip.file={ROOT}/configs/noc/mesh8.yaml"], 3, None),
    ("unknown engine", keep, ["--set", f"chip.file={ROOT}/configs/chips/sata.yaml", "--set", "chip.kind=satan"], 3,
     "--set chip.kind: chip.kind: unknown `satan`; did you mean 'sata'?"),
    ("malformed --set", keep, ["--set", "train"], 2, "--set train: expected key.path=value"),
    ("no file", lambda d: os.remove(f"{d}/t.yaml"), [], 6, "{d}/t.yaml: cannot open file"),
    ("no network", lambda d: os.remove(f"{d}/net.nir"), [], 6, "{d}/net.nir: cannot be opened: No such file or directory"),
    ("network and layers", edit("{file: net.nir}", "{file: net.nir, layers: [{kind: flatten}]}"), [], 3, "{d}/t.yaml:1:10: network: give either `file` or `layers`"),
    ("node that cannot be trained", threshold_network, [], 3, "unsupported: node 'fire' of type Threshold: cannot be trained"),
    ("loop over two populations", loop_network, [], 3, "unsupported: a loop through node 'b' cannot be trained"),
    ("no data", lambda d: os.remove(f"{d}/in.npz"), [], 6, "{d}/in.npz: cannot be read: No such file or directory"),
    ("missing array", without("x_train"), [], 3, f"{{d}}/t.yaml:3:28: data.x: {X}: no array 'x_train'; did you mean 'y_train'?"),
    ("misspelt array", edit("x: x_train", "x: x_trian"), [], 3, f"{{d}}/t.yaml:3:28: data.x: {X}: no array 'x_trian'; did you mean 'x_train'?"),
    ("missing labels", without("y_train"), [], 3, f"{{d}}/t.yaml:3:40: data.y: {X}: no array 'y_train'; did you mean 'x_train'?"),
    ("missing test labels", edit("shuffle: false", "shuffle: false, x_test: x_train"), [], 3, None),
    ("empty data set", data(x_train=np.zeros((0, 64)), y_train=np.zeros(0)), [], 3, f"{{d}}/t.yaml:3:28: data.x: {X}: there are no samples ([samples, ...] = [0, 64])"),
    ("wrong size", data(x_train=np.zeros((32, 63))), [], 3,
     f"{{d}}/t.yaml:3:28: data.x: {X}: a sample has 63 values, shape [63]; the network's input has 64, shape [64] ([samples, ...] = [32, 63])"),
    ("wrong rank", data(x_train=np.zeros(32)), [], 3, f"{{d}}/t.yaml:3:28: data.x: {X}: a sample has no axis ([samples, ...] = [32])"),
    ("too few labels", data(y_train=np.zeros(31)), [], 3, f"{{d}}/t.yaml:3:40: data.y: {X}: 31 labels for 32 samples ([samples, ...] = [32, 64])"),
    ("label out of range", labels(5, 10), [], 3, f"{{d}}/t.yaml:3:40: data.y: {X}: label 10 of sample 5; the network has 10 outputs, classes 0 to 9"),
    ("negative label", labels(6, -1), [], 3, f"{{d}}/t.yaml:3:40: data.y: {X}: label -1 of sample 6; expected a whole number, 0, 1, ..."),
    ("fractional label", labels(6, 0.5), [], 3, f"{{d}}/t.yaml:3:40: data.y: {X}: label 0.5 of sample 6; expected a whole number, 0, 1, ..."),
    ("value that is not finite", nan_pixel, [], 3, f"{{d}}/t.yaml:3:28: data.x: {X}: value 7 of sample 3 is nan; expected a finite number in the range of float32"),
    ("negative rate", data(x_train=-np.ones((32, 64))), ["--set", "data.encoding=poisson"], 3,
     f"{{d}}/t.yaml:3:28: data.x: {X}: value 0 of sample 0 is -1; expected a rate from 0 to 100"),
    ("too few timesteps", data(x_train=np.zeros((3, 32, 64))), ["--set", "data.encoding=spikes"], 3,
     f"{{d}}/t.yaml:3:28: data.x: {X}: train.timesteps is 4, the samples have 3 ([timesteps, samples, ...] = [3, 32, 64])"),
    ("batch larger than the data", edit("batch: 8", "batch: 33"), [], 3, "{d}/t.yaml:4:49: train.batch: 33 is more than the 32 samples"),
    ("unknown layer", layers("kind: dense", "kind: dens"), [], 3, "{d}/t.yaml:8:14: network.layers.4.kind: unknown `dens`; did you mean 'dense'?"),
    ("key of another kind", layers("outputs: 10}", "outputs: 10, kernel: 3}"), [], 3,
     "{d}/t.yaml:8:52: network.layers.4.kernel: a layer of kind dense has no such key; expected one of 'outputs', 'bias', 'init_gain'"),
    ("missing key of a kind", layers(", kernel: 3", ""), [], 3, "{d}/t.yaml:4:7: network.layers.0: kind conv needs `kernel`"),
    ("unknown source", layers("name: l2,", "name: l2, from: [cf],"), [], 3, None),
    ("a name twice", layers("name: l2", "name: l1"), [], 3, "{d}/t.yaml:9:25: network.layers.5.name: 'l1' is taken"),
    ("matrix on a map", layers("    - {kind: flatten, name: flat}\n", ""), [], 3,
     "{d}/t.yaml:7:7: network.layers.3: a matrix takes a vector, its input is 4 x 4 x 4; put a flatten before it"),
    ("kernel larger than its input", layers("kernel: 3, padding: 1", "kernel: 9"), [], 3,
     "{d}/t.yaml:4:50: network.layers.0.kernel: spans 9 x 9, more than the padded input, 8 x 8"),
    ("window larger than its input", layers("size: 2", "size: 9"), [], 3, "{d}/t.yaml:6:42: network.layers.2.size: spans 9 x 9, more than the padded input, 8 x 8"),
    ("groups that do not divide", layers("kernel: 3, padding: 1", "kernel: 3, groups: 2"), [], 3,
     "{d}/t.yaml:4:61: network.layers.0.groups: 1 channels do not divide into 2 groups"),
    ("three numbers for a kernel", layers("kernel: 3, padding: 1", "kernel: [3, 3, 3]"), [], 3,
     "{d}/t.yaml:4:50: network.layers.0.kernel: expected a number or [rows, columns], got 3 numbers"),
    ("a kernel of no size", layers("kernel: 3, padding: 1", "kernel: [3, 0]"), [], 3, "{d}/t.yaml:4:54: network.layers.0.kernel.1: must be >= 1 (got 0)"),
    ("padding that is no number", layers("padding: 1", "padding: sme"), [], 3,
     "{d}/t.yaml:4:62: network.layers.0.padding: expected whole numbers up to 65536; or same, or valid (got 'sme')"),
    ("one dimension of two", layers("kind: conv,", "kind: conv1d,"), [], 3, "{d}/t.yaml:4:7: network.layers.0: conv1d takes [channels, length], its input is 1 x 8 x 8"),
    ("an array that exploits zeros", keep, ["--set", f"chip.file={ROOT}/configs/chips/mac_array.yaml", "--set", "chip.sparsity.errors=skip"], 3,
     "--set chip.sparsity.errors: chip.sparsity.errors: engines of kind mac_array execute every zero: must be dense; kind sata skips or gates them"),
    ("sum of different shapes", layers("name: l2,", "name: l2, from: [flat, fc],"), [], 3,
     "{d}/t.yaml:9:35: network.layers.5.from: adds outputs of different shapes, 64 and 10"),
    ("weights of no layer", weights(fcc=np.zeros((10, 64))), [], 3, None),
    ("weights of a wrong size", weights(fc=np.zeros((10, 63))), [], 3, None),
    ("weights that are not finite", weights(fc=np.full((10, 64), np.inf)), [], 3, None),
    ("diverging", edit("loss: mse_rate", "loss: ce_membrane"), ["--set", "train.optimizer.lr=1e38", "--set", "train.steps=4"], 5, None),
    ("membranes that are not finite", weights(fc=np.full((10, 64), 3e38)), [], 5, None),
    ("loss beyond its limit", keep, ["--set", "train.loss_limit=0.01"], 5, None),
    ("unwritable output", lambda d: open(f"{d}/out", "w").close(), [], 6, "{d}/out: exists and is not a result directory; choose another with -o"),
    ("unknown option", keep, ["--sett", "x"], 2, None),
    ("no steps", keep, ["--steps", "0"], 2, None),
    ("steps that are no number", keep, ["--steps", "some"], 2, None),
    ("more steps than can be counted", keep, ["--steps", "99999999999999999999"], 2, None),
    ("malformed --fail-if", keep, ["--fail-if", "accuracy"], 2, "--fail-if 'accuracy': expected 'path op number', e.g. 'energy.total_pj > 1e9'"),
    ("resume with another learning rate", checkpoint(), ["--resume", "--set", "train.optimizer.lr=0.2"], 3,
     "--set train.optimizer.lr: train.optimizer.lr: is 0.1 in the checkpoint, now 0.2; --resume continues the same training only ({d}/out.training/checkpoint.h5)"),
    ("resume with another network", lambda d: (checkpoint()(d), golden_nir(f"{d}/net.nir", "conv_atan_hard_detach")), ["--resume"], 3, None),
    ("resume to fewer steps", checkpoint(), ["--resume", "--steps", "1"], 3,
     "{d}/t.yaml:4:10: train: is 1 steps long, the training that --resume continues has made 2 already ({d}/out.training/checkpoint.h5)"),
    ("truncated checkpoint", checkpoint(damage=truncate), ["--resume"], 3, "{d}/out.training/checkpoint.h5: is a damaged or truncated HDF5 file; get a new copy"),
    ("checkpoint without its state", checkpoint(damage=drop_state), ["--resume"], 3,
     "{d}/out.training/checkpoint.h5: root group: key 'state' is missing; this is no checkpoint"),
    ("checkpoint with another weight", checkpoint(damage=change_a_weight), ["--resume"], 3,
     "{d}/out.training/checkpoint.h5: root group: key 'fingerprint' does not match the contents; the checkpoint is damaged"),
    ("checkpoint with a damaged state", checkpoint(damage=garble_state), ["--resume"], 3,
     "{d}/out.training/checkpoint.h5: root group: key 'fingerprint' does not match the contents; the checkpoint is damaged"),
]


def prepare(d):
    golden_nir(f"{d}/net.nir", "mlp_sigmoid_hard_detach")
    np.savez(f"{d}/in.npz", **arrays())
    write(d, FILE)


def corpus():
    refused(CASES, "train", "t.yaml", prepare, silent=())


def divergence_keeps_the_last_checkpoint():
    """Names step, epoch and layer; --resume with the checkpoint is possible afterwards."""
    with scratch() as d:
        golden_nir(f"{d}/net.nir", "mlp_sigmoid_hard_detach")
        np.savez(f"{d}/in.npz", **arrays())
        write(d, FILE)
        args = ("--set", "train.optimizer.lr=1e38", "--set", "train.checkpoint=1", "--set", "train.steps=9", "--set", "train.loss=ce_membrane")
        code, _, err = spikeloom("train", f"{d}/t.yaml", "-o", f"{d}/out", "-q", *args)
        assert code == 5 and "training diverged in step " in err and "layer '" in err, err
        assert "out.training/checkpoint.h5" in err and os.path.exists(f"{d}/out.training/checkpoint.h5"), err
        assert not os.path.exists(f"{d}/out")


if __name__ == "__main__":
    main([corpus, divergence_keeps_the_last_checkpoint])
