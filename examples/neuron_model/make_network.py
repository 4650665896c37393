#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""One neuron that rests for 0.3 ms, and a spike for it in each of 20 timesteps: network.nir and input.npz."""
import h5py
import numpy as np

TEXT = h5py.string_dtype()


def put(group, **values):
    for key, value in values.items():
        group.create_dataset(key, data=value, dtype=TEXT if isinstance(value, str) else None)


with h5py.File("network.nir", "w") as f:
    put(f, version="1.0.7")
    graph = f.create_group("node")
    put(graph, type="NIRGraph")
    names = ["input", "weight", "neuron", "output"]
    graph.create_dataset("edges", data=np.array(list(zip(names, names[1:])), dtype=object), dtype=TEXT)
    nodes = graph.create_group("nodes")
    put(nodes.create_group("input"), type="Input", shape=np.array([1]))
    put(nodes.create_group("weight"), type="Linear", weight=np.array([[1.0]]))
    put(nodes.create_group("neuron"), type="RefractoryLIF", tau=np.array([1e-3]), r=np.array([10.0]),
        v_leak=np.zeros(1), v_threshold=np.array([1.5]), v_reset=np.zeros(1), refractory=np.array([3e-4]))
    put(nodes.create_group("output"), type="Output", shape=np.array([1]))

np.savez("input.npz", spikes=np.ones((20, 1, 1), dtype=np.uint8))
