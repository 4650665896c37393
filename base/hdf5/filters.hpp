// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <hdf5.h>

#include <string>

namespace loom::hdf5 {

/// Adds the decoder of h5py's filter lzf to the library.
void add_filters();

/// Why a data set with this list of filters cannot be unpacked, or an empty text.
std::string unknown_filter(hid_t creation_plist);

}  // namespace loom::hdf5
