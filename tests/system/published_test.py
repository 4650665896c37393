# SPDX-License-Identifier: Apache-2.0
"""Recordings of other projects: Braille rasters (0 differing bits where reference rules give 0) and Loihi's integer
PilotNet (spikes, currents, voltages of every recorded layer). Skipped when the shared data are absent."""
import json
import os
import subprocess
import sys

import numpy as np

from support import ROOT, SHARED, SKIPPED, main, recorded, run, scratch

DATA = os.path.join(SHARED, "data", "nir")


def braille(network, reset, shift=0):
    """Raster of the hidden layer, [step, neuron], later by `shift` steps."""
    with scratch() as d:
        np.save(f"{d}/x.npy", np.load(f"{DATA}/braille_test_sample0.npy")[:, None, :])
        with open(f"{d}/run.yaml", "w") as f:
            json.dump({"network": {"file": f"{DATA}/braille_noDelay_{network}.nir"},
                       "profile": {"preset": "nir-euler", "dt": "100 us", "reset": reset},
                       "input": {"file": "x.npy", "encoding": "spikes"}, "record": ["spikes"],
                       "chip": {"file": f"{ROOT}/configs/chips/mesh45.yaml", "core": {"soma": {"arithmetic": "float64"}}}}, f)
        run(f"{d}/run.yaml", f"{d}/o")
        got = recorded(f"{d}/o", "lif1.lif")[0]
    return np.vstack([np.zeros((shift, got.shape[1]), got.dtype), got])[:256]


def braille_rasters():
    published = np.load(f"{DATA}/published_activity_and_accuracy.npz")
    for who, network, reset, shift in (("snntorch", "bias_zero", "value", 0), ("norse", "noBias_subtract", "value", 0),
                                       ("spyx", "bias_zero", "subtract", 1), ("spyx", "noBias_subtract", "subtract", 1),
                                       ("snntorch", "noBias_subtract", "subtract_snn", 0)):
        want = published[f"{who}_activity_noDelay_{network}"]
        got = braille(network, reset, shift)
        assert want.sum() > 50
        assert np.array_equal(got, want), f"{who} {network} {reset}: {int((got != want).sum())} bits differ"


def braille_golden():
    for network in ("bias_zero", "noBias_subtract"):
        z = np.load(f"{DATA}/golden/braille_noDelay_{network}.npz")
        for reset in ("value", "subtract", "subtract_snn"):
            got = braille(network, reset)
            want = np.unpackbits(z[f"lif1_{reset}"], axis=-1)[:, :got.shape[1]]
            assert np.array_equal(got, want), f"{network} {reset}: {int((got != want).sum())} bits differ"


LAYERS = [("conv0", "conv-0", "conv0"), ("conv1", "conv-1", "conv1"), ("conv2", "conv-2", "conv2"), ("conv3", "conv-3", "conv3"),
          ("conv4", "conv-4", "conv4"), ("fc0", "fc-0", "fc0"), ("fc1", "fc-1", "fc1"), ("fc2", "fc-2", "fc2")]


def pilotnet():
    import h5py
    sys.path.insert(0, f"{ROOT}/scripts")
    from pilotnet_input import chw
    folder = f"{DATA}/lava-pilotnet"
    z = np.load(f"{folder}/pilotnet_lif_groundtruth.npz")
    values = lambda k: (lambda a: a.transpose(0, 3, 2, 1) if a.ndim == 4 else a)(np.moveaxis(z[k], -1, 0))
    with scratch() as d:
        subprocess.run([f"{ROOT}/scripts/pilotnet_input.py", f"{folder}/pilotnet_lif_groundtruth.npz", f"{d}/pilotnet_input.npy"], check=True)
        run(f"{ROOT}/configs/validation/pilotnet_loihi.yaml", f"{d}/o", "--set", f"network.file={folder}/pilotnet_lif.nir",
            "--set", f"input.file={d}/pilotnet_input.npy")
        compared = 0
        for ours, theirs, node in LAYERS:
            spikes = recorded(f"{d}/o", "lif_" + ours)[0]
            want = chw(z, theirs).reshape(spikes.shape)
            assert np.array_equal(spikes, want), f"{ours}: {int((spikes != want).sum())} of {spikes.size} spikes differ"
            compared += spikes.size
            if theirs + "-u" not in z.files:
                continue
            with h5py.File(f"{folder}/pilotnet_lif.nir") as f:
                bias = f[f"node/nodes/{node}/bias"][()].astype(np.int64)
            u, v = values(theirs + "-u"), values(theirs + "-v")
            bias = np.broadcast_to(bias.reshape((1, -1) + (1,) * (u.ndim - 2)), u.shape).reshape(spikes.shape)
            got = recorded(f"{d}/o", "lif_" + ours, "current")[0].astype(np.int64) - bias
            assert np.array_equal(got, u.reshape(spikes.shape)), f"{ours}: {int((got != u.reshape(spikes.shape)).sum())} currents differ"
            got = np.where(spikes > 0, 128, recorded(f"{d}/o", "lif_" + ours, "membrane")[0].astype(np.int64))   # 128: refractory code
            assert np.array_equal(got, v.reshape(spikes.shape)), f"{ours}: {int((got != v.reshape(spikes.shape)).sum())} voltages differ"
        print(f"pilotnet: {compared} neuron-steps compared")
        assert compared == 2853792


if __name__ == "__main__":
    if not os.path.isdir(DATA):
        print(f"skipped: {DATA} is absent")
        sys.exit(SKIPPED)
    main([braille_rasters, braille_golden, pilotnet])
