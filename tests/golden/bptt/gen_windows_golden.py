# SPDX-License-Identifier: Apache-2.0
"""Writes windows_avg.npz and windows_max.npz: two convolutions with groups, dilation, steps and padding of their own along each axis, a pool
whose windows overlap, neurons with a decaying current; one BPTT step by PyTorch's autograd. Used by tests/system/train_numerics_test.py.
Usage: python3 gen_windows_golden.py (needs torch, 1.13 was used)."""
import os

import numpy as np
import torch
import torch.nn.functional as F

HERE = os.path.dirname(os.path.abspath(__file__))
STEPS = 4


class Spike(torch.autograd.Function):
    """1 where x >= 0; derivative alpha / 2 / (1 + (pi / 2 alpha x)^2), alpha = 4."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return (x >= 0).float()

    @staticmethod
    def backward(ctx, g):
        x, = ctx.saved_tensors
        return g * (2 / (1 + (np.pi / 2 * 4 * x) ** 2))


def lif(u, s, current):
    """Hard reset to 0, cut from the gradient."""
    u = 0.5 * u * (1 - s.detach()) + current
    return u, Spike.apply(u - 1)


def network(x, a, b, bias, c, mean):
    zero = torch.zeros(1)
    i1 = u1 = s1 = u2 = s2 = u3 = s3 = zero
    spikes, out, margin = [], 0, 1.0
    for _ in range(STEPS):
        i1 = 0.25 * i1 + F.conv2d(x, a, padding="same", dilation=(2, 1), groups=2)
        u1, s1 = lif(u1, s1, i1)
        pool = F.avg_pool2d if mean else F.max_pool2d
        u2, s2 = lif(u2, s2, F.conv2d(pool(s1, (3, 2), (2, 1), (1, 0)), b, bias, stride=(1, 2), padding=(0, 1), groups=8))
        u3, s3 = lif(u3, s3, s2.flatten(1) @ c.T)
        spikes.append((s1, s2, s3))
        margin = min([margin] + [float((u - 1).abs().min()) for u in (u1, u2, u3)])
        out = out + s3
    return out / STEPS, margin, [torch.stack([t[k].flatten(1) for t in spikes]).detach().numpy().astype(np.uint8) for k in range(3)]


def case(name, seed):
    """Arrays of a case; none where a membrane lies so near its threshold that rounding decides, or a layer is silent."""
    rng = np.random.RandomState(seed)
    x, y = rng.rand(8, 4, 9, 7).astype(np.float32), rng.randint(0, 5, 8)
    arrays = {"a": rng.randn(8, 2, 3, 4) * 0.5, "b": rng.randn(16, 1, 2, 3) * 0.8, "b.bias": rng.randn(16) * 0.1, "c": rng.randn(5, 192) * 0.3}
    p = {k: torch.tensor(v.astype(np.float32), requires_grad=True) for k, v in arrays.items()}
    out, margin, spikes = network(torch.tensor(x), p["a"], p["b"], p["b.bias"], p["c"], name == "avg")
    if margin < 1e-5 or min(s.sum() for s in spikes) < 10:
        return None
    ((out - F.one_hot(torch.tensor(y), 5).float()) ** 2).mean().backward()
    return ({"x": x, "y": y} | {f"s{k + 1}": s for k, s in enumerate(spikes)} | {f"init_{k}": v.detach().numpy() for k, v in p.items()}
            | {f"grad_{k}": v.grad.numpy() for k, v in p.items()})


def main():
    for name in ("avg", "max"):
        seed = 0
        while (arrays := case(name, seed)) is None:
            seed += 1
        np.savez_compressed(f"{HERE}/windows_{name}.npz", **arrays)


if __name__ == "__main__":
    main()
