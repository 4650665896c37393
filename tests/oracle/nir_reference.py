#!/usr/bin/python3
"""nir_reference.py - small, explicit reference interpreter for NIR (.nir = HDF5) graphs.

Own work (no code taken from NIR / nirtorch / snnTorch / Norse / Sinabs).
Needs only numpy and h5py.  Everything is evaluated in float64.

Purpose: golden spike outputs for a hardware simulator.  NIR nodes are ODEs; a file says
nothing about dt, the integration rule, the comparison (> or >=) or soft reset.  All those are
explicit arguments here ("profile"), so every golden file can record which ones it was made with.

Time stepping
-------------
Synchronous.  In one step every node is evaluated once, in topological order; a node with
several incoming edges receives their SUM; a spike produced in step t reaches the next layer in
the same step t (zero axonal delay).  Cycles: the edge that closes a loop carries the value of
step t-1 (0 at t=0), and the delay is placed directly behind the neuron that feeds the loop,
so that an Affine in a feedback path contributes its bias also at t=0.

Neuron update for one step (I = summed input, k = dt/tau)
  euler : v <- v + k*((v_leak - v) + r*I)                      (NIR/Norse 'box', snnTorch with r=tau/dt,
                                                                SpikingJelly)
  exp   : v <- v_inf + (v - v_inf)*exp(-k), v_inf=v_leak+r*I   (exact for piecewise-constant I)
  jump  : v <- v*exp(-k) + r*I                                 (Sinabs LIF, norm_input=False; v_leak=0)
  IF    : v <- v + k_if*r*I    (k_if = dt for SI files, 1 for 'per-step' files such as Sinabs exports)
  CubaLIF 'seq' : i <- i + dt/tau_syn*(-i + w_in*I);  v <- LIF step with the NEW i as current
          'par' : the same, but v uses the OLD i (plain explicit Euler of the 2-state ODE)
Fire   : z = v > thr ('gt', NIR, Norse, snnTorch, Lava) or v >= thr ('ge', SpikingJelly, Sinabs);
         multispike: z = trunc(v/thr) if v>0 (Sinabs MultiSpike)
Reset  : 'value' v <- v_reset where z; 'subtract' v <- v - z*thr;
         reset_delay=True: the reset is applied in the following step, before firing is tested
         (snnTorch default): 'subtract' v <- ... - thr; 'value' v <- 0 (then integrates).
Clamp  : v_min (e.g. -1 for Speck / Sinabs min_v_mem), applied after the reset.

Extension nodes (NOT in NIR 1.0.x, see docs/concepts/architecture.md): 'MatMul', 'Mul'; operands are
addressed as "<node>.a" and "<node>.b" in the edge list. 'ALIF': a LIF that fires at
thr + adapt_strength * A, A <- adapt_decay * A + adapt_jump * (spikes of the step before);
resets subtract thr.
"""
import argparse
import json
import sys

import h5py
import numpy as np

NEURONS = ("LIF", "CubaLIF", "IF", "ALIF")                      # fire and keep a state
INTEGRATORS = ("LI", "CubaLI", "I")
STATEFUL = NEURONS + INTEGRATORS + ("Delay",)


# ---------------------------------------------------------------------------------------- reading
def _txt(x):
    return x.decode() if isinstance(x, bytes) else str(x)


def _read_node(g):
    if "type" not in g:
        raise ValueError(f"{g.name}: no 'type' dataset")
    n = {"type": _txt(g["type"][()])}
    for k, d in g.items():
        if k in ("type", "nodes", "edges"):
            continue
        if isinstance(d, h5py.Group):                      # 'metadata'
            n[k] = {kk: (vv[()] if isinstance(vv, h5py.Dataset) else None) for kk, vv in d.items()}
        else:
            v = d[()]
            n[k] = _txt(v) if isinstance(v, (bytes, str)) else np.asarray(v)
    if n["type"] == "NIRGraph":
        n["nodes"] = {_txt(k): _read_node(v) for k, v in g["nodes"].items()}
        n["edges"] = [(_txt(a), _txt(b)) for a, b in g["edges"][()]] if g["edges"].shape[0] else []
    return n


def read_nir(path):
    with h5py.File(path, "r") as f:
        top = _read_node(f["node"])
        top["version"] = _txt(f["version"][()]) if "version" in f else None
    return top


def flatten_graph(g, dedupe=True, repair=False, log=None):
    """Inline nested NIRGraphs. Returns (nodes, edges, notes); names are joined with '/'."""
    notes = [] if log is None else log
    nodes, edges = {}, []

    def expand(gr, prefix):
        """returns (name -> entry list, name -> exit list) for the graph's own ports"""
        local_in, local_out = {}, {}
        for name, n in gr["nodes"].items():
            full = prefix + name
            if n["type"] == "NIRGraph":
                i, o = expand(n, full + "/")
                local_in[name], local_out[name] = i, o
            else:
                nodes[full] = n
                local_in[name] = {None: [full]}
                local_out[name] = {None: [full]}

        def lookup(table, name, side):
            if name in table:                                   # exact name wins ('lif1.lif')
                return [x for lst in table[name].values() for x in lst], None
            if "." in name:                                     # 'G.port'
                base, port = name.rsplit(".", 1)
                if base in table:
                    if port in table[base]:
                        return table[base][port], None
                    if gr["nodes"][base]["type"] in ("MatMul", "Mul"):
                        return table[base][None], port
            cand = [k for k in table if k.startswith(name) or name.startswith(k)]
            if repair and len(cand) == 1:
                notes.append(f"edge end '{prefix}{name}' has no node; taken as '{prefix}{cand[0]}'")
                return [x for lst in table[cand[0]].values() for x in lst], None
            raise ValueError(f"edge end '{prefix}{name}' ({side}) names no node in this graph")

        seen = set()
        for a, b in gr["edges"]:
            if (a, b) in seen:
                notes.append(f"duplicate edge {prefix}{a}->{prefix}{b}" + (" dropped" if dedupe else ""))
                if dedupe:
                    continue
            seen.add((a, b))
            src, _ = lookup(local_out, a, "source")
            dst, port = lookup(local_in, b, "target")
            for s in src:
                for d in dst:
                    edges.append((s, d, port))
        gin = {n: [prefix + n] for n, x in gr["nodes"].items() if x["type"] == "Input"}
        gout = {n: [prefix + n] for n, x in gr["nodes"].items() if x["type"] == "Output"}
        return gin, gout

    if g["type"] != "NIRGraph":                                  # a bare node is legal
        nodes = {"input": {"type": "Input"}, "node": g, "output": {"type": "Output"}}
        return nodes, [("input", "node", None), ("node", "output", None)], notes
    gin, gout = expand(g, "")
    return nodes, edges, notes


# -------------------------------------------------------------------------------------- operators
def _pair(x, n=2):
    x = np.atleast_1d(np.asarray(x)).astype(int).tolist()
    return x * n if len(x) == 1 else x


def _windows(x, k, stride, pad, dil=(1, 1)):
    """x [B,C,H,W] -> [B,C,Ho,Wo,kh,kw] (zero padded)"""
    x = np.pad(x, ((0, 0), (0, 0), (pad[0][0], pad[0][1]), (pad[1][0], pad[1][1])))
    eh, ew = (k[0] - 1) * dil[0] + 1, (k[1] - 1) * dil[1] + 1
    w = np.lib.stride_tricks.sliding_window_view(x, (eh, ew), axis=(2, 3))
    return w[:, :, ::stride[0], ::stride[1], ::dil[0], ::dil[1]]


def conv2d(x, n):
    w, b = n["weight"].astype(np.float64), n.get("bias")
    stride, dil = _pair(n["stride"]), _pair(n["dilation"])
    groups = int(n["groups"])
    co, ci, kh, kw = w.shape
    p = n["padding"]
    if isinstance(p, str):
        if p == "valid":
            pad = ((0, 0), (0, 0))
        else:                                                    # 'same': extra cell on the far side
            tot = [dil[0] * (kh - 1), dil[1] * (kw - 1)]
            pad = tuple((t // 2, t - t // 2) for t in tot)
    else:
        p = _pair(p)
        pad = ((p[0], p[0]), (p[1], p[1]))
    win = _windows(x, (kh, kw), stride, pad, dil)                # cross-correlation, as torch
    B, _, Ho, Wo = win.shape[:4]
    out = np.empty((B, co, Ho, Wo))
    cg = co // groups
    for g in range(groups):
        a = win[:, g * ci:(g + 1) * ci].transpose(0, 2, 3, 1, 4, 5).reshape(B * Ho * Wo, -1)
        r = a @ w[g * cg:(g + 1) * cg].reshape(cg, -1).T
        out[:, g * cg:(g + 1) * cg] = r.reshape(B, Ho, Wo, cg).transpose(0, 3, 1, 2)
    if b is not None:
        out += np.asarray(b, dtype=np.float64).reshape(1, -1, 1, 1)
    return out


def conv1d(x, n):
    m = dict(n)
    m["weight"] = n["weight"][:, :, None, :]
    for k, d in (("stride", 1), ("dilation", 1)):
        m[k] = np.array([1, _pair(n[k], 1)[0]])
    p = n["padding"]
    m["padding"] = p if isinstance(p, str) else np.array([0, _pair(p, 1)[0]])
    return conv2d(x[:, :, None, :], m)[:, :, 0, :]


POOLS = {"SumPool2d": (2, False), "AvgPool2d": (2, True), "AvgPool1d": (1, True)}  # axes, mean


def pool_taps(n):
    axes, avg = POOLS[n["type"]]
    return int(np.prod(_pair(n["kernel_size"], axes))) if avg else 1


def pool(x, n):
    """Sum over windows; a mean is that / pool_taps (padding counted, as torch)."""
    axes, _ = POOLS[n["type"]]
    k, s, p = (_pair(n[key], axes) for key in ("kernel_size", "stride", "padding"))
    if axes == 1:
        k, s, p = [1] + k, [1] + s, [0] + p
        return _windows(x[:, :, None, :], k, s, ((p[0], p[0]), (p[1], p[1]))).sum(axis=(-1, -2))[:, :, 0, :]
    return _windows(x, k, s, ((p[0], p[0]), (p[1], p[1]))).sum(axis=(-1, -2))


def matvec(x, w):
    """weight [..., out, in], x [B, ..., in] -> [B, ..., out]"""
    w = w.astype(np.float64)
    if w.ndim == 2:
        return x @ w.T
    return np.einsum("...oi,b...i->b...o", w, x)


# ------------------------------------------------------------------------------------ interpreter
class Reference:
    def __init__(self, graph, dt=1e-4, method="euler", reset="value", compare="gt", multispike=False,
                 cuba="seq", if_dt=None, v_min=None, reset_delay=False, repair=False, dedupe=True):
        self.p = dict(dt=dt, method=method, reset=reset, compare=compare, multispike=multispike, cuba=cuba,
                      if_dt=dt if if_dt is None else if_dt, v_min=v_min, reset_delay=reset_delay)
        self.nodes, self.edges, self.notes = flatten_graph(graph, dedupe=dedupe, repair=repair)
        self._schedule()

    # -- order: DFS back edges, then move the delay behind the last stateful node of the loop
    def _schedule(self):
        succ = {n: [] for n in self.nodes}
        pred = {n: [] for n in self.nodes}
        for i, (a, b, _) in enumerate(self.edges):
            succ[a].append(i)
            pred[b].append(i)
        roots = [n for n, x in self.nodes.items() if x["type"] == "Input"] or [n for n in self.nodes if not pred[n]]
        colour, back = {}, []

        def dfs(r):
            stack = [(r, iter(succ[r]))]
            colour[r] = 1
            while stack:
                n, it = stack[-1]
                for e in it:
                    m = self.edges[e][1]
                    if colour.get(m) == 1:
                        back.append(e)
                    elif m not in colour:
                        colour[m] = 1
                        stack.append((m, iter(succ[m])))
                        break
                else:
                    colour[n] = 2
                    stack.pop()
        for r in sorted(roots) + sorted(self.nodes):
            if r not in colour:
                dfs(r)
        delayed = set()
        for e in back:
            cur = e
            while True:
                a = self.edges[cur][0]
                if self.nodes[a]["type"] in STATEFUL or len(pred[a]) != 1 or len(succ[a]) != 1:
                    break
                cur = pred[a][0]
            delayed.add(cur if self.nodes[self.edges[cur][0]]["type"] in STATEFUL else e)
        self.delayed = delayed
        indeg = {n: sum(1 for e in pred[n] if e not in delayed) for n in self.nodes}
        ready = sorted(n for n in self.nodes if indeg[n] == 0)
        order = []
        while ready:
            n = ready.pop(0)
            order.append(n)
            for e in succ[n]:
                if e in delayed:
                    continue
                m = self.edges[e][1]
                indeg[m] -= 1
                if indeg[m] == 0:
                    ready.append(m)
        if len(order) != len(self.nodes):
            raise ValueError("cycle without a neuron: cannot schedule")
        self.order, self.pred = order, pred

    def _fire_reset(self, n, v, st, thr, vr, at=None):
        """at: where the neuron fires, if not at the threshold that a reset subtracts"""
        p = self.p
        at = thr if at is None else at
        if p["reset"] == "subtract_snn":
            pre = st.get("pre", np.zeros_like(v))
            v = v - pre * thr
            z = (v > at).astype(np.float64)
            st["margin"] = min(st.get("margin", np.inf), float(np.abs(v - at).min()))
            v = v - (z - pre) * thr
            st["pre"] = (v > at).astype(np.float64)
            return z, v
        if p["multispike"]:
            z = np.where(v > 0, np.trunc(v / at), 0.0)
        else:
            z = ((v > at) if p["compare"] == "gt" else (v >= at)).astype(np.float64)
        marg = np.abs(v - at).min()
        st["margin"] = min(st.get("margin", np.inf), float(marg))
        if p["reset_delay"]:
            st["pend"] = z
        elif p["reset"] == "value":
            v = np.where(z > 0, vr, v)
        else:
            v = v - z * thr
        if p["v_min"] is not None:
            v = np.maximum(v, p["v_min"])
        return z, v

    def _lif(self, n, st, I, tau, r, leak, thr=None, vr=None, raised=0.0):
        p = self.p
        f = lambda a: np.asarray(a, dtype=np.float64)
        tau, r, leak = f(tau), f(r), f(leak)
        if "v" not in st:
            st["v"] = np.zeros(np.broadcast_shapes(I.shape, (1,) + tau.shape))
        v = st["v"]
        sub = 0.0
        if p["reset_delay"] and thr is not None and "pend" in st:
            if p["reset"] == "value":
                v = np.where(st["pend"] > 0, 0.0, v)
            else:
                sub = st["pend"] * f(thr)
        k = p["dt"] / tau
        if p["method"] == "euler":
            v = v + k * ((leak - v) + r * I)
        elif p["method"] == "exp":
            vinf = leak + r * I
            v = vinf + (v - vinf) * np.exp(-k)
        elif p["method"] == "jump":
            v = v * np.exp(-k) + r * I
        else:
            raise ValueError(p["method"])
        v = v - sub
        if thr is None:
            st["v"] = v
            return v
        z, st["v"] = self._fire_reset(n, v, st, f(thr), 0.0 if vr is None else f(vr), f(thr) + raised)
        return z

    def _eval(self, name, n, x, st):
        t, p = n["type"], self.p
        if t in ("Input", "Output"):
            return x
        if t == "Linear":
            return matvec(x, n["weight"])
        if t == "Affine":
            return matvec(x, n["weight"]) + np.asarray(n["bias"], dtype=np.float64)
        if t == "Conv2d":
            return conv2d(x, n)
        if t == "Conv1d":
            return conv1d(x, n)
        if t in POOLS:
            return pool(x, n) / pool_taps(n)
        if t == "Flatten":
            nd = x.ndim - 1                                       # dims without batch
            s, e = int(n.get("start_dim", 0)), int(n.get("end_dim", -1))
            s, e = s % nd, e % nd
            sh = x.shape[1:]
            return x.reshape((x.shape[0],) + sh[:s] + (-1,) + sh[e + 1:])
        if t == "Scale":
            return x * np.asarray(n["scale"], dtype=np.float64)
        if t == "Threshold":
            return (x > np.asarray(n["threshold"])).astype(np.float64)
        if t == "Delay":
            d = np.floor(np.asarray(n["delay"], dtype=np.float64) / p["dt"] + 0.5 + 1e-6).astype(int)
            buf = st.setdefault("buf", [])
            buf.insert(0, x)
            if len(buf) > d.max() + 1:
                buf.pop()
            out = np.zeros_like(x)
            for dd in np.unique(d):
                if dd < len(buf):
                    out = np.where(d == dd, buf[dd], out)
            return out
        if t == "LI":
            return self._lif(name, st, x, n["tau"], n["r"], n["v_leak"])
        if t == "I":
            st["v"] = st.get("v", 0.0) + p["if_dt"] * np.asarray(n["r"], dtype=np.float64) * x
            return st["v"]
        if t == "IF":
            r, thr = np.asarray(n["r"], dtype=np.float64), np.asarray(n["v_threshold"], dtype=np.float64)
            v = st.get("v", np.zeros_like(x)) + p["if_dt"] * r * x
            if p["reset_delay"] and "pend" in st:
                if p["reset"] == "value":
                    v = np.where(st["pend"] > 0, 0.0, st["v"]) + p["if_dt"] * r * x
                else:
                    v = v - st["pend"] * thr
            z, st["v"] = self._fire_reset(name, v, st, thr, np.asarray(n.get("v_reset", 0.0), dtype=np.float64))
            return z
        if t == "LIF":
            return self._lif(name, st, x, n["tau"], n["r"], n["v_leak"], n["v_threshold"], n.get("v_reset", 0.0))
        if t == "ALIF":
            a = st["a"] = n["adapt_decay"] * st.get("a", 0.0) + n["adapt_jump"] * st.get("fired", 0.0)
            st["fired"] = self._lif(name, st, x, n["tau"], n["r"], n["v_leak"], n["v_threshold"], n.get("v_reset", 0.0), n["adapt_strength"] * a)
            return st["fired"]
        if t in ("CubaLIF", "CubaLI"):
            ks = p["dt"] / np.asarray(n["tau_syn"], dtype=np.float64)
            i0 = st.get("i", 0.0)
            i1 = i0 + ks * (-i0 + np.asarray(n.get("w_in", 1.0), dtype=np.float64) * x)
            st["i"] = i1
            cur = i1 if p["cuba"] == "seq" else i0 * np.ones_like(i1)
            return self._lif(name, st, cur, n["tau_mem"], n["r"], n["v_leak"],
                             n["v_threshold"] if t == "CubaLIF" else None, n.get("v_reset", 0.0))
        if t == "MatMul":
            a, b = x["a"], x["b"]
            if int(n.get("transpose_a", 0)):
                a = np.swapaxes(a, -1, -2)
            if int(n.get("transpose_b", 0)):
                b = np.swapaxes(b, -1, -2)
            return (a @ b) * np.asarray(n.get("scale", 1.0), dtype=np.float64)
        if t == "Mul":
            return x["a"] * x["b"]
        raise NotImplementedError(f"node type {t}")

    def run(self, x, record=None):
        """x [T,B,*input_shape]; returns {node: [T,B,...]} for the nodes in `record`
        (default: all neurons and outputs)."""
        T, B = x.shape[:2]
        if record is None:
            record = [n for n, d in self.nodes.items() if d["type"] in NEURONS + ("Output",)]
        rec = {n: [] for n in record}
        self.state = {n: {} for n in self.nodes}
        prev = {}
        for t in range(T):
            val = {}
            for name in self.order:
                n = self.nodes[name]
                if n["type"] == "Input" and not self.pred[name]:
                    val[name] = x[t].astype(np.float64)
                    continue
                acc, ports = None, {}
                for e in self.pred[name]:
                    a, _, port = self.edges[e]
                    v = prev.get(a) if e in self.delayed else val[a]
                    if v is None:
                        v = self._zero_like(a, B)
                    if port is not None:
                        ports[port] = v if port not in ports else ports[port] + v
                    else:
                        acc = v if acc is None else acc + v
                if acc is None and not ports:
                    acc = self._zero_like(name, B)
                val[name] = self._eval(name, n, ports if ports else acc, self.state[name])
            prev = {self.edges[e][0]: val[self.edges[e][0]] for e in self.delayed}
            for n in record:
                rec[n].append(val[n])
        return {n: np.stack(v) for n, v in rec.items()}

    def _zero_like(self, name, B):
        n = self.nodes[name]
        for k in ("v_threshold", "v_leak", "r", "delay"):
            if k in n:
                return np.zeros((B,) + np.asarray(n[k]).shape)
        if "shape" in n:
            return np.zeros((B,) + tuple(int(i) for i in n["shape"]))
        raise ValueError(f"no shape known for {name}")

    def margins(self):
        return {n: s["margin"] for n, s in self.state.items() if "margin" in s}


def main():
    ap = argparse.ArgumentParser(description="run a .nir file and print spike counts")
    ap.add_argument("nir")
    ap.add_argument("--input", help=".npy [T,B,...] (default: Bernoulli 0.3)")
    ap.add_argument("--steps", type=int, default=64)
    ap.add_argument("--seed", type=int, default=0)
    ap.add_argument("--dt", type=float, default=1e-4)
    ap.add_argument("--if-dt", type=float)
    ap.add_argument("--method", default="euler", choices=["euler", "exp", "jump"])
    ap.add_argument("--reset", default="value", choices=["value", "subtract", "subtract_snn"])
    ap.add_argument("--compare", default="gt", choices=["gt", "ge"])
    ap.add_argument("--multispike", action="store_true")
    ap.add_argument("--reset-delay", action="store_true")
    ap.add_argument("--repair", action="store_true")
    a = ap.parse_args()
    g = read_nir(a.nir)
    r = Reference(g, dt=a.dt, method=a.method, reset=a.reset, compare=a.compare, multispike=a.multispike,
                  if_dt=a.if_dt, reset_delay=a.reset_delay, repair=a.repair)
    shape = next((tuple(int(i) for i in n["shape"]) for n in r.nodes.values() if n["type"] == "Input"), (1,))
    x = np.load(a.input) if a.input else (np.random.default_rng(a.seed).random((a.steps, 1) + shape) < 0.3)
    out = r.run(np.asarray(x))
    for w in r.notes:
        print("note:", w, file=sys.stderr)
    print(json.dumps({"version": g.get("version"), "order": r.order,
                      "delayed": [list(r.edges[e][:2]) for e in sorted(r.delayed)],
                      "spikes": {k: float(v.sum()) for k, v in out.items()}, "margins": r.margins()}, indent=1))


if __name__ == "__main__":
    main()
