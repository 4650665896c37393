# SPDX-License-Identifier: Apache-2.0
"""What the system tests share: running the program, reading its results."""
import json
import os
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests", "oracle"))
sys.dont_write_bytecode = True

import h5py                                                                # noqa: E402
import numpy as np                                                         # noqa: E402

PROGRAM = os.environ.get("SPIKELOOM", os.path.join(ROOT, "build", "spikeloom"))
SHARED = os.environ.get("LOOM_SHARED_DIR", os.path.join(ROOT, "..", "shared"))
SKIPPED = 77


def spikeloom(*args, cwd=None):
    """(exit code, stdout, stderr)"""
    p = subprocess.run([PROGRAM, *map(str, args)], capture_output=True, text=True, cwd=cwd, check=False)
    return p.returncode, p.stdout, p.stderr


def run(file, out, *args, expect=0):
    code, stdout, stderr = spikeloom("run", file, "-o", out, "-q", *args)
    assert code == expect, f"exit code {code}, expected {expect}: {stderr}"
    return stdout, stderr


def recorded(directory, layer, key="spikes"):
    """[sample, step, neuron]"""
    with h5py.File(os.path.join(directory, "spikes.h5"), "r") as f:
        return f[f"nodes/{layer.replace('/', '.')}/observables/{key}/data"][()]


def recorded_layers(directory, key="spikes"):
    with h5py.File(os.path.join(directory, "spikes.h5"), "r") as f:
        return [n for n in f["nodes"] if key in f[f"nodes/{n}/observables"]]


def stats(directory):
    with open(os.path.join(directory, "stats.json")) as f:
        return json.load(f)


def unpack(z, key, shape_key):
    n = int(np.prod(z[shape_key]))
    return np.unpackbits(z[key], axis=-1)[..., :n]


def scratch():
    return tempfile.TemporaryDirectory(prefix="spikeloom-test-")


def main(tests):
    """Runs test functions; a non-zero exit code when one fails."""
    chosen = sys.argv[1:] or [t.__name__ for t in tests]
    failed = 0
    for t in tests:
        if t.__name__ not in chosen:
            continue
        try:
            t()
            print(f"ok      {t.__name__}", flush=True)
        except AssertionError as e:
            failed += 1
            print(f"FAILED  {t.__name__}: {e}", flush=True)
    sys.exit(1 if failed else 0)
