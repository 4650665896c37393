# SPDX-License-Identifier: Apache-2.0
"""No key does nothing: for every key of every schema there is a shipped setting in which another valid value changes a
result, is refused, or is warned about. Keys that only exist for people (sources, notes) must show in a result.

SPIKELOOM_KEYS=chip,noc: these kinds only. SPIKELOOM_KEY=noc.router: keys that begin so."""
import hashlib
import importlib.machinery
import importlib.util
import json
import os
import re
import shutil

import numpy as np

from support import ROOT, main, scratch, spikeloom

loader = importlib.machinery.SourceFileLoader("fuzz", f"{ROOT}/scripts/fuzz")
fuzz = importlib.util.module_from_spec(importlib.util.spec_from_loader("fuzz", loader))
loader.exec_module(fuzz)
# What no result shows: what is done with a damaged file, a rate that only weighs many layers against each other, what a check takes or refuses, what a killed training left, when
# a stuck run is given up, a note for people.
EXCUSED = {"network.repair", "map.check", "map.check_limit", "map.rate", "train.checkpoint", "measure.watchdog", "check_deadlock", "source"}
SERVER = os.path.join(os.environ.get("LOOM_BUILD_DIR", f"{ROOT}/build"), "tests", "fuzz", "spikeloom-fuzz")
ECHO = ("manifest.json", "host.json", "printed", "config.resolved.yaml")


def leaves(schema, path=()):
    """(path, schema) of every key that holds a value."""
    if "properties" in schema:
        for key, s in schema["properties"].items():
            if key != "file" or not path or "properties" not in schema:
                yield from leaves(s, path + (key,))
            elif path and len(schema["properties"]) == 1:
                yield from leaves(s, path + (key,))
    elif isinstance(schema.get("additionalProperties"), dict):
        yield from leaves(schema["additionalProperties"], path + ("*",))
    elif schema.get("type") == "array" and "properties" in schema.get("items", {}):
        yield from leaves(schema["items"], path + ("0",))
    else:
        yield ".".join(path), schema


def values(schema):
    """Other valid values to try."""
    out, default = [], schema.get("default")
    for s in [schema, *schema.get("anyOf", [])]:
        if s is not schema and "anyOf" in s:
            out += values(s)
        kind = s.get("type")
        if "enum" in s:
            out += [v for v in s["enum"] if v != default]
        elif kind == "boolean":
            out += [v for v in ("true", "false") if v != str(default).lower()]
        elif kind in ("integer", "number"):
            low, high = s.get("minimum", 0), s.get("maximum", 1e9)
            near = default if isinstance(default, (int, float)) else low
            cast = int if kind == "integer" else float
            for v in (near * 2, near + 1, near / 2, low, 1, 3, 40, 0.3 if kind == "number" else 2):
                if low <= cast(v) <= high and cast(v) != default:
                    out.append(cast(v))
        elif kind == "array":
            out += ["[1]", "[2]", "[0, 1]", "[2, 2]", "[0.1]", "[0.01, 0.01, 0.01]", "[]", "[[0, 1]]"]
        elif kind == "string" and "pattern" in s:
            unit = re.findall(r"\(([^()]*)\)", s["pattern"])[-2 if "/bit" in s["pattern"] else -1].split("|")
            number, word = (str(default).split() + ["", ""])[:2] if default else ("", "")
            word = word if word in unit else unit[-1 if "cycle" in s["pattern"] else 2 if len(unit) > 2 else 0]
            for f in (2, 0.5, 7, 16):
                out.append(f"{(float(number or 0) or 1) * f:g} {word}")
        elif kind == "string" or isinstance(kind, list):
            out += ["xyz"]
    return list(dict.fromkeys(str(v) for v in out))[:9]


class Bench:
    """Runs settings and says what came of them."""

    def __init__(self, top):
        self.top = top
        self.clean = f"{top}/clean"
        fuzz.corpus(self.clean)
        self.server = fuzz.Server(SERVER)
        self.base = {}

    def result(self, verb, file, sets):
        here = f"{self.top}/here"
        shutil.rmtree(here, ignore_errors=True)
        shutil.copytree(self.clean, here)
        args = [verb, file, *([] if verb != "cim" else ["--weights", "weights.npy", "--inputs", "inputs.npy"])]
        for s in sets:
            args += ["--set", s]
        code = self.server.run(here, args)
        with open(f"{here}/printed", errors="replace") as f:
            printed = f.read()
        if code != "exit 0":
            return code, printed
        digest = hashlib.sha1()
        for folder, _, files in sorted(os.walk(f"{here}/out")):
            for name in sorted(files):
                if name not in ECHO:
                    with open(os.path.join(folder, name), "rb") as f:
                        digest.update(name.encode() + f.read())
        return digest.hexdigest(), "\n".join(sorted(set(re.findall(r"warning.*", printed))))

    def effect(self, verb, file, *context, key, value):
        """'' when the value does nothing here"""
        at = (verb, file, *context)
        if at not in self.base:
            self.base[at] = self.result(verb, file, context)
        before = self.base[at]
        if before[0].startswith(("exit", "signal", "late")):
            raise AssertionError(f"{at}: {before[0]} {before[1][-300:]}")
        after = self.result(verb, file, [*context, f"{key}={value}"])
        if after[0] in ("late",) or after[0].startswith("signal"):
            return f"BAD {after[0]}"
        if after[0].startswith("exit"):
            return "refused" if key.split(".")[-1] in after[1] or key in after[1] else ""
        if after[0] != before[0]:
            return "changes"
        return "warned" if after[1] != before[1] and key.split(".")[-1] in after[1] else ""


def dead_keys(bench, schema, settings, prefix):
    """Keys for which no setting gives an effect."""
    only = os.environ.get("SPIKELOOM_KEY", "")
    dead = []
    for key, s in leaves(schema):
        if not key.startswith(only):
            continue
        found = ""
        for setting in settings:
            for value in values(s):
                found = bench.effect(*setting, key=prefix + key.replace("*", "xyz"), value=value)
                if found:
                    break
            if found:
                break
        if found.startswith("BAD") or not found and key not in EXCUSED:
            dead.append(f"{key} {found}".strip())
    return dead


def schema_of(kind):
    code, text, error = spikeloom("schema", kind)
    assert code == 0, error
    return json.loads(text)


def check(kind, settings, prefix="", without=()):
    """settings: (verb, file, --set ...) in which keys of the kind are tried."""
    if kind not in os.environ.get("SPIKELOOM_KEYS", kind).split(","):
        return
    with scratch() as top:
        bench = Bench(top)
        conv_runs(bench.clean)
        schema = schema_of(kind)
        schema["properties"] = {k: v for k, v in schema["properties"].items() if k not in without}
        dead = dead_keys(bench, schema, settings, prefix)
        assert not dead, f"{len(dead)} keys do nothing: {' '.join(dead)}"


def conv_runs(clean):
    """A run file of the small convolution for each kind of array."""
    with open(f"{clean}/run_conv_mesh45.yaml") as f:
        text = f.read()
    for chip in ("cim_sram_digital", "cim_sram_event_row", "cim_neurram", "serial"):
        with open(f"{clean}/run_conv_{chip}.yaml", "w") as f:
            f.write(text.replace("/mesh45.yaml", f"/{chip}.yaml"))
    with open(f"{ROOT}/configs/runs/digits_conv_q8_cim_rram_real.yaml") as f:
        real = f.read()
    with open(f"{clean}/run_conv_cim_rram_real.yaml", "w") as f:
        f.write(re.sub(r"chip: .*", "", text).strip() + "\n" + real[real.index("chip:"):real.index("map:")].replace("../", f"{ROOT}/configs/"))
    r = np.random.default_rng(5)
    np.savez(f"{clean}/images.npz", x_train=r.random((8, 1, 6, 6)).astype("f4"), y_train=np.arange(8) % 2,
             x_test=r.random((4, 1, 6, 6)).astype("f4"), y_test=np.arange(4) % 2)
    with open(f"{clean}/train.yaml") as f:
        text = f.read().replace("d.npz", "images.npz").replace("input: [4]", "input: [1, 6, 6]")
    for name, first in (("conv", "{kind: conv, name: c, outputs: 2, kernel: [3]}"), ("pool", "{kind: avg_pool, name: p, size: [2]}")):
        with open(f"{clean}/train_{name}.yaml", "w") as f:
            f.write(text.replace("  layers:\n", f"  layers:\n    - {first}\n    - {{kind: flatten, name: flat}}\n"))
    with open(f"{clean}/noc.yaml") as f:
        text = f.read()
    with open(f"{clean}/noc_async.yaml", "w") as f:
        f.write(text.replace("pipeline: P2,", "kind: async, async: {x: 3 ns, y: 4 ns, local: 2 ns},"))
    with open(f"{clean}/noc_cube.yaml", "w") as f:
        f.write(text.replace("size: [3, 3]", "size: [3, 3, 3]").replace("routing: xy", "routing: auto")
                .replace("pipeline: P2,", "kind: async, async: {x: 3 ns, y: 4 ns, z: 5 ns, local: 2 ns},"))


NPZ = "run_npz_mesh45.yaml"
RUNS = [*(("run", f"{ROOT}/configs/runs/digits_{n}.yaml", "input.limit=2") for n in ("conv_q8_loihi", "mlp_q8_mesh45")),
        ("run", NPZ, "profile.reset=subtract"), ("run", NPZ, "profile.clamp=true"), ("run", f"{ROOT}/configs/runs/digits_conv_q8_mesh45.yaml", "input.limit=1", "input.encoding=poisson", "input.scale=0.1"),
        ("run", f"{ROOT}/configs/runs/digits_mlp_q8_mesh45.yaml", "input.limit=4", "map.min_slices=4", "profile.reset=subtract"),
        ("run", NPZ), ("run", "run_npz_loihi.yaml"), ("run", NPZ, "chip.noc.topology=torus"), ("run", NPZ, "chip.noc.chips.grid=[2, 1]"),
        *(("run", f"run_conv_{c}.yaml") for c in ("mesh45", "cim_rram_1t1r", "hybrid", "cim_rram_real", "cim_sram_digital", "cim_sram_event_row",
                                                  "cim_neurram", "serial"))]
NOCS = [("noc", "noc.yaml"), ("noc", "noc_async.yaml"), ("noc", "noc_cube.yaml"), ("noc", "noc.yaml", "noc.router.kind=timeout"),
        ("noc", "noc.yaml", "noc.router.kind=deflection", "noc.routing=auto"), ("noc", "noc.yaml", "noc.router.kind=scheduled"),
        ("noc", "noc.yaml", "noc.router.kind=handshake"), ("noc", "noc.yaml", "noc.chips.grid=[3, 1]"), ("noc", "noc.yaml", "noc.faults.loss=0.05"),
        ("noc", "noc.yaml", "noc.router.switch_allocator=islip"), ("noc", "noc.yaml", "traffic.pattern=hotspot", "traffic.hotspots=[[4]]"),
        ("noc", "noc.yaml", "traffic.injection=on_off"), ("noc", "noc.yaml", "noc.size=[5, 5]", "traffic.injection=spatial", "traffic.period=50"), ("noc", "noc.yaml", "noc.routing=relative"), ("noc", "noc.yaml", "traffic.pattern=fan_out"),
        ("noc", "noc.yaml", "traffic.packet_size=3")]
TRAINS = [("train", "train.yaml"), ("train", "train_conv.yaml"), ("train", "train_pool.yaml"), ("train", "train.yaml", f"chip.file={ROOT}/configs/chips/sata.yaml"),
          ("train", "train.yaml", f"chip.file={ROOT}/configs/chips/train_mesh45.yaml"),
          ("train", "train.yaml", f"chip.file={ROOT}/configs/chips/h2learn.yaml")]


def chip_keys():
    check("chip", RUNS + TRAINS[3:], "chip.", without=("cores",))


def fabric_keys():
    check("fabric", NOCS, "noc.")


def noc_keys():
    check("noc", NOCS, without=("noc", "energy"))


def run_keys():
    check("run", RUNS, without=("chip",))


def train_keys():
    check("train", TRAINS, without=("chip", "estimate"))


if __name__ == "__main__":
    main([chip_keys, fabric_keys, noc_keys, run_keys, train_keys])
