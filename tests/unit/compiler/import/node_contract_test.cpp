// SPDX-License-Identifier: Apache-2.0
// What every NIR type must hold, over the catalogue: a new type takes one sample here.
#include <gmock/gmock.h>

#include <cmath>
#include <map>

#include "base/rng.hpp"
#include "compiler/ir/linear_ops.hpp"
#include "compiler/passes/lowered.hpp"
#include "compiler/passes/passes.hpp"
#include "tests/unit/compiler/import/import_checks.hpp"

namespace loom::test {
namespace {

using compiler::DelayMask;
using compiler::LoweredProjection;
using compiler::NirModel;
using compiler::NirNode;
using compiler::NodeCatalogue;
using compiler::NodeRole;
using compiler::NodeRule;
using testing::HasSubstr;
using Node = GraphWriter::Node;
using Sizes = std::vector<std::int64_t>;

/// A node of the type, what it takes and gives, an input that it must refuse and the words that tell why.
struct Sample {
    Sizes in;
    FillNode keys;
    Sizes out;
    Sizes wrong_in;
    const char* refusal;
};

FillNode same(std::vector<const char*> keys) {
    return [keys](Node n) {
        for (const char* key : keys) n.same(key, 6, 0.5);
    };
}

/// Weights that differ, so that a tap in the wrong place is seen.
Node& weights(Node& n, const Dims& dims) {
    std::size_t count = 1;
    for (const std::size_t d : dims) count *= d;
    const CounterRng rng(7, 1);
    std::vector<double> v(count);
    for (std::size_t i = 0; i < count; ++i) v[i] = std::ldexp(std::floor(256 * rng.uniform(i, 0)) - 128, -7);
    return n.reals("weight", dims, v);
}

Sample neuron(std::vector<const char*> keys) {
    return {{6}, same(keys), {6}, {5}, "parameter '"};
}

Sample pool(Sizes in, Sizes kernel, Sizes stride, Sizes padding, Sizes out) {
    return {std::move(in),
            [=](Node n) {
                n.integers("kernel_size", kernel).integers("stride", stride).integers("padding", padding);
            },
            std::move(out),
            {6},
            "input has shape [6], expected"};
}

const std::map<std::string, Sample>& samples() {
    static const std::map<std::string, Sample> all{
        {"Affine",
         {{4},
          [](Node n) {
              weights(n, {3, 4}).counting("bias", {3});
          },
          {3},
          {5},
          "weight [3, 4] takes 4"}},
        {"Linear",
         {{2, 4},
          [](Node n) {
              weights(n, {2, 3, 4});
          },
          {2, 3},
          {3, 4},
          "leading dimensions"}},
        {"Conv1d",
         {{4, 9},
          [](Node n) {
              weights(n, {6, 2, 3}).integer("stride", 2).integer("padding", 2).integer("dilation", 2);
              n.integer("groups", 2).counting("bias", {6});
          },
          {6, 5},
          {3, 9},
          "takes 4 channels"}},
        {"Conv2d",
         {{4, 5, 7},
          [](Node n) {
              weights(n, {6, 2, 2, 3}).integers("stride", {1, 2}).text("padding", "same");
              n.integers("dilation", {3, 1}).integer("groups", 2);
          },
          {6, 5, 4},
          {4, 5},
          "expected 3 dimensions [C, H, W]"}},
        {"SumPool2d", pool({2, 5, 7}, {2, 3}, {1, 2}, {0, 1}, {2, 4, 4})},
        {"AvgPool2d", pool({2, 5, 7}, {2, 4}, {2, 1}, {1, 2}, {2, 3, 8})},
        {"AvgPool1d", pool({2, 9}, {3}, {2}, {1}, {2, 5})},
        {"Flatten",
         {{2, 3, 4},
          [](Node n) {
              n.integer("start_dim", 1).integer("end_dim", -1).integers("input_type", {2, 3, 4});
          },
          {2, 12},
          {2, 12},
          "key 'input_type' is [2, 3, 4], the input has shape [2, 12]"}},
        {"Scale", {{6}, [](Node n) { n.counting("scale", {6}); }, {6}, {5}, "parameter 'scale'"}},
        {"Delay", {{6}, [](Node n) { n.same("delay", 6, 2e-4); }, {6}, {5}, "parameter 'delay'"}},
        {"Threshold", neuron({"threshold"})},
        {"I", neuron({"r"})},
        {"LI", neuron({"tau", "r", "v_leak"})},
        {"IF", neuron({"r", "v_threshold"})},
        {"LIF", neuron({"tau", "r", "v_leak", "v_threshold"})},
        {"ALIF",
         neuron({"tau", "r", "v_leak", "v_threshold", "adapt_decay", "adapt_jump", "adapt_strength"})},
        {"CubaLI", neuron({"tau_syn", "tau_mem", "r", "v_leak"})},
        {"CubaLIF", neuron({"tau_syn", "tau_mem", "r", "v_leak", "v_threshold"})},
        {"MatMul", {{2, 2}, [](Node) {}, {2, 2}, {2, 3}, "check the transposes"}},
        {"Mul", {{2, 3}, [](Node) {}, {2, 3}, {}, ""}},
    };
    return all;
}

/// input -> x -> output, at both ports of a product.
NirModel import_sample(const NodeRule& rule, const Sizes& in, const FillNode& keys, const Sizes& out) {
    if (!rule.two_ports()) return import_node(in, rule.type, keys, out);
    return import_graph([&](GraphWriter& g) {
        g.border("input", "Input", in);
        keys(g.node("x", rule.type));
        g.border("output", "Output", out);
        g.edge("input", "x.a").edge("input", "x.b").edge("x", "output");
    });
}

/// A whole matrix by elements: [input][output].
using Dense = std::vector<std::vector<double>>;

std::size_t count(const compiler::Shape& shape) {
    std::size_t n = 1;
    for (const std::size_t d : shape) n *= d;
    return n;
}

Dense columns_of(const NirNode& node) {
    Dense all;
    SparseVector out;
    for (std::uint32_t i = 0; i < count(node.input_shape); ++i) {
        compiler::apply_node(node, {{i, 1.0}}, out);
        all.emplace_back(count(node.output_shape), 0.0);
        for (const auto& [o, v] : out) all[i].at(o) += v;
    }
    return all;
}

/// What a core does with one axon of a lowered projection, added to `sums`.
void add_axon(const LoweredProjection& l, std::uint32_t axon, std::vector<double>& sums) {
    if (l.form == LoweredProjection::Form::Dense) {
        l.dense.for_each_target([&](std::size_t o, std::span<const double> row) { sums[o] += row[axon]; });
    } else if (l.form == LoweredProjection::Form::Sparse) {
        for (std::uint32_t i = l.targets.first[axon]; i < l.targets.first[axon + 1]; ++i)
            sums[l.targets.items[i]] += l.weights[i];
    } else {
        const arch::LinearShape& s = l.conv;
        const std::size_t plane = s.in_h * s.in_w, ci = axon / plane, per = s.group_outputs();
        s.each_output(axon % plane, [&](std::size_t position, std::size_t tap) {
            for (std::size_t c = 0; c < per; ++c)
                sums[(ci / s.group_inputs() * per + c) * s.out_h * s.out_w + position] +=
                    l.weights[(ci * s.window.taps() + tap) * per + c];
        });
    }
}

Dense lowered_columns(const LoweredProjection& l, std::size_t inputs, std::size_t outputs) {
    Dense all(inputs, std::vector<double>(outputs, 0.0));
    for (std::uint32_t i = 0; i < inputs; ++i) {
        if (l.identity) {
            add_axon(l, i, all[i]);
            continue;
        }
        for (std::uint32_t k = l.axons_of.first[i]; k < l.axons_of.first[i + 1]; ++k)
            add_axon(l, l.axons_of.items[k], all[i]);
    }
    return all;
}

void expect_equal(const Dense& got, const Dense& want, const std::string& what) {
    ASSERT_EQ(got.size(), want.size());
    for (std::size_t i = 0; i < want.size(); ++i) {
        ASSERT_EQ(got[i].size(), want[i].size());
        for (std::size_t o = 0; o < want[i].size(); ++o)
            ASSERT_NEAR(got[i][o], want[i][o], 1e-12) << what << ": input " << i << ", output " << o;
    }
}

class NodeContract : public testing::TestWithParam<std::string> {
  protected:
    const NodeRule& rule() const { return compiler::builtin_nodes().at(GetParam()); }
    const Sample& sample() const {
        const auto it = samples().find(GetParam());
        if (it == samples().end()) throw std::out_of_range("add a sample of NIR type " + GetParam());
        return it->second;
    }
    NirModel model() const { return import_sample(rule(), sample().in, sample().keys, sample().out); }
    bool linear() const { return rule().role == NodeRole::Linear; }
};

TEST_P(NodeContract, ASampleIsImportedAndDescribed) {
    const NirModel m = model();
    const NirNode& x = node(m, "x");
    EXPECT_EQ(x.rule, &rule());
    const std::vector<std::size_t> out(sample().out.begin(), sample().out.end());
    EXPECT_EQ(x.output_shape, out);
    EXPECT_THAT(compiler::describe(m), testing::ContainsRegex("x +" + GetParam() + " .*-> "));
    for (const auto& key : rule().keys)
        EXPECT_TRUE(x.arrays.contains(key.name) || x.strings.contains(key.name)) << key.name;
}

TEST_P(NodeContract, AMisspeltKeyIsNamedWithTheNearest) {
    for (const auto& key : rule().keys) {
        const std::string typo = key.name + "s";
        const auto with_typo = [&](Node n) { sample().keys(n), n.real(typo, 1); };
        EXPECT_EQ(input_error([&] { import_sample(rule(), sample().in, with_typo, sample().out); }),
                  "node 'x': unknown key '" + typo + "' in a node of type " + GetParam() +
                      "; did you mean '" + key.name + "'?");
    }
}

TEST_P(NodeContract, AWrongShapeIsRefused) {
    if (sample().wrong_in.empty()) GTEST_SKIP() << "takes every shape";
    const std::string text =
        input_error([&] { import_sample(rule(), sample().wrong_in, sample().keys, sample().wrong_in); });
    EXPECT_THAT(text, testing::StartsWith("node 'x': "));
    EXPECT_THAT(text, HasSubstr(sample().refusal));
}

TEST_P(NodeContract, ALinearTypeIsTheSumOfItsColumns) {
    if (!linear()) GTEST_SKIP();
    const NirModel m = model();
    const NirNode& x = node(m, "x");
    const Dense w = columns_of(x);
    SparseVector in, out;
    std::vector<double> want(count(x.output_shape), 0.0), got = want;
    for (std::uint32_t i = 0; i < w.size(); i += 2) {
        in.emplace_back(i, 0.25 * i - 1);
        for (std::size_t o = 0; o < want.size(); ++o) want[o] += in.back().second * w[i][o];
    }
    compiler::apply_node(x, in, out);
    for (const auto& [o, v] : out) got.at(o) += v;
    expect_equal({got}, {want}, GetParam());
    EXPECT_NE(want, std::vector<double>(want.size(), 0.0));
}

/// The weights that cores get, in every form that the compiler has for the type, are the node's matrix;
/// alone, and with a Scale on either side.
TEST_P(NodeContract, LoweringKeepsTheSums) {
    if (!linear()) GTEST_SKIP();
    for (const bool scaled : {false, true}) {
        const NirModel m = import_graph([&](GraphWriter& g) {
            g.border("input", "Input", sample().in);
            sample().keys(g.node("x", GetParam()));
            g.node("n", "I").real("r", 1);
            g.border("output", "Output", sample().out);
            if (scaled) {
                g.node("before", "Scale").real("scale", 3);
                g.node("after", "Scale").real("scale", 0.5);
                g.edge("input", "before").edge("before", "x").edge("x", "after").edge("after", "n");
            } else {
                g.edge("input", "x").edge("x", "n");
            }
            g.edge("n", "output");
        });
        Dense want = columns_of(node(m, "x"));
        for (auto& column : want)
            for (double& v : column) v *= scaled ? 1.5 : 1.0;
        const compiler::Graph graph = compiler::build_graph(m, 1e-4);
        ASSERT_EQ(graph.projections.size(), 1u);
        for (const bool conv : {false, true}) {
            const LoweredProjection l = compiler::lower_projection(graph, graph.projections[0], 1e-4, conv);
            expect_equal(lowered_columns(l, want.size(), want[0].size()), want, compiler::form_name(l.form));
            const bool kernel = conv && rule().conv.has_value();
            EXPECT_EQ(l.form == LoweredProjection::Form::Conv, kernel);
        }
    }
}

std::vector<std::string> types() {
    std::vector<std::string> all;
    for (const NodeRule& rule : compiler::builtin_nodes().rules())
        if (!rule.is_border()) all.push_back(rule.type);  // every sample has an Input and an Output
    return all;
}
INSTANTIATE_TEST_SUITE_P(Types, NodeContract, testing::ValuesIn(types()),
                         [](const auto& p) { return p.param; });

/// A type that is not shipped: out[i] = in[n - 1 - i].
NodeRule reversal() {
    NodeRule rule{"Reverse",
                  NodeRole::Linear,
                  {},
                  [](const NirNode&, const compiler::Shape& a, const compiler::Shape&) { return a; },
                  [](const NirNode&) { return std::optional<compiler::Shape>{}; }};
    rule.linear.apply = [](const NirNode& n, const SparseVector& in, SparseVector& out, const DelayMask&) {
        const auto last = static_cast<std::uint32_t>(count(n.input_shape) - 1);
        for (const auto& [i, v] : in) out.emplace_back(last - i, v);
    };
    return rule;
}

TEST(Catalogue, AUserAddsATypeOfTheirOwn) {
    NodeCatalogue types;
    compiler::add_builtin(types);
    types.add(reversal());
    const NirModel m = import_graph(
        [](GraphWriter& g) {
            g.border("input", "Input", {4});
            g.node("x", "Reverse");
            g.node("n", "I").real("r", 1);
            g.border("output", "Output", {4});
            g.edge("input", "x").edge("x", "n").edge("n", "output");
        },
        false, types);
    const compiler::Graph graph = compiler::build_graph(m, 1e-4);
    const LoweredProjection l = compiler::lower_projection(graph, graph.projections[0], 1e-4, true);
    EXPECT_EQ(l.form, LoweredProjection::Form::Sparse) << "rows, as nothing better is known of it";
    EXPECT_EQ(lowered_columns(l, 4, 4)[1], (std::vector<double>{0, 0, 1, 0}));
    EXPECT_THAT(input_error([] { import_node({4}, "Reverse", [](Node) {}, {4}); }),
                HasSubstr("unknown type"));
}

TEST(Catalogue, RefusesWhatIsThereOrIncomplete) {
    NodeCatalogue types;
    types.add(reversal());
    EXPECT_THROW(types.add(reversal()), ConfigError);
    NodeRule nameless = reversal();
    nameless.type = "Other";
    nameless.linear.apply = nullptr;
    EXPECT_THROW(types.add(nameless), InternalError);
    nameless = reversal();
    nameless.type = "Other";
    nameless.output = nullptr;
    EXPECT_THROW(types.add(nameless), InternalError);
    EXPECT_THROW(types.at("Other"), InternalError);
    EXPECT_EQ(types.find("Other"), nullptr);
}

}  // namespace
}  // namespace loom::test
