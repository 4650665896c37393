# SPDX-License-Identifier: Apache-2.0
"""One timestep of a layer as each framework computes it, and the parameters that its exporter writes for it.

Own work: the frameworks' published update rules, without their code. A layer is (parameters of the NIR node,
step); step(state, I) returns the spikes of all neurons for the summed input I [batch, neurons]. Parameters are
float32 as in the frameworks, sums are float64, and networks of frameworks_test.py have weights on a grid."""
import numpy as np

F = np.float32
wide = np.float64


def _full(n, value, dtype=F):
    return np.full(n, value, dtype)


def _zero(state, key, I):
    return state.setdefault(key, np.zeros_like(I))


# ------------------------------------------------------------------------------------------------ snnTorch
def snntorch(kind, n, rng, mechanism="subtract", delay=True, betas=(0.5, 0.625, 0.75, 0.9, 0.95)):
    """kind: Leaky, Synaptic, or RSynaptic, which loses its input as Synaptic does. dt of the exporter is 1e-4."""
    dt = F(1e-4)
    beta, alpha = (rng.choice(betas, n).astype(F) for _ in range(2))
    threshold = (np.round(rng.uniform(0.6, 1.6, n) * 16) / 16).astype(F)
    tau, tau_syn = dt / (1 - beta), dt / (1 - alpha)
    node = {"r": tau / dt, "v_leak": _full(n, 0), "v_threshold": threshold, "v_reset": _full(n, 0)}
    if kind == "Leaky":
        node.update({"type": "LIF", "tau": tau})
    else:
        node.update({"type": "CubaLIF", "tau_mem": tau, "tau_syn": tau_syn, "w_in": tau_syn / dt})
    b, a, th = (x.astype(wide) for x in (beta, alpha, threshold))

    def step(s, I):
        mem = _zero(s, "mem", I)
        reset = (mem > th).astype(wide)                    # of the membrane that the last timestep left
        if kind != "Leaky":
            I = s["syn"] = a * _zero(s, "syn", I) + I
        if not delay or mechanism == "none":
            mem = b * mem + I
            if not delay and mechanism == "subtract":
                mem = mem - reset * th
        elif mechanism == "subtract":
            mem = b * mem + I - reset * th
        elif kind == "Leaky":
            mem = b * (mem * (1 - reset)) + I
        else:
            mem = (b * mem + I) * (1 - reset)
        spikes = (mem > th).astype(wide)
        if not delay and mechanism == "subtract":
            mem = mem - (spikes - reset) * th
        elif not delay and mechanism == "zero":
            mem = mem - (spikes - reset) * mem
        s["mem"] = mem
        return spikes
    return node, step


def counts_steps(n, rng):
    """IF of snnTorch and Norse: r is 1, and a timestep adds the input."""
    threshold = (np.round(rng.uniform(0.6, 1.6, n) * 16) / 16).astype(F)

    def step(s, I):
        v = _zero(s, "v", I) + I
        z = v > threshold
        s["v"] = np.where(z, 0, v)
        return z.astype(wide)
    return {"type": "IF", "r": _full(n, 1), "v_threshold": threshold, "v_reset": _full(n, 0)}, step


# --------------------------------------------------------------------------------------------------- Norse
def norse(kind, n, rng):
    """LIFBoxCell and LIFCell, dt 1 ms: the exporter of release 1.1.0 writes dt / tau_inv."""
    dt = 1e-3
    mem_inv, syn_inv = (rng.choice([100.0, 200.0, 375.0, 500.0], n).astype(F) for _ in range(2))
    v_leak, v_reset = (np.round(rng.uniform(-0.2, 0.2, n) * 16) / 16 for _ in range(2))
    threshold = np.round(rng.uniform(0.5, 1.2, n) * 16) / 16
    node = {"r": _full(n, 1), "v_leak": v_leak.astype(F), "v_threshold": threshold.astype(F), "v_reset": v_reset.astype(F)}
    tau, tau_syn = (F(dt) / x for x in (mem_inv, syn_inv))
    node.update({"type": "LIF", "tau": tau} if kind == "LIFBoxCell"
                else {"type": "CubaLIF", "tau_mem": tau, "tau_syn": tau_syn})           # w_in is not written
    k, ks = (np.round(dt * x.astype(wide), 9) for x in (mem_inv, syn_inv))

    def step(s, I):
        v = s.setdefault("v", np.zeros_like(I) + v_leak)
        if kind == "LIFCell":
            I = _zero(s, "i", I) + I
            s["i"] = I - ks * I
        v = v + k * ((v_leak - v) + I)
        z = v > threshold
        s["v"] = np.where(z, v_reset, v)
        return z.astype(wide)
    return node, step


# -------------------------------------------------------------------------------------------- SpikingJelly
def spikingjelly(kind, n, rng, dt=1e-4, soft=False):
    """soft: v_reset=None, which the exporter writes as 0."""
    v_reset, threshold = 0.0 if soft else float(np.round(rng.uniform(-0.5, 0.3) * 16) / 16), 1.0
    tau, decay_input = 2.5, kind != "LIFNode without decay_input"
    node = {"v_threshold": _full(n, threshold, wide), "v_reset": _full(n, v_reset, wide)}
    if kind == "IFNode":
        node.update({"type": "IF", "r": _full(n, 1 / dt, wide)})
    else:
        node.update({"type": "LIF", "tau": _full(n, tau * dt, wide), "r": _full(n, 1.0 if decay_input else tau, wide),
                     "v_leak": _full(n, v_reset, wide)})

    def step(s, I):
        v = s.setdefault("v", np.zeros_like(I) + v_reset)
        if kind == "IFNode":
            v = v + I
        elif decay_input:
            v = v + (I - (v - v_reset)) / tau
        else:
            v = v - (v - v_reset) / tau + I
        z = v >= threshold
        s["v"] = v - z * threshold if soft else np.where(z, v_reset, v)
        return z.astype(wide)
    return node, step


# ------------------------------------------------------------------------------------- Sinabs and Rockpool
def _spikes(v, threshold, most=None):
    z = np.where(v > 0, np.trunc(v / threshold), 0)
    return z if most is None else np.minimum(z, most)


def sinabs(kind, n, rng, bound=None, norm_input=True, most=None, to_zero=False):
    """bound: min_v_mem in thresholds. most: 1 for SingleSpike, k for MaxSpike(k). to_zero: MembraneReset. tau is in
    timesteps."""
    threshold = (np.round(rng.uniform(0.6, 1.6, n) * 16) / 16).astype(F)
    tau = rng.choice([4.0, 10.0, 20.0], n).astype(F)
    node = {"r": _full(n, 1), "v_threshold": threshold, "v_reset": _full(n, 0)}
    node.update({"type": "IF"} if kind == "IAF" else {"type": "LIF", "tau": tau, "v_leak": _full(n, 0)})
    th, alpha = threshold.astype(wide), np.exp(-1 / tau.astype(wide))

    def step(s, I):
        v = _zero(s, "v", I)
        v = v + I if kind == "IAF" else alpha * v + ((1 - alpha) * I if norm_input else I)
        z = _spikes(v, th, most)
        v = np.where(z > 0, 0, v) if to_zero else v - z * th
        s["v"] = v if bound is None else np.maximum(v, bound * th)
        return z
    return node, step


def rockpool(n, rng, dt=1e-3):
    tau, tau_syn = (rng.choice([0.01, 0.02, 0.05], n).astype(F) for _ in range(2))
    a, b = (np.exp(-dt / x.astype(wide)) for x in (tau, tau_syn))
    node = {"type": "CubaLIF", "tau_mem": tau, "tau_syn": tau_syn, "v_leak": _full(n, 0), "v_threshold": _full(n, 1),
            "r": (tau * np.exp(F(-dt) / tau) / F(dt)).astype(F)}

    def step(s, I):
        s["i"] = b * (_zero(s, "i", I) + I)
        v = a * _zero(s, "v", I) + s["i"]
        z = _spikes(v, 1.0)
        s["v"] = v - z
        return z
    return node, step


# ------------------------------------------------------------------------------ NIR's own rule and its kin
def euler(n, rng, dt, soft=False):
    """nir-euler, lava and (soft) spyx."""
    tau = dt / rng.choice([0.25, 0.1, 0.5], n)
    threshold = np.round(rng.uniform(0.6, 1.6, n) * 16) / 16

    def step(s, I):
        v = _zero(s, "v", I)
        v = v + (dt / tau) * (-v + (tau / dt) * I)
        z = (v > threshold).astype(wide)
        s["v"] = v - z * threshold if soft else v * (1 - z)
        return z
    return {"type": "LIF", "tau": tau, "r": tau / dt, "v_leak": np.zeros(n), "v_threshold": threshold, "v_reset": np.zeros(n)}, step
