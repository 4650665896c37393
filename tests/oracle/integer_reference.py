# SPDX-License-Identifier: Apache-2.0
"""Independent integer interpreter of the fixed-point rule of docs/concepts/fixed-point.md.

No cores, no packets, no delays between layers: one numpy statement per rule. Reads the .nir through
nir_reference.py and the chip's widths from a resolved configuration (a dict)."""
import math

import numpy as np

from nir_reference import INTEGRATORS, NEURONS, POOLS, Reference, conv1d, conv2d, matvec, pool, pool_taps

FIRES = NEURONS + ("Threshold",)
NEURON = FIRES + INTEGRATORS


def snap(x):
    x = np.asarray(x, dtype=np.float64)
    m, e = np.frexp(x)
    return np.ldexp(np.rint(np.ldexp(m, 40)), e - 40)


def finest(w, bits, symmetric=False):
    """Largest k with all round(w * 2^k) in the signed range (without its lowest value: symmetric)."""
    if w.size == 0 or not np.any(w):
        return 0
    top = 2 ** (bits - 1) - 1
    k = 40
    while k > -40:
        q = np.rint(np.ldexp(np.array([w.max(), w.min()]), k))
        if q[0] <= top and q[1] >= (-top if symmetric else -top - 1):
            return k
        k -= 1
    return -40


class IntegerReference:
    def __init__(self, graph, profile, core, input_exponent=None, host_input=False, weight_exponent=None, dt=1e-4):
        """profile: dict with method, compare, reset, cuba, multispike, ...; core: dict of the resolved chip.core.
        input_exponent: analogue input, payload 1 = 2^-exponent (None: plain spikes)."""
        self.r = Reference(graph, dt=dt)
        self.nodes, self.edges, self.pred, self.delayed = self.r.nodes, self.r.edges, self.r.pred, self.r.delayed
        self.p, self.core, self.dt = profile, core, dt
        self.graded, self.host = input_exponent is not None and not host_input, input_exponent is not None and host_input
        self.kin = input_exponent or 0
        self.forced = weight_exponent
        self.pops = [n for n in self.r.order if self.nodes[n]["type"] in NEURON]
        out = next(n for n, x in self.nodes.items() if x["type"] == "Output")
        src = [self.edges[e][0] for e in self.pred[out]]
        if not (len(src) == 1 and self.nodes[src[0]]["type"] in NEURON):
            self.pops.append(out)
        self.shapes = self._shapes()
        self.chains = {n: self._chains(n) for n in self.pops}
        self.plan = {n: self._plan(n) for n in self.pops}

    def _shapes(self):
        inp = next(n for n, x in self.nodes.items() if x["type"] == "Input")
        x = np.zeros((1, 1) + tuple(int(i) for i in np.atleast_1d(self.nodes[inp]["shape"])))
        rec = self.r.run(x, record=list(self.nodes))
        return {n: v.shape[2:] for n, v in rec.items()}

    def _chains(self, target):
        """[(source, [linear nodes], delay in steps)]"""
        found = []

        def walk(node, chain, delay):
            for e in self.pred[node]:
                s = self.edges[e][0]
                d = delay + (1 if e in self.delayed else 0)
                t = self.nodes[s]["type"]
                if t == "Delay":
                    dd = np.unique(np.floor(np.asarray(self.nodes[s]["delay"]) / self.dt + 0.5 + 1e-6).astype(int))
                    assert dd.size == 1
                    walk(s, chain, d + int(dd[0]))
                elif t in NEURON or t == "Input":
                    found.append((s, chain, d))
                else:
                    walk(s, [s] + chain, d)
        walk(target, [], 0)
        return found

    def _plan(self, name):
        """Integer operators of every incoming chain, and the exponents."""
        n, soma = self.nodes[name], self.core["soma"]
        bits = int(self.core["synapse"]["weight_bits"])
        ops = []
        bias = np.zeros(self.shapes[name])
        for src, chain, delay in self.chains[name]:
            i, factor = 0, 1.0
            pools = 0
            while i < len(chain):
                c = self.nodes[chain[i]]
                if c["type"] in POOLS:
                    pools += 1
                    if pools > 1:
                        break
                    factor /= float(pool_taps(c))
                elif c["type"] == "Scale" and np.unique(c["scale"]).size == 1:
                    factor *= float(np.ravel(c["scale"])[0])
                elif c["type"] != "Flatten":
                    break
                i += 1
            main = self.nodes[chain[i]] if i < len(chain) else None
            for j, cn in enumerate(chain):        # biases, carried through what follows them
                b = self.nodes[cn].get("bias")
                if b is None:
                    continue
                b = np.asarray(b, dtype=np.float64)
                if self.nodes[cn]["type"].startswith("Conv"):
                    b = b.reshape((-1,) + (1,) * (len(self.shapes[cn]) - 1))
                x = np.broadcast_to(b, self.shapes[cn])[None]
                for k in range(j + 1, len(chain)):
                    x = self._linear(self.nodes[chain[k]], x)
                bias = bias + x[0].reshape(bias.shape)
            rest_simple = main is not None and all(self.nodes[c]["type"] in ("Flatten", "Scale") for c in chain[i + 1:])
            if rest_simple and main["type"] in ("Affine", "Linear") and np.ndim(main["weight"]) == 2 \
                    and np.prod(self.shapes[chain[i]]) == np.asarray(main["weight"]).shape[0]:
                w = np.asarray(main["weight"], dtype=np.float64) * factor
                s = np.ones(w.shape[0])
                for c in chain[i + 1:]:
                    if self.nodes[c]["type"] == "Scale":
                        s = s * np.ravel(np.broadcast_to(self.nodes[c]["scale"], self.shapes[c]))
                ops.append({"src": src, "delay": delay, "pre": chain[:i], "kind": "dense", "w": w * s[:, None]})
            elif rest_simple and main["type"].startswith("Conv") and self.core["synapse"].get("conv", True):
                w = np.asarray(main["weight"], dtype=np.float64) * factor
                s = np.ones(self.shapes[chain[i]])
                for c in chain[i + 1:]:
                    if self.nodes[c]["type"] == "Scale":
                        s = s * np.broadcast_to(self.nodes[c]["scale"], self.shapes[c]).reshape(s.shape)
                per = s.reshape(s.shape[0], -1)
                assert np.all(per == per[:, :1])
                ops.append({"src": src, "delay": delay, "pre": chain[:i], "kind": main["type"], "node": main,
                            "w": w * per[:, 0].reshape((-1,) + (1,) * (w.ndim - 1))})
            else:
                size = int(np.prod(self.shapes[src]))
                x = np.eye(size).reshape((size,) + self.shapes[src])
                for c in chain:
                    x = self._linear(self.nodes[c], x)
                ops.append({"src": src, "delay": delay, "pre": [], "kind": "dense", "w": x.reshape(size, -1).T})
        # neuron, normalised so that a weight enters the membrane with factor one
        t = n["type"]
        f = lambda k, d=0.0: np.asarray(n.get(k, d), dtype=np.float64)
        cuba = t.startswith("Cuba")
        k = self.dt / f("tau_mem" if cuba else "tau", 1.0)
        r, leak = f("r", 1.0), f("v_leak")
        method = self.p["method"]
        if t in ("IF", "I"):
            gain, loss, bv = (self.p.get("if_dt") or self.dt) * r, np.float64(0), np.float64(0)
        elif t in ("Threshold", "Output"):
            gain, loss, bv = np.float64(1), np.float64(1), np.float64(0)
        elif method == "euler":
            gain, loss, bv = k * r, k, k * leak
        elif method == "exp":
            gain, loss, bv = (1 - np.exp(-k)) * r, 1 - np.exp(-k), (1 - np.exp(-k)) * leak
        else:
            gain, loss, bv = r, 1 - np.exp(-k), np.float64(0)
        loss_u = np.float64(0)
        if cuba:
            loss_u = self.dt / f("tau_syn", 1.0)
            gain = gain * loss_u * f("w_in", 1.0)
        bv = bv / gain
        bu = bias
        if not cuba:
            bu, bv = bu + bv, np.float64(0)
        thr = f("threshold" if t == "Threshold" else "v_threshold", 1.0) / gain
        # exponents
        for o in ops:
            o["k"] = self.forced if self.forced is not None else finest(o["w"], bits, self.core.get("symmetric", False))
            o["kin"] = self.kin if self.nodes[o["src"]]["type"] == "Input" else 0
        ks = [o["k"] + o["kin"] for o in ops]
        e = min(max(ks), min(ks) + 8) if ks else 0
        shift = int(soma["weight_shift"])
        absolute = shift < 0
        if absolute:
            e = min(e, int(soma["fraction_bits"]))
        fires = t in FIRES
        need = max(np.max(np.abs(thr)) if fires else 0.0, np.max(np.abs(bu)))
        state_top = 2.0 ** (int(soma["state_bits"]) - 1) - 1
        tb, ts = int(soma["threshold_bits"]), int(soma["threshold_shift"])
        mant_top = state_top if tb == 0 else math.ldexp(math.ldexp(1, tb) - 1, ts)
        mem = lambda: int(soma["fraction_bits"]) if absolute else e + shift
        while math.ldexp(float(need), mem()) > min(state_top, mant_top):
            assert not absolute and self.forced is None
            e -= 1
        M = mem()
        for o in ops:
            o["k"] = min(o["k"], e - o["kin"])
            o["q"] = np.rint(np.ldexp(o["w"], o["k"]))
            o["shift"] = e - o["k"] - o["kin"]
        D = int(soma["decay_bits"])
        decay = lambda l: (1 << D) - np.floor(np.ldexp(snap(l), D) + 0.5).astype(np.int64)
        rnd = lambda x: np.floor(np.ldexp(snap(x), M) + 0.5).astype(np.int64)
        ge = self.p["compare"] == ">=" and t != "Threshold"
        xt = np.ldexp(snap(thr), M - ts)
        return {"ops": ops, "e": e, "M": M, "in_shift": M - e, "A": decay(loss), "Au": decay(loss_u), "bu": rnd(bu), "bv": rnd(bv),
                "thr": (np.ceil(xt) if ge else np.floor(xt)).astype(np.int64) << ts, "vr": rnd(f("v_reset") / gain),
                "ge": ge, "cuba": cuba, "fires": fires, "type": t, "Aa": decay(1 - f("adapt_decay")), "jump": rnd(f("adapt_strength") * f("adapt_jump") / gain),
                "vmin": rnd(np.float64(self.p.get("v_min", 0.0)) / gain)}

    @staticmethod
    def _linear(n, x):
        t = n["type"]
        if t in ("Affine", "Linear"):
            return matvec(x, np.asarray(n["weight"]))
        if t in ("Conv2d", "Conv1d"):
            m = dict(n)
            m["bias"] = None
            return (conv2d if t == "Conv2d" else conv1d)(x, m)
        if t in POOLS:
            return pool(x, n) / pool_taps(n)
        if t == "Flatten":
            nd = x.ndim - 1
            s, e = int(n.get("start_dim", 0)) % nd, int(n.get("end_dim", -1)) % nd
            sh = x.shape[1:]
            return x.reshape((x.shape[0],) + sh[:s] + (-1,) + sh[e + 1:])
        if t == "Scale":
            return x * np.asarray(n["scale"], dtype=np.float64)
        if t in ("Output", "Delay"):
            return x
        raise NotImplementedError(t)

    def _accumulate(self, name, x, o):
        """Integer input of one chain; x [B, *source shape] of whole numbers."""
        for c in o["pre"]:
            n = self.nodes[c]
            x = pool(x, n) if n["type"] in POOLS else x if n["type"] == "Scale" else self._linear(n, x)
        if o["kind"] == "dense":
            y = x.reshape(x.shape[0], -1) @ o["q"].T
        else:
            m = dict(o["node"])
            m["weight"], m["bias"] = o["q"], None
            y = (conv2d if o["kind"] == "Conv2d" else conv1d)(x, m)
        return (np.rint(y).astype(np.int64) << o["shift"]).reshape((x.shape[0],) + self.shapes[name])

    def run(self, x):
        """x [T, B, ...] values; returns {population: spikes or membranes [T, B, n]}"""
        core, p = self.core, self.p
        T, B = x.shape[:2]
        acc_bits, D = int(core["dendrite"]["accumulator_bits"]), int(core["soma"]["decay_bits"])
        hi, lo = 2 ** (acc_bits - 1) - 1, -2 ** (acc_bits - 1)
        shi, slo = 2 ** (int(core["soma"]["state_bits"]) - 1) - 1, -2 ** (int(core["soma"]["state_bits"]) - 1)
        toward_zero = core["soma"]["rounding"] == "toward_zero"

        def scale(v, a):
            q = v * a
            return np.where(q >= 0, q >> D, -((-q) >> D)) if toward_zero else q >> D
        inp = next(n for n, q in self.nodes.items() if q["type"] == "Input")
        state = {n: {"v": np.zeros((B,) + self.shapes[n], dtype=np.int64), "u": np.zeros((B,) + self.shapes[n], dtype=np.int64), "a": np.int64(0), "fired": np.int64(0),
                     "pre": 0, "pend": 0} for n in self.pops}
        hist, rec = [], {n: [] for n in self.pops}
        self.membrane = {n: [] for n in self.pops}
        for t in range(T):
            now = {inp: np.rint(np.ldexp(x[t].astype(np.float64), self.kin)) if self.graded else x[t].astype(np.float64)}
            hist.append(now)
            for name in self.pops:
                pl, st = self.plan[name], state[name]
                acc = np.zeros((B,) + self.shapes[name], dtype=np.int64)
                host = np.zeros((B,) + self.shapes[name])
                for o in pl["ops"]:
                    if t - o["delay"] < 0:
                        continue
                    src = hist[t - o["delay"]][o["src"]]
                    if self.host and o["src"] == inp:
                        y = src
                        for c in next(ch for s, ch, d in self.chains[name] if s == inp):
                            y = self._linear(self.nodes[c], y)
                        host = host + y.reshape(host.shape)
                    else:
                        acc = acc + self._accumulate(name, src, o)
                cur = (np.clip(acc, lo, hi) << pl["in_shift"]) + np.floor(np.ldexp(host, pl["M"]) + 0.5).astype(np.int64)
                v = st["v"]
                sub = np.int64(0)
                if p.get("reset_delay") and pl["fires"]:
                    if p["reset"] == "value":
                        v = np.where(st["pend"] > 0, 0, v)
                    else:
                        sub = st["pend"] * pl["thr"]
                if pl["cuba"]:
                    old = st["u"]
                    st["u"] = np.clip(scale(old, pl["Au"]) + cur + pl["bu"], slo, shi)
                    used = old if p["cuba"] == "par" else st["u"]
                else:
                    used = cur + pl["bu"]
                v = np.clip(scale(v, pl["A"]) + used + pl["bv"] - sub, slo, shi)
                if not pl["fires"]:
                    st["v"] = v
                    now[name] = v
                    rec[name].append(v.reshape(B, -1))
                    self.membrane[name].append(v.reshape(B, -1))
                    continue
                thr = pl["thr"]
                st["a"] = np.clip(scale(st["a"], pl["Aa"]) + pl["jump"] * st["fired"], slo, shi)      # ALIF; else 0
                at = thr + st["a"]
                over = v >= at if pl["ge"] else v > at
                if pl["type"] == "Threshold":
                    z = over.astype(np.int64)
                elif p["reset"] == "subtract_snn":
                    v = v - st["pre"] * thr
                    z = (v > at).astype(np.int64)
                    v = v - (z - st["pre"]) * thr
                    st["pre"] = (v > at).astype(np.int64)
                else:
                    z = np.where((v > 0) & (at > 0), v // np.maximum(at, 1), 0) if p.get("multispike") else over.astype(np.int64)
                    if p.get("reset_delay"):
                        st["pend"] = z
                    elif p["reset"] == "value":
                        v = np.where(z > 0, pl["vr"], v)
                    else:
                        v = v - z * thr
                    if p.get("clamp"):
                        v = np.maximum(v, pl["vmin"])
                st["v"], st["fired"] = v, z
                now[name] = z.astype(np.float64)
                rec[name].append(z.reshape(B, -1))
                self.membrane[name].append(v.reshape(B, -1))
        return {n: np.stack(v) for n, v in rec.items()}
