// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <string_view>

#include "compiler/nodes/node_catalogue.hpp"

namespace loom::compiler {

/// Whether near-matches are mended, and how the user asks for it.
struct Repair {
    Repair(bool wanted = false, std::string_view key = "--repair") : on(wanted), how(key) {}
    bool on;
    std::string_view how;
};

/// Reads a NIR 1.x file (HDF5): every node checked against the catalogue, nested graphs inlined,
/// defaults filled in, shapes inferred, per-element parameters broadcast to 1 or all elements.
/// `repair` mends edge ends that fit exactly one node by prefix and an Output shape that only
/// groups the same elements differently; each repair leaves a note.
/// `types` must outlive the model. Throws IoError if the file cannot be opened and InputError for anything
/// wrong inside it.
NirModel read_nir(const std::string& path, Repair repair = {}, const NodeCatalogue& types = builtin_nodes());

/// Text for people: nodes with type, shapes and parameter count (weights and biases), edges, notes.
std::string describe(const NirModel& model);

}  // namespace loom::compiler
