#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Three layers of eight integrate-and-fire neurons, and stripes of spikes: if_chain.nir and stripes.npz."""
import h5py
import numpy as np

TEXT = h5py.string_dtype()
N, STEPS, SAMPLES = 8, 20, 4


def put(group, **values):
    for key, value in values.items():
        group.create_dataset(key, data=value, dtype=TEXT if isinstance(value, str) else None)


with h5py.File("if_chain.nir", "w") as f:
    put(f, version="1.0.7")
    graph = f.create_group("node")
    names = ["input", "w1", "if1", "w2", "if2", "w3", "if3", "output"]
    put(graph, type="NIRGraph")
    graph.create_dataset("edges", data=np.array(list(zip(names, names[1:])), dtype=object), dtype=TEXT)
    nodes = graph.create_group("nodes")
    put(nodes.create_group("input"), type="Input", shape=np.array([N]))
    for layer in (1, 2, 3):
        weights = (np.arange(N * N) * 37 + layer * 11) % 41 - 8
        put(nodes.create_group(f"w{layer}"), type="Linear", weight=weights.reshape(N, N) / 64)
        put(nodes.create_group(f"if{layer}"), type="IF", r=np.full(N, 1000.0), v_threshold=np.full(N, 40 / 64),
            v_reset=np.zeros(N))
    put(nodes.create_group("output"), type="Output", shape=np.array([N]))

step, sample, element = np.ogrid[:STEPS, :SAMPLES, :N]
np.savez("stripes.npz", spikes=((step * 5 + element * 3 + sample) % 4 < 2).astype(np.uint8))
