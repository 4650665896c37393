// SPDX-License-Identifier: Apache-2.0
#include "traces/nirdata.hpp"
#include "tests/fuzz/one_input.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    return loom::fuzz::one_input(data, size, [](const std::string& path) { loom::traces::read_nir_data(path, "input"); });
}
