// SPDX-License-Identifier: Apache-2.0
#include "base/config/located_yaml.hpp"
#include "tests/fuzz/one_input.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    return loom::fuzz::one_input(data, size, [](const std::string& path) { loom::config::load_tree(path); });
}
