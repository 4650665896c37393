#!/usr/bin/python3
"""More golden gradients for training: one small network per case, all by PyTorch's autograd (float32).

PLIF, ALIF, CUBA, recurrent (SRNN, LSNN), batch norm per timestep and tdBN, SEW-ADD and a membrane shortcut, max
pooling, atan with a soft reset and T = 4, TET on membranes, OTTT and SLTT timestep by timestep. Inputs are the first
8 training digits of digits_split.npz: constant, or (`rows`) row t of the image at timestep t.
more.npz holds for each case <case>/<name>: initial parameters, gradients (grad_<name>), spikes of the hidden layer,
outputs and the loss. A seed is taken for which no membrane lies within 1e-5 of its threshold.

    gen_more_golden.py --out DIR        (needs torch; the test suite reads more.npz and does not)
"""
import argparse
import os

import numpy as np
import torch
import torch.nn.functional as F

HERE = os.path.dirname(os.path.abspath(__file__))
B, HIDDEN, VTH = 8, 32, 1.0
torch.set_num_threads(1)
torch.use_deterministic_algorithms(True)


def atan(x, a):
    return a / 2 / (1 + (np.pi / 2 * a * x) ** 2)


def sigmoid(x, a):
    s = torch.sigmoid(a * x)
    return a * s * (1 - s)


class Spike(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, h, a):
        ctx.save_for_backward(x)
        ctx.h, ctx.a = h, a
        return (x >= 0).to(x.dtype)

    @staticmethod
    def backward(ctx, g):
        return g * ctx.h(ctx.saved_tensors[0], ctx.a), None, None


class Lif:
    """u = leak (u after reset) + i; leak may be sigmoid(a). Parts: adaptation (r, q, beta), current decay, recurrence."""

    def __init__(self, net, leak=0.5, reset='hard', adaptation=None, decay=None, recurrent=None, fires=True):
        self.net, self.leak, self.reset = net, leak, reset
        self.adaptation, self.decay, self.recurrent, self.fires = adaptation, decay, recurrent, fires
        self.u = self.s = self.a = self.i = None

    def step(self, x):
        zero = torch.zeros_like(x)
        u, s, a, i = [zero if v is None else v for v in (self.u, self.s, self.a, self.i)]
        if self.net.no_time:                      # OTTT, SLTT: nothing goes through time
            u, s, a, i = u.detach(), s.detach(), a.detach(), i.detach()
        current = x if self.recurrent is None else x + s @ self.recurrent.t()
        if self.decay is not None:
            current = self.decay * i + current
        reset = s.detach() if self.net.detach else s
        leak = torch.sigmoid(self.leak) if torch.is_tensor(self.leak) else self.leak
        kept = leak * u * (1 - reset) if self.reset == 'hard' else leak * (u - VTH * reset)
        self.u, self.i = (kept if self.fires else leak * u) + current, current
        if not self.fires:
            return self.u
        threshold = VTH
        if self.adaptation:
            r, q, beta = self.adaptation
            self.a = r * a + q * s
            threshold = VTH + beta * self.a
        over = self.u - threshold
        self.net.margin = min(self.net.margin, float(over.detach().abs().min()))
        self.s = Spike.apply(over, self.net.h, self.net.alpha)
        return self.s


class Net:
    """Parameters by name, uniform(-k, k), k = gain sqrt(6 / fan_in)."""

    def __init__(self, seed, shapes, h=sigmoid, alpha=4.0, detach=True, no_time=False):
        g = torch.Generator().manual_seed(seed)
        self.h, self.alpha, self.detach, self.no_time, self.margin = h, alpha, detach, no_time, 1e9
        self.p = {}
        for name, (shape, gain) in shapes.items():
            fan = int(np.prod(shape[1:])) or 1
            k = gain * (6.0 / fan) ** 0.5
            self.p[name] = ((torch.rand(shape, generator=g) * 2 - 1) * k).requires_grad_(True)

    def fill(self, name, value):
        with torch.no_grad():
            self.p[name].fill_(value)

    def __getattr__(self, name):
        return self.__dict__['p'][name]


def mse_rate(outputs, y):
    return ((sum(outputs) / len(outputs) - F.one_hot(y, 10).float()) ** 2).mean()


def tet(outputs, y, lam=0.05, phi=1.0):
    ce = sum(F.cross_entropy(o, y) for o in outputs) / len(outputs)
    return (1 - lam) * ce + lam * sum(((o - phi) ** 2).mean() for o in outputs) / len(outputs)


def mlp_shapes(inputs=64):
    return {'w1': ((HIDDEN, inputs), 1.0), 'w2': ((10, HIDDEN), 1.5)}


def plain(net, xs, hidden, last):
    """64-32-10; returns spikes of the hidden layer and outputs."""
    s, o = [], []
    for x in xs:
        s.append(hidden.step(x @ net.w1.t()))
        o.append(last.step(s[-1] @ net.w2.t()))
    return s, o


def case_atan_soft_t4(seed, x):
    net = Net(seed, mlp_shapes(), atan, 2.0, detach=False)
    return net, plain(net, [x] * 4, Lif(net, reset='soft'), Lif(net, reset='soft')), mse_rate


def case_plif(seed, x):
    net = Net(seed, {**mlp_shapes(), 'a1': ((1,), 0.3), 'a2': ((1,), 0.3)}, detach=False)
    return net, plain(net, [x] * 6, Lif(net, net.a1), Lif(net, net.a2, reset='soft')), mse_rate


def case_alif(seed, x):
    net = Net(seed, mlp_shapes(), detach=False)
    return net, plain(net, [x] * 8, Lif(net, 0.75, adaptation=(0.9, 0.1, 1.7)), Lif(net)), mse_rate


def case_cuba(seed, x):
    net = Net(seed, mlp_shapes())
    return net, plain(net, [0.5 * x] * 8, Lif(net, 0.75, decay=0.5), Lif(net, 0.75, decay=0.5)), mse_rate


def case_tet_membrane(seed, x):
    net = Net(seed, mlp_shapes())
    return net, plain(net, [x] * 6, Lif(net), Lif(net, fires=False)), tet


def rows(x):
    return [2 * x[:, 8 * t:8 * t + 8] for t in range(8)]


def case_srnn(seed, x):
    net = Net(seed, {**mlp_shapes(8), 'r': ((HIDDEN, HIDDEN), 0.7)}, detach=False)
    return net, plain(net, rows(x), Lif(net, 0.75, recurrent=net.r), Lif(net, 0.9, fires=False)), tet


def case_lsnn(seed, x):
    net = Net(seed, {**mlp_shapes(8), 'r': ((HIDDEN, HIDDEN), 0.7)})
    hidden = Lif(net, 0.9, reset='soft', adaptation=(0.95, 0.05, 1.7), recurrent=net.r)
    return net, plain(net, rows(x), hidden, Lif(net, 0.9, fires=False)), tet


def case_sltt_online(seed, x):
    net = Net(seed, mlp_shapes(8), no_time=True)
    return net, plain(net, rows(x), Lif(net, 0.75), Lif(net, 0.9, fires=False)), lambda o, y: tet(o, y, 0)


def case_sew_add(seed, x):
    """s1 + SN(W s1) -> W2; and a shortcut of currents: the last neurons get W2 (s1 + s2) + W3 s1."""
    net = Net(seed, {**mlp_shapes(), 'wr': ((HIDDEN, HIDDEN), 1.2), 'w3': ((10, HIDDEN), 0.7)}, detach=False)
    first, second, last = Lif(net), Lif(net), Lif(net)
    s, o = [], []
    for _ in range(6):
        s1 = first.step(x @ net.w1.t())
        s2 = second.step(s1 @ net.wr.t())
        s.append(s1 + s2)
        o.append(last.step(s[-1] @ net.w2.t() + s1 @ net.w3.t()))
    return net, (s, o), mse_rate


def conv_net(seed, x, norm):
    """conv 3x3 1->4, norm, LIF, max pool 2, fc. `norm` maps currents [T, B, C, H, W]."""
    shapes = {'w1': ((4, 1, 3, 3), 2.0), 'gamma': ((4,), 0.0), 'beta': ((4,), 0.0), 'w2': ((10, 64), 1.5)}
    net = Net(seed, shapes)
    with torch.no_grad():
        net.gamma.copy_(torch.tensor([0.8, 1.2, 1.0, 1.1]))
        net.beta.copy_(torch.tensor([0.3, 0.1, 0.4, 0.2]))
    image = x.reshape(-1, 1, 8, 8)
    currents = torch.stack([F.conv2d(image * (1 + 0.1 * t), net.w1, padding=1) for t in range(4)])
    hidden, last = Lif(net), Lif(net)
    s, o = [], []
    for current in norm(net, currents):
        s.append(hidden.step(current))
        o.append(last.step(F.max_pool2d(s[-1], 2).flatten(1) @ net.w2.t()))
    return net, (s, o), mse_rate


def case_bn_conv(seed, x):
    return conv_net(seed, x, lambda net, c: [F.batch_norm(i, None, None, net.gamma, net.beta, True) for i in c])


def case_tdbn_conv(seed, x):
    def norm(net, c):
        y = F.batch_norm(c.flatten(0, 1), None, None, None, None, True).reshape(c.shape)
        return 0.7 * VTH * net.gamma.reshape(1, 1, 4, 1, 1) * y + net.beta.reshape(1, 1, 4, 1, 1)
    return conv_net(seed, x, norm)


def ottt(seed, x):
    """Forward as LIF without gradient through time; dW[t] = g[t] a[t]^T by hand from autograd's dL/d current."""
    net = Net(seed, mlp_shapes(8), no_time=True)
    leaks, traces, total = (0.75, 0.9), [0, 0], {'w1': 0, 'w2': 0}
    hidden, last = Lif(net, leaks[0]), Lif(net, leaks[1], fires=False)
    s, o, loss = [], [], 0
    for now in rows(x):
        i1 = now @ net.w1.t()
        s.append(hidden.step(i1))
        i2 = s[-1] @ net.w2.t()
        o.append(last.step(i2))
        part = F.cross_entropy(o[-1], y8()) / 8
        g1, g2 = torch.autograd.grad(part, [i1, i2], retain_graph=True)
        for k, (name, inp, g) in enumerate((('w1', now, g1), ('w2', s[-1].detach(), g2))):
            traces[k] = leaks[k] * traces[k] + inp
            total[name] = total[name] + g.t() @ traces[k]
        loss = loss + part.detach()
    for name, g in total.items():
        net.p[name].grad = g
    return net, (s, o), loss


def y8():
    return torch.from_numpy(np.load(f'{HERE}/digits_split.npz')['y_train'][:B].astype(np.int64))


def run(name, make, x):
    for seed in range(1, 200):
        made = make(seed, x)
        net, (s, o) = made[0], made[1]
        if net.margin < 1e-5 or sum(float(v.detach().sum()) for v in s) < 20:
            continue
        loss = made[2]
        if callable(loss):
            loss = loss(o, y8())
            loss.backward()
        d = {f'{name}/loss': np.float32(float(loss)), f'{name}/out': torch.stack(o).detach().numpy(),
             f'{name}/spikes': torch.stack(s).detach().numpy().astype(np.uint8)}
        for key, p in net.p.items():
            d[f'{name}/{key}'] = p.detach().numpy()
            d[f'{name}/grad_{key}'] = p.grad.numpy()
        print(name, 'seed', seed, 'loss', float(loss), 'margin', net.margin)
        return d
    raise SystemExit(name + ': no seed is good enough')


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument('--out', default=HERE)
    o = ap.parse_args()
    x = torch.from_numpy(np.load(f'{HERE}/digits_split.npz')['x_train'][:B])
    cases = {k[5:]: f for k, f in globals().items() if k.startswith('case_')}
    cases['ottt_online'] = ottt
    d = {}
    for name, make in cases.items():
        d.update(run(name, make, x))
    np.savez_compressed(f'{o.out}/more.npz', **d)


if __name__ == '__main__':
    main()
