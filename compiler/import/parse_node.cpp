// SPDX-License-Identifier: Apache-2.0
#include "compiler/import/parse_node.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <span>

#include "base/nearest.hpp"
#include "compiler/nodes/shape_rules.hpp"

namespace loom::compiler {
namespace {

/// The least integer a key may hold; integers are limited to 31 bits so that sums cannot overflow.
double least(KeyKind kind) {
    if (kind == KeyKind::Integer) return -64;
    const bool zero = kind == KeyKind::Padding || kind == KeyKind::PaddingOrName || kind == KeyKind::Flag;
    return zero ? 0 : 1;
}

void check_integers(const hdf5::Group& g, const KeyRule& rule, const std::string& key, const Tensor& t) {
    const double low = least(rule.kind);
    const double high = rule.kind == KeyKind::Flag ? 1 : 2147483647.0;
    for (const double d : t.data) {
        if (d >= low && d <= high && d == std::floor(d)) continue;
        g.fail(key, fmt::format("is {}, expected an integer from {} to {}", d, low, high));
    }
}

void check_reals(const hdf5::Group& g, const KeyRule& rule, const std::string& key,
                 std::span<const double> values, std::size_t first = 0) {
    for (std::size_t k = 0; k < values.size(); ++k) {
        const double d = values[k];
        const std::size_t i = first + k;
        const bool never = std::isinf(d) && d > 0;  // decays
        if (never && (rule.kind == KeyKind::Positive || rule.kind == KeyKind::Factor)) continue;
        if (!std::isfinite(d)) g.fail(key, fmt::format("holds {} at element {}; it must be finite", d, i));
        if (rule.kind == KeyKind::Positive && d <= 0) {
            g.fail(key, fmt::format("is {} at element {}; a time constant must be > 0", d, i));
        }
        if (rule.kind == KeyKind::NonNegative && d < 0) {
            g.fail(key, fmt::format("is {} at element {}; it must be >= 0", d, i));
        }
    }
}

/// One value stands for all `length` of them.
void check_length(const hdf5::Group& g, const KeyRule& rule, const std::string& key, Tensor& t) {
    if (is_shape(rule.kind)) {
        constexpr std::size_t most_dimensions = 32;
        if (t.shape.size() > 1 || t.size() > most_dimensions) {
            g.fail(key, fmt::format("has shape {}, expected a list of dimensions", shape_text(t.shape)));
        }
    } else {
        if (t.size() != 1 && t.size() != rule.length) {
            g.fail(key, fmt::format("has {} values, expected {}", t.size(), rule.length));
        }
        if (t.size() == 1) t.data.resize(rule.length, t.data[0]);
    }
    t.shape = {t.size()};
}

/// A matrix that is left in the file; its values are looked at once.
Tensor file_matrix(const hdf5::Group& g, const KeyRule& rule, const std::string& key,
                   std::vector<std::size_t> shape) {
    const auto matrix = std::make_shared<const FileMatrix>(shape[0], shape[1], g.matrix(key));
    matrix->for_each_row(
        [&](std::size_t r, std::span<const double> row) { check_reals(g, rule, key, row, r * shape[1]); });
    return {std::move(shape), {}, matrix};
}

Tensor read_array(const hdf5::Group& g, const KeyRule& rule, const std::string& key) {
    auto numbers = g.numbers(key);
    Tensor t{std::move(numbers.shape), std::move(numbers.data), nullptr};
    if (t.data.empty()) g.fail(key, fmt::format("is empty (shape {})", shape_text(t.shape)));
    if (rule.kind == KeyKind::Array || rule.kind == KeyKind::Matrix || is_per_element(rule.kind)) {
        check_reals(g, rule, key, t.data);
    } else {
        check_length(g, rule, key, t);
        check_integers(g, rule, key, t);
    }
    return t;
}

/// What to write in the place of a layer that NIR does not have; empty: nothing is known of it.
std::string_view in_its_place(std::string_view type) {
    struct Advice {
        std::string_view begin, text;
    };
    static constexpr Advice kAdvice[] = {
        {"MaxPool",
         "NIR has no max pool; of spikes it is a SumPool2d of the same window, and a Threshold of 0.5 behind "
         "it"},
        {"BatchNorm", "fold it into weight and bias of the layer before it, and export again"},
        {"LayerNorm", "NIR has no norms; only a batch norm can be folded into the layer before it"},
        {"AdaptiveAvgPool",
         "write it as an AvgPool2d with the kernel_size and stride that it has on this input"},
        {"Dropout", "leave it out: it does nothing in inference"},
        {"ReLU", "a network of spikes has neurons in its place (IF, LIF, Threshold)"},
        {"Softmax", "leave it out: the largest output is the same without it"},
    };
    for (const Advice& a : kAdvice)
        if (type.starts_with(a.begin)) return a.text;
    return {};
}

void read_key(const hdf5::Group& g, const KeyRule& rule, NirNode& node) {
    const std::string& key = rule.name;
    if (rule.kind == KeyKind::PaddingOrName && g.kind(key) == hdf5::Kind::Text) {
        const std::string text = g.text(key);
        if (text != "same" && text != "valid") {
            g.fail(key, fmt::format("is {}{}", quoted(text), suggestion(text, {"same", "valid"})));
        }
        node.strings[key] = text;
        return;
    }
    constexpr std::size_t large = std::size_t{1} << 18;
    if (rule.kind == KeyKind::Matrix) {
        const auto shape = g.shape(key);
        if (shape.size() == 2 && shape[0] != 0 && shape[1] > large / shape[0]) {
            node.arrays[key] = file_matrix(g, rule, key, shape);
            return;
        }
    }
    node.arrays[key] = read_array(g, rule, key);
}

}  // namespace

NirNode parse_node(const hdf5::Group& group, const NodeCatalogue& types, const std::string& name,
                   const std::string& type) {
    const NodeRule* rule = types.find(type);
    if (rule == nullptr) {
        const std::string_view advice = in_its_place(type);
        group.fail(
            fmt::format("unknown type {}{}", quoted(type),
                        advice.empty() ? suggestion(type, types.names()) : fmt::format("; {}", advice)));
    }
    std::vector<std::string> known;
    for (const auto& k : rule->keys) known.push_back(k.name);
    for (const auto& key : group.keys()) {
        if (key == "type" || (key == "metadata" && group.kind(key) == hdf5::Kind::Group)) continue;
        if (std::find(known.begin(), known.end(), key) == known.end()) {
            group.fail(fmt::format("unknown key {} in a node of type {}{}", quoted(key), type,
                                   suggestion(key, known)));
        }
    }
    NirNode node;
    node.name = name;
    node.rule = rule;
    for (const auto& k : rule->keys) {
        const std::string& key = k.name;
        if (group.has(key)) {
            read_key(group, k, node);
        } else if (k.need == Presence::Required) {
            group.fail(fmt::format("key '{}' is missing; type {} needs it", key, type));
        } else if (k.need == Presence::Default) {
            node.arrays[key] = Tensor{{}, {k.fallback}, nullptr};
        }
    }
    return node;
}

}  // namespace loom::compiler
