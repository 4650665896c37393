# SPDX-License-Identifier: Apache-2.0
"""What the tests of training share: golden networks as .nir files, training files, reading a dump."""
import os

import h5py
import numpy as np

from support import ROOT, spikeloom
from nir_writer import write_nir

GOLDEN = os.path.join(ROOT, "tests", "golden", "bptt")
DIGITS = f"{GOLDEN}/digits_split.npz"
DT = 1e-4
SURROGATES = {"sigmoid": "{kind: sigmoid, alpha: 4}", "atan": "{kind: atan, alpha: 4}", "triangle": "{kind: triangle, width: 1}",
              "rect": "{kind: rect, width: 0.5}"}
CASES = ["mlp_sigmoid_hard_detach", "mlp_atan_hard_detach", "mlp_triangle_hard_detach", "mlp_rect_hard_nodetach", "mlp_sigmoid_hard_nodetach",
         "mlp_sigmoid_soft_detach", "mlp_atan_soft_nodetach", "conv_sigmoid_hard_detach", "conv_atan_hard_detach", "conv_atan_hard_nodetach",
         "conv_rect_hard_nodetach"]


def lif(shape):
    """u = 0.5 u + i: tau = 2 dt, r = tau / dt."""
    full = lambda v: np.full(shape, v)
    return {"type": "LIF", "tau": full(2 * DT), "r": full(2.0), "v_leak": full(0.0), "v_threshold": full(1.0), "v_reset": full(0.0)}


def golden_nir(path, case):
    """The golden network with its initial weights; layers w1, lif1, w2, lif2. The convolution's bias is zero."""
    z = np.load(f"{GOLDEN}/{case}.npz")
    if case.startswith("mlp"):
        nodes = {"input": {"type": "Input", "shape": np.array([64])}, "w1": {"type": "Linear", "weight": z["w1_init"]}, "lif1": lif(128)}
        edges = [("input", "w1"), ("w1", "lif1"), ("lif1", "w2")]
    else:
        nodes = {"input": {"type": "Input", "shape": np.array([1, 8, 8])},
                 "w1": {"type": "Conv2d", "input_shape": np.array([8, 8]), "weight": z["w1_init"], "stride": np.array([1, 1]),
                        "padding": np.array([1, 1]), "dilation": np.array([1, 1]), "groups": 1, "bias": np.zeros(8, np.float32)},
                 "lif1": lif((8, 8, 8)),
                 "pool": {"type": "AvgPool2d", "kernel_size": np.array([2, 2]), "stride": np.array([2, 2]), "padding": np.array([0, 0])},
                 "flatten": {"type": "Flatten", "start_dim": 0, "end_dim": -1, "input_type": np.array([8, 4, 4])}}
        edges = [("input", "w1"), ("w1", "lif1"), ("lif1", "pool"), ("pool", "flatten"), ("flatten", "w2")]
    nodes |= {"w2": {"type": "Linear", "weight": z["w2_init"]}, "lif2": lif(10), "output": {"type": "Output", "shape": np.array([10])}}
    write_nir(path, nodes, edges + [("w2", "lif2"), ("lif2", "output")])
    return z


def golden_yaml(path, case, network="golden.nir", length="steps: 3", optimizer="{kind: sgd, lr: 0.1}", shuffle="false", more=""):
    _, surrogate, reset, detach = case.split("_")
    with open(path, "w") as f:
        f.write(f"""network: {{file: {network}}}
profile: {{preset: nir-euler, dt: 100 us, compare: ">=", reset: {"value" if reset == "hard" else "subtract"}}}
data:    {{file: {DIGITS}, x: x_train, y: y_train, x_test: x_test, y_test: y_test, encoding: constant, shuffle: {shuffle}}}
train:   {{algorithm: bptt, detach_reset: {"true" if detach == "detach" else "false"}, timesteps: 8, batch: 32, {length}, loss: mse_rate,
          surrogate: {SURROGATES[surrogate]}, optimizer: {optimizer}}}
{more}""")


def train(file, out, *args, expect=0):
    code, stdout, stderr = spikeloom("train", file, "-o", out, "-q", *args)
    assert code == expect, f"exit code {code}, expected {expect}: {stderr}"
    return stdout, stderr


def dumped(out):
    """{'step0/lif1/spikes': array}"""
    arrays = {}
    with h5py.File(f"{out}/dump.h5", "r") as f:
        f.visititems(lambda name, item: arrays.__setitem__(name, item[()]) if isinstance(item, h5py.Dataset) else None)
    return arrays


def final_weights(out):
    with h5py.File(f"{out}/trained.nir", "r") as f:
        return {n: f[f"node/nodes/{n}/weight"][()] for n in f["node/nodes"] if "weight" in f[f"node/nodes/{n}"]}
