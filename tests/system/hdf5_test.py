# SPDX-License-Identifier: Apache-2.0
"""HDF5 files that are packed in other ways, damaged, or name code: read, or refused with the cause; never a crash."""
import os
import shutil
import subprocess
import time

import h5py
import numpy as np

from support import PROGRAM, ROOT, main, scratch, spikeloom
from nir_writer import write_nir

HEAP = f"{ROOT}/tests/golden/damaged/heap_of_strings.nir"  # 16 bytes of the heap are others: H5HG_read reads beyond it
DIGITS = f"{ROOT}/tests/golden/digits/digits_conv_q8.nir"
WEIGHT = "node/nodes/fc/weight"


def network(path, n_in, n_out):
    lif = {"type": "LIF", **{k: np.full(n_out, v) for k, v in (("tau", 1e-3), ("r", 1.0), ("v_leak", 0.0), ("v_threshold", 1.0), ("v_reset", 0.0))}}
    write_nir(path, {"input": {"type": "Input", "shape": np.array([n_in])}, "fc": {"type": "Linear", "weight": np.zeros((n_out, n_in), np.float32)},
                     "a": lif, "output": {"type": "Output", "shape": np.array([n_out])}}, [("input", "fc"), ("fc", "a"), ("a", "output")])


def store(path, values, **how):
    with h5py.File(path, "r+") as f:
        del f[WEIGHT]
        return f.create_dataset(WEIGHT, data=values, **how)


def unknown_filter(path, values, number=32123):
    """Bytes that say they went through a filter that nobody has."""
    with h5py.File(path, "r+") as f:
        del f[WEIGHT]
        plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        plist.set_chunk(values.shape)
        plist.set_filter(number, h5py.h5z.FLAG_OPTIONAL)
        group = f["node/nodes/fc"].id
        d = h5py.h5d.create(group, b"weight", h5py.h5t.IEEE_F32LE, h5py.h5s.create_simple(values.shape), plist)
        d.write_direct_chunk((0, 0), values.tobytes(), 0)


def every_filter_is_read_or_named():
    values = (np.arange(20 * 30).reshape(20, 30) % 7 - 3).astype(np.float32)
    values[3:9] = np.random.default_rng(0).random((6, 30))
    with scratch() as d:
        network(f"{d}/n.nir", 30, 20)
        np.save(f"{d}/x.npy", (np.random.default_rng(1).random((8, 3, 30)) < 0.4).astype(np.uint8))
        with open(f"{d}/run.yaml", "w") as f:
            f.write(f"""network: {{file: n.nir}}
profile: {{preset: nir-euler, dt: 1 ms}}
input: {{file: x.npy, encoding: spikes}}
chip: {{file: {ROOT}/configs/chips/mesh45.yaml, core: {{soma: {{arithmetic: float64}}}}}}
""")
        results = set()
        for how in ({}, {"compression": "gzip"}, {"compression": "lzf"}, {"compression": "lzf", "shuffle": True, "fletcher32": True},
                    {"compression": "lzf", "chunks": (7, 11)}, {"shuffle": True, "compression": "gzip"}):
            store(f"{d}/n.nir", values, **how)
            code, _, err = spikeloom("run", f"{d}/run.yaml", "-q", "-o", f"{d}/out")
            assert code == 0, (how, err)
            results.add(open(f"{d}/out/stats.json").read())
        assert len(results) == 1
        unknown_filter(f"{d}/n.nir", values)
        for verb in ("run", "map"):
            code, _, err = spikeloom(verb, f"{d}/run.yaml")
            assert code == 3 and "node 'fc': key 'weight' is compressed with the filter" in err and "32123" in err and "gzip" in err, err


def no_code_is_loaded():
    """A plug-in that a file asks for by the number of its filter leaves a mark when it is loaded."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    assert compiler
    with scratch() as d:
        os.mkdir(f"{d}/plugins")
        with open(f"{d}/plug.c", "w") as f:
            f.write(f'#include <stdio.h>\n__attribute__((constructor)) static void mark(void) {{ FILE* f = fopen("{d}/loaded", "w"); if (f) fclose(f); }}\n'
                    "int H5PLget_plugin_type(void) { return 0; }\nconst void* H5PLget_plugin_info(void) { return 0; }\n")
        subprocess.run([compiler, "-shared", "-fPIC", "-o", f"{d}/plugins/libplug.so", f"{d}/plug.c"], check=True)
        network(f"{d}/n.nir", 30, 20)
        unknown_filter(f"{d}/n.nir", np.zeros((20, 30), np.float32))
        env = {**os.environ, "HDF5_PLUGIN_PATH": f"{d}/plugins"}
        subprocess.run(["/usr/bin/python3", "-c", f"import h5py; h5py.File('{d}/n.nir')['{WEIGHT}'][()]"], env=env, capture_output=True, check=False)
        assert os.path.exists(f"{d}/loaded"), "the plug-in does not show that it is loaded"
        os.remove(f"{d}/loaded")
        p = subprocess.run([PROGRAM, "inspect", f"{d}/n.nir"], env=env, capture_output=True, text=True, check=False)
        assert p.returncode == 3 and "filter" in p.stderr and not os.path.exists(f"{d}/loaded"), p.stderr


def damage_never_ends_the_program():
    """Seeded: some bytes of a sound file are others; in the heap of the strings, too, where HDF5's library crashes."""
    sound = open(DIGITS, "rb").read()
    heap = sound.find(b"GCOL")
    assert heap > 0
    rng = np.random.default_rng(14)
    with scratch() as d:
        for case in range(60):
            data = bytearray(sound)
            first, span = ((heap, 512), (0, len(sound)), (0, 4096))[case % 3]
            at = first + int(rng.integers(0, span))
            n = int(rng.integers(1, 17))
            data[at:at + n] = bytes(rng.integers(0, 256, n, dtype=np.uint8).tolist())
            with open(f"{d}/n.nir", "wb") as f:
                f.write(data)
            code, _, err = spikeloom("inspect", f"{d}/n.nir")
            assert code in (0, 3), (case, code, err)
        for verb in (("inspect",), ("run", "-o", f"{d}/out"), ("map",), ("train", "-o", f"{d}/out")):
            shutil.copy(HEAP, f"{d}/n.nir")
            file = f"{d}/n.nir"
            if verb[0] != "inspect":
                file = f"{d}/x.yaml"
                np.savez(f"{d}/x.npz", x=np.zeros((4, 64)), y=np.zeros(4))
                with open(file, "w") as f:
                    f.write("network: {file: n.nir}\nprofile: {preset: nir-euler, dt: 100 us}\n" + (
                        "data: {file: x.npz, x: x, y: y}\ntrain: {algorithm: bptt, timesteps: 4, batch: 2, steps: 1, loss: mse_rate, optimizer: {kind: sgd, lr: 0.1}}\n"
                        if verb[0] == "train" else f"input: {{file: x.npz, array: x, timesteps: 4}}\nchip: {{file: {ROOT}/configs/chips/mesh45.yaml}}\n"))
            code, _, err = spikeloom(verb[0], file, *verb[1:])
            assert code == 3 and "n.nir: " in err and "the file is damaged, get a new copy" in err, (verb, code, err)
        # a size in the heap that HDF5's library believes
        data = bytearray(sound)
        for k in range(heap + 16, heap + 400):
            if data[k:k + 8] != b"\0" * 8 and k % 8 == 0:
                data[k + 8:k + 16] = b"\xff" * 7 + b"\x7f"
        with open(f"{d}/n.nir", "wb") as f:
            f.write(data)
        code, _, err = spikeloom("inspect", f"{d}/n.nir")
        assert code == 3 and "damaged" in err, (code, err)


def one_chunk_is_unpacked_once():
    """A matrix in one chunk costs about what the same matrix in rows of chunks costs."""
    n = 1536
    values = np.random.default_rng(0).integers(-3, 4, (n, n)).astype("f4") / 8
    with scratch() as d:
        network(f"{d}/n.nir", n, n)
        seconds = {}
        for name, chunks in (("rows", (48, n)), ("whole", (n, n)), ("tiles", (512, 512))):
            store(f"{d}/n.nir", values, chunks=chunks, compression="gzip")
            times = []
            for _ in range(2):
                begin = time.monotonic()
                assert spikeloom("inspect", f"{d}/n.nir")[0] == 0
                times.append(time.monotonic() - begin)
            seconds[name] = min(times)
        assert max(seconds["whole"], seconds["tiles"]) < 4 * seconds["rows"] + 0.5, seconds


if __name__ == "__main__":
    main([every_filter_is_read_or_named, no_code_is_loaded, damage_never_ends_the_program, one_chunk_is_unpacked_once])
