// SPDX-License-Identifier: Apache-2.0
#include "tests/fuzz/one_input.hpp"
#include "traces/nirdata.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    return loom::fuzz::one_input(data, size, [](const std::string& path) {
        std::vector<std::string> notes;
        loom::traces::read_nir_data(path, "input", 1e-4, notes);
    });
}
