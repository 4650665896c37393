// SPDX-License-Identifier: Apache-2.0
#include "compiler/ir/node_rule.hpp"

#include <algorithm>

#include "base/error.hpp"

namespace loom::compiler {

const std::string& NirNode::type() const {
    if (rule == nullptr) throw InternalError("node '" + name + "' has no type");
    return rule->type;
}

bool NodeRule::has_key(std::string_view name) const {
    return std::any_of(keys.begin(), keys.end(), [&](const KeyRule& key) { return key.name == name; });
}

Tensor integer(std::size_t value) {
    return {{}, {static_cast<double>(value)}, nullptr};
}

Tensor integers(const std::vector<std::size_t>& values) {
    return {{values.size()}, std::vector<double>(values.begin(), values.end()), nullptr};
}

std::size_t whole(const NirNode& node, const char* key, std::size_t i) {
    const std::vector<double>& values = node.arrays.at(key).data;
    return static_cast<std::size_t>(values.at(std::min(i, values.size() - 1)));
}

}  // namespace loom::compiler
