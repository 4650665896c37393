#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Prints in which of its timesteps the neuron fired."""
import h5py

with h5py.File("results/run/spikes.h5") as f:
    print(*f["nodes/neuron/observables/spikes/data"][0, :, 0])
