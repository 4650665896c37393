# SPDX-License-Identifier: Apache-2.0
"""Input data: every verb that reads some holds every reader to the same rules (docs/reference/input-data.md)."""
import os

import h5py
import numpy as np

from support import ROOT, main, recorded, scratch, spikeloom, stats
from nir_writer import write_nir

SHAPE = (2, 3, 4)
N = 24
OUT = 3


def lif(n):
    return {"type": "LIF", "tau": np.full(n, 1e-3), "r": np.ones(n), "v_leak": np.zeros(n), "v_threshold": np.full(n, 0.5), "v_reset": np.zeros(n)}


def prepare(d):
    """A network [2, 3, 4] -> 3 classes, and its run and training files without data."""
    weight = np.random.default_rng(1).random((OUT, N)).astype(np.float32)
    write_nir(f"{d}/net.nir", {"input": {"type": "Input", "shape": np.array(SHAPE)},
                               "flat": {"type": "Flatten", "start_dim": 0, "end_dim": -1, "input_type": np.array(SHAPE)},
                               "fc": {"type": "Linear", "weight": weight}, "out": lif(OUT), "output": {"type": "Output", "shape": np.array([OUT])}},
              [("input", "flat"), ("flat", "fc"), ("fc", "out"), ("out", "output")])
    with open(f"{d}/run.yaml", "w") as f:
        f.write(f"""network: {{file: net.nir}}
profile: {{preset: nir-euler, dt: 1 ms}}
input: {{file: x.npz, array: x, encoding: spikes}}
chip: {{file: {ROOT}/configs/chips/mesh45.yaml, core: {{soma: {{arithmetic: float64}}}}}}
record: [spikes]
""")
    with open(f"{d}/train.yaml", "w") as f:
        f.write("""network: {file: net.nir}
profile: {preset: nir-euler, dt: 1 ms}
data: {file: x.npz, x: x, y: y, encoding: spikes}
train: {algorithm: bptt, timesteps: 4, batch: 2, steps: 1, loss: mse_rate, surrogate: {kind: sigmoid, alpha: 4}, optimizer: {kind: sgd, lr: 0.1}}
""")


def out_of(verb):
    """A result of one verb does not replace that of another."""
    return "trained" if verb == "train" else "out"


def ask(verb, d, **keys):
    """(exit code, stderr); keys are those of the verb's data section, with dots as they are written."""
    section = "data" if verb == "train" else "input"
    if "file" in keys:
        keys["file"] = f"{d}/{keys['file']}"
    sets = [a for k, v in keys.items() for a in ("--set", f"{section}.{k}={v}")]
    out = [] if verb == "map" else ["-o", f"{d}/{out_of(verb)}"]
    code, _, err = spikeloom(verb, f"{d}/{verb if verb == 'train' else 'run'}.yaml", *out, *sets)
    return code, err


VERBS = ("run", "map", "train")
GOOD = np.ones((5, 4, *SHAPE), np.uint8)
LABELS = np.array([0, 1, 2, 0])
# name, array, labels, encoding, word of the refusal (None: taken)
ARRAYS = [
    ("as it should be", GOOD, LABELS, "spikes", None),
    ("flat", GOOD.reshape(5, 4, N), LABELS, "spikes", None),
    ("axis of one", GOOD.reshape(5, 4, 1, *SHAPE), LABELS, "spikes", None),
    ("labels as a column", GOOD, LABELS[:, None], "spikes", None),
    ("channels last", np.moveaxis(GOOD, 2, -1), LABELS, "spikes", "channels are last"),
    ("channels last, constant", np.moveaxis(GOOD[0], 1, -1), LABELS, "constant", "numpy.moveaxis(x, -1, 1)"),
    ("axes of another order", np.moveaxis(GOOD, 3, 4), LABELS, "spikes", "transpose it"),
    ("too few values", GOOD[..., :3], LABELS, "spikes", "a sample has 18 values, shape [2, 3, 3]; the network's input has 24, shape [2, 3, 4]"),
    ("samples first", np.moveaxis(GOOD, 0, 1), LABELS, "spikes", "4 labels for 5 samples"),
    ("no samples", GOOD[:, :0], LABELS[:0], "spikes", "there are no samples"),
    ("no samples, constant", GOOD[0, :0], LABELS[:0], "constant", "there are no samples"),
    ("no timesteps", GOOD[:0], LABELS, "spikes", "there are no timesteps"),
    ("labels from 1", GOOD, LABELS + 1, "spikes", "(these count from 1)"),
    ("labels beyond", GOOD, LABELS + 7, "spikes", "label 7 of sample 0; the network has 3 outputs"),
    ("label -1", GOOD, LABELS - 1, "spikes", "label -1 of sample 0; expected a whole number"),
    ("label 0.5", GOOD, LABELS + 0.5, "spikes", "label 0.5 of sample 0; expected a whole number"),
    ("label nan", GOOD, LABELS * np.nan, "spikes", "label nan of sample 0; expected a whole number"),
    ("label 2^64 - 1", GOOD, np.full(4, 2**64 - 1, np.uint64), "spikes", "expected a whole number"),
    ("one-hot", GOOD, np.eye(4)[LABELS], "spikes", "argmax"),
    ("labels of other samples", GOOD, LABELS[:3], "spikes", "3 labels for 4 samples"),
    ("inf", GOOD * np.inf, LABELS, "spikes", "finite"),
]


def every_verb_has_the_same_rules():
    with scratch() as d:
        prepare(d)
        for name, x, y, encoding, word in ARRAYS:
            np.savez(f"{d}/x.npz", x=x, y=y)
            for verb in VERBS:
                keys = {"encoding": encoding}
                if verb != "train":
                    keys |= {"labels": "y"} | ({"timesteps": 5} if encoding == "constant" else {})
                code, err = ask(verb, d, **keys)
                assert code == (0 if word is None else 3), (verb, name, code, err)
                assert word is None or (word in err and "x.npz" in err and err.count("\n") == 1), (verb, name, err)


def the_order_of_axes_is_a_key():
    spikes = np.random.default_rng(2).integers(0, 2, (5, 4, *SHAPE)).astype(np.uint8)
    with scratch() as d:
        prepare(d)
        results = []
        for order, x in (("timesteps_first", spikes), ("samples_first", np.moveaxis(spikes, 0, 1))):
            np.savez(f"{d}/x.npz", x=x, y=LABELS)
            assert ask("train", d, order=order)[0] == 0
            results.append(open(f"{d}/trained/trained.nir", "rb").read())
            code, err = ask("run", d, order=order, labels="y")
            assert code == 0, err
            results.append(recorded(f"{d}/out", "out").tobytes())
        assert results[0] == results[2] and results[1] == results[3]
        for verb in VERBS:
            code, err = ask(verb, d, order="samples_first", encoding="constant", **({} if verb == "train" else {"timesteps": 3}))
            assert code == 3 and "order" in err, err


def spikes_of_255_are_told():
    with scratch() as d:
        prepare(d)
        np.savez(f"{d}/x.npz", x=GOOD * 255, y=LABELS)
        for verb in VERBS:
            code, err = ask(verb, d)
            assert code == 0 and "every spike has the value 255" in err, (verb, err)
            code, err = ask(verb, d, scale=1 / 255)
            assert code == 0 and "255" not in err, (verb, err)


def nirdata(path, attributes, **data):
    with h5py.File(path, "w") as f:
        g = f.create_group("nodes/input/observables/spikes")
        g.attrs.update(attributes)
        for k, v in data.items():
            g.create_dataset(k, data=v)


def events_in_seconds_go_onto_the_grid_of_the_run():
    idx = np.array([[0, 1, 2, 23, -1], [0, 3, 1, 2, -1]])
    time = np.array([[0.0, 0.003, 0.0057, 0.0099, np.inf], [0.0, 0.001, 0.0020001, 0.002, np.inf]])
    want = {(0, 0, 0), (0, 3, 1), (0, 5, 2), (0, 9, 23), (1, 0, 0), (1, 1, 3), (1, 2, 1), (1, 2, 2)}
    grid = np.zeros((2, 10, N), np.uint8)
    for place in want:
        grid[place] = 1
    attributes = {"n_neurons": N, "t_max": 0.01}
    keys = dict(file="x.h5", array="input")
    with scratch() as d:
        prepare(d)
        results = {}
        for name, extra, data in (("grid", {"dt": 1e-3}, {"data": grid}), ("events", attributes, {"idx": idx, "time": time}),
                                  ("float32", attributes, {"idx": idx, "time": time.astype(np.float32)}),
                                  ("events with dt", attributes | {"dt": 1e-3}, {"idx": idx, "time": time}),
                                  ("values", attributes, {"idx": idx, "time": time, "value": np.ones((2, 5))})):
            nirdata(f"{d}/x.h5", extra, **data)
            code, err = ask("run", d, **keys)
            assert code == 0, (name, err)
            results[name] = recorded(f"{d}/out", "out")
            assert results[name].shape == (2, 10, OUT), name
        assert all((r == results["grid"]).all() for r in results.values()), results
        for extra, data, word in (({"dt": 1e-4}, {"data": grid}, "attribute 'dt' is 0.0001 s, but a timestep of the run, profile.dt, is 0.001 s"),
                                  (attributes | {"dt": 1e-4}, {"idx": idx, "time": time}, "attribute 'dt' is 0.0001 s"),
                                  (attributes, {"idx": idx, "time": time, "value": np.ones((2, 4))}, "key 'value' must have the shape of 'idx'"),
                                  ({"dt": 1e-3}, {"data": grid[..., :7]}, "a sample has 7 values, shape [7]; the network's input has 24"),
                                  ({"dt": 1e-3}, {"data": grid[:0]}, "there are no samples")):
            nirdata(f"{d}/x.h5", extra, **data)
            for verb in ("run", "map"):
                code, err = ask(verb, d, **keys)
                assert code == 3 and word in err, (word, err)


def silent_samples_are_kept():
    with scratch() as d:
        prepare(d)
        with open(f"{d}/x.csv", "w") as f:
            f.write("\ufeffsample,step,address\n0,0,5\n1,2,7\n")
        for verb in ("run", "map"):
            code, err = ask(verb, d, file="x.csv")
            assert code == 0 and "2 samples of 3 timesteps, up to the last event" in err, err
            code, err = ask(verb, d, file="x.csv", samples=4, timesteps=6)
            assert code == 0 and "note" not in err, err
        assert ask("run", d, file="x.csv", samples=4, timesteps=6)[0] == 0
        assert recorded(f"{d}/out", "out").shape == (4, 6, OUT)
        code, err = ask("run", d, file="x.csv", samples=1)
        assert code == 3 and "sample 1 has events, input.samples is 1" in err, err


def rounded(x, bits, rounding):
    """As `input.bits` says: multiples of 2^-k, the largest k with which the largest value has so many bits."""
    k = 30
    while k > 0 and np.ceil(np.abs(x).max() * 2.0**k) > 2**bits - 1:
        k -= 1
    return {"nearest": np.rint, "floor": np.floor}[rounding](x * 2.0**k) / 2.0**k, k


def float_images_are_rounded_and_the_loss_is_counted():
    x = (np.random.default_rng(3).random((4, *SHAPE)) * 0.9 + 1e-4).astype(np.float32)
    x[0, 0, 0, 0] = 0
    with scratch() as d:
        prepare(d)
        fixed = ("--set", "chip.core.soma.arithmetic=fixed")

        def run(values, *sets):
            np.savez(f"{d}/x.npz", x=values)
            code, _, err = spikeloom("run", f"{d}/run.yaml", "-o", f"{d}/out", "--set", "input.encoding=constant", "--set", "input.timesteps=5",
                                     *fixed, *[a for s in sets for a in ("--set", f"input.{s}")])
            return code, err

        code, err = run(x)
        assert code == 4 and "`input.bits: 8` rounds its values" in err, err
        for rounding in ("nearest", "floor"):
            want, k = rounded(x.astype(float), 8, rounding)
            assert run(want)[0] == 0
            exact = recorded(f"{d}/out", "out")
            assert "input" not in stats(f"{d}/out")
            code, err = run(x, "bits=8", f"rounding={rounding}")
            assert code == 0 and f"rounded to 8 bits, multiples of 2^-{k}" in err, err
            assert (recorded(f"{d}/out", "out") == exact).all()
            told = stats(f"{d}/out")["input"]
            error = np.abs(want - x)
            assert told["max_error"] == error.max() and abs(told["mean_error"] - error.sum() / (x != 0).sum()) < 1e-12, told
            assert (told["bits"], told["exponent"], told["values"]) == (8, k, (x != 0).sum()), told
            assert (told["changed"], told["zeroed"]) == ((error != 0).sum(), ((want == 0) & (x != 0)).sum()), told
        seen = set()
        for seed in (1, 1, 2):
            assert run(x, "bits=4", "rounding=stochastic", f"seed={seed}")[0] == 0
            told = stats(f"{d}/out")["input"]
            assert told["max_error"] < 2.0**-told["exponent"]
            seen.add(told["mean_error"])
        assert len(seen) == 2
        assert spikeloom("run", f"{d}/run.yaml", "-o", f"{d}/out", "-q", "--set", "input.encoding=constant", "--set", "input.timesteps=5", *fixed,
                         "--set", "input.bits=8", "--fail-if", "input.max_error > 1e-6")[0] == 1
        for sets, word in ((("rounding=floor",), "input.rounding does nothing without input.bits"),
                           (("bits=8", "encoding=bernoulli"), "input.bits is for values that are presented"), (("bits=8", "scale=1000"), "do not fit input.bits: 8")):
            code, err = run(x, *sets)
            assert code == 3 and word in err, err


def headers_are_not_believed():
    with scratch() as d:
        prepare(d)
        for shape in ("(0, 999999999999, 2, 3, 4)", "(5, 0, 999999999999)", "(5, 8000000000, 0)"):
            header = f"{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
            with open(f"{d}/x.npy", "wb") as f:
                f.write(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode())
            for verb in ("run", "map"):
                code, err = ask(verb, d, file="x.npy")
                assert code == 3, err
        os.mkfifo(f"{d}/pipe.npz")
        for verb in VERBS:
            code, err = ask(verb, d, file="pipe.npz")
            assert code == 6 and "not a regular file" in err, err


def arrays_of_a_weights_file_are_parameters():
    layers = "[{kind: dense, name: fc, outputs: 3}, {kind: batch_norm, name: bn}, {kind: plif, name: n}, {kind: flatten, name: f}]"
    with scratch() as d:
        prepare(d)
        np.savez(f"{d}/x.npz", x=GOOD.reshape(5, 4, N), y=LABELS)
        for name, word in (("bn.running_mean", "unknown `running_mean`"), ("n.w", "unknown `w`"), ("n.recurrent", "unknown `recurrent`"),
                           ("fc.gain", "unknown `gain`"), ("f.weight", "takes no arrays"), ("bn.gamma", None), ("n.leak", None),
                           ("n.threshold", None)):
            np.savez(f"{d}/w.npz", **{name: np.ones(3, np.float32) * 0.5})
            with open(f"{d}/train.yaml") as f:
                text = f.read().replace("network: {file: net.nir}", f"network: {{input: [{N}], weights: {{file: w.npz}}, layers: {layers}}}")
            with open(f"{d}/t.yaml", "w") as f:
                f.write(text)
            code, _, err = spikeloom("train", f"{d}/t.yaml", "-q", "-o", f"{d}/out")
            assert code == (3 if word else 0) and (word or "") in err, (name, err)


def parameters_that_fit_two_axes_are_refused():
    n = 3
    with scratch() as d:
        for shape, word in (((n,), "store it as [3, 1, 1] for one value a channel, or [1, 1, 3] for the last axis"), ((n, 1, 1), None), ((1, 1, n), None),
                            ((n, n), "store it as [3, 3, 1]")):
            parameters = {k: np.full(shape, v) for k, v in (("tau", 1e-3), ("r", 1.0), ("v_leak", 0.0), ("v_threshold", 0.5), ("v_reset", 0.0))}
            write_nir(f"{d}/net.nir", {"input": {"type": "Input", "shape": np.array([n, n, n])}, "a": {"type": "LIF", **parameters},
                                       "output": {"type": "Output", "shape": np.array([n, n, n])}}, [("input", "a"), ("a", "output")])
            code, _, err = spikeloom("inspect", f"{d}/net.nir")
            assert code == (3 if word else 0) and (word or "") in err, (shape, err)


if __name__ == "__main__":
    main([every_verb_has_the_same_rules, the_order_of_axes_is_a_key, spikes_of_255_are_told, events_in_seconds_go_onto_the_grid_of_the_run,
          silent_samples_are_kept, float_images_are_rounded_and_the_loss_is_counted, headers_are_not_believed, arrays_of_a_weights_file_are_parameters, parameters_that_fit_two_axes_are_refused])
