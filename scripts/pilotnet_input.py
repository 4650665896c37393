#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Converts lava-dl's PilotNet recording into our input: scripts/pilotnet_input.py GROUNDTRUTH.npz INPUT.npy

Input spikes, stored as bits over time [W, H, C, T], become [T, 1, C, H, W] uint8."""
import sys

import numpy as np


def chw(z, name):
    """Spikes of a recorded layer as [T, C, H, W] or [T, N]."""
    shape = z[name + "_shape"]
    a = np.moveaxis(np.unpackbits(z[name], axis=-1)[..., :shape[-1]].reshape(shape), -1, 0)
    return a.transpose(0, 3, 2, 1) if a.ndim == 4 else a


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    np.save(sys.argv[2], chw(np.load(sys.argv[1]), "input")[:, None].astype(np.uint8))
