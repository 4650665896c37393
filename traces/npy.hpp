// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <vector>

#include "traces/array.hpp"

namespace loom::traces {

/// numpy's .npy, versions 1 to 3; bool, integers and floats of 2, 4 and 8 bytes, either byte order,
/// C or Fortran order. Throws IoError, or InputError "path: problem".
Array read_npy(const std::string& path);

/// One array of an .npz (ZIP, stored or deflated; checksums are checked). Throws as read_npy; an
/// unknown name gives the names there are.
Array read_npz(const std::string& path, const std::string& name);
std::vector<std::string> npz_names(const std::string& path);

/// Writes an array as .npy, version 1. Throws IoError.
void write_npy(const std::string& path, const Array& array);

/// The .npy in a buffer; `where` names it in messages.
Array parse_npy(const std::vector<std::uint8_t>& bytes, const std::string& where);

}  // namespace loom::traces
