// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <limits>

#include "tests/unit/compiler/import/import_checks.hpp"

namespace loom::test {
namespace {

using compiler::NirModel;
using testing::ElementsAre;
using testing::HasSubstr;
using Node = GraphWriter::Node;

std::vector<double> array(const NirModel& m, const char* key) {
    return node(m, "x").arrays.at(key).data;
}
std::vector<std::size_t> result(const NirModel& m) {
    return node(m, "x").output_shape;
}

void conv2d(Node n, std::int64_t stride, std::int64_t padding, std::int64_t dilation, std::int64_t groups) {
    n.counting("weight", {4, 2, 3, 2}).same("bias", 4, 0.5).integers("input_shape", {9, 8});
    n.integers("stride", {stride, 1}).integer("padding", padding).integers("dilation", {1, dilation});
    n.integer("groups", groups);
}

void lif(Node n, std::size_t size) {
    for (const char* key : {"tau", "r", "v_leak", "v_threshold"}) n.same(key, size, 0.5);
}

TEST(Primitives, AffineAndLinear) {
    const auto m = import_node({3}, "Affine",
                               [](Node n) {
                                   n.counting("weight", {2, 3}).reals("bias", {2}, {7, 8});
                               },
                               {2});
    EXPECT_THAT(result(m), ElementsAre(2));
    EXPECT_THAT(array(m, "weight"), ElementsAre(0, 1, 2, 3, 4, 5));
    EXPECT_THAT(array(m, "bias"), ElementsAre(7, 8));
    // a matrix acts on the last dimension; leading dimensions of the weight are batches
    EXPECT_THAT(result(import_node({5, 3}, "Linear",
                                   [](Node n) {
                                       n.counting("weight", {2, 3});
                                   },
                                   {5, 2})),
                ElementsAre(5, 2));
    EXPECT_THAT(result(import_node({5, 3}, "Linear",
                                   [](Node n) {
                                       n.counting("weight", {5, 2, 3});
                                   },
                                   {5, 2})),
                ElementsAre(5, 2));
}

TEST(Primitives, Conv2d) {
    // H: (9 + 2 - 3) / 2 + 1 = 5, W: (8 + 2 - (3 (2 - 1) + 1)) / 1 + 1 = 7
    const auto m = import_node({4, 9, 8}, "Conv2d", [](Node n) { conv2d(n, 2, 1, 3, 2); }, {4, 5, 7});
    EXPECT_THAT(result(m), ElementsAre(4, 5, 7));
    EXPECT_THAT(array(m, "stride"), ElementsAre(2, 1));
    EXPECT_THAT(array(m, "padding"), ElementsAre(1, 1)) << "a scalar stands for both axes";
    EXPECT_THAT(array(m, "groups"), ElementsAre(2));
}

TEST(Primitives, ConvPaddingByName) {
    const auto conv = [](const char* padding) {
        return [padding](Node n) {
            n.counting("weight", {1, 1, 4, 3}).integer("stride", 1).text("padding", padding);
            n.integer("dilation", 2).integer("groups", 1);
        };
    };
    const auto same = import_node({1, 8, 7}, "Conv2d", conv("same"), {1, 8, 7});
    EXPECT_THAT(result(same), ElementsAre(1, 8, 7));
    EXPECT_EQ(node(same, "x").strings.at("padding"), "same");
    EXPECT_THAT(array(same, "bias"), ElementsAre(0)) << "an absent bias is zero";
    EXPECT_THAT(array(same, "input_shape"), ElementsAre(8, 7)) << "filled by inference";
    EXPECT_THAT(result(import_node({1, 8, 7}, "Conv2d", conv("valid"), {1, 2, 3})), ElementsAre(1, 2, 3));
    EXPECT_EQ(input_error([&] {
                  import_node({1, 8, 7}, "Conv2d", conv("sane"), {1, 8, 7});
              }),
              "node 'x': key 'padding' is 'sane'; did you mean 'same'?");
}

TEST(Primitives, Conv1d) {
    const auto m = import_node({2, 10}, "Conv1d",
                               [](Node n) {
                                   n.counting("weight", {6, 2, 3})
                                       .same("bias", 6, 1)
                                       .integer("input_shape", 10)
                                       .integer("stride", 2);
                                   n.integer("padding", 1).integer("dilation", 1).integer("groups", 1);
                               },
                               {6, 5});
    EXPECT_THAT(result(m), ElementsAre(6, 5));
}

TEST(Primitives, Pools) {
    const auto pool = [](Node n) {
        n.integers("kernel_size", {2, 3}).integers("stride", {2, 1}).integers("padding", {0, 1});
    };
    for (const char* type : {"SumPool2d", "AvgPool2d"}) {
        EXPECT_THAT(result(import_node({3, 7, 5}, type, pool, {3, 3, 5})), ElementsAre(3, 3, 5));
    }
}

TEST(Primitives, Flatten) {
    const auto flatten = [](std::int64_t from, std::int64_t to) {
        return [from, to](Node n) { n.integer("start_dim", from).integer("end_dim", to); };
    };
    const auto all = import_node({2, 3, 4}, "Flatten", [](Node) {}, {24});
    EXPECT_THAT(result(all), ElementsAre(24)) << "defaults 0 and -1";
    EXPECT_THAT(array(all, "input_type"), ElementsAre(2, 3, 4));
    EXPECT_THAT(result(import_node({2, 3, 4}, "Flatten", flatten(1, -1), {2, 12})), ElementsAre(2, 12));
    EXPECT_THAT(result(import_node({2, 3, 4}, "Flatten", flatten(-3, 1), {6, 4})), ElementsAre(6, 4));
    EXPECT_EQ(input_error([&] {
                  import_node({2, 3}, "Flatten", flatten(0, 2), {6});
              }),
              "node 'x': key 'end_dim' is 2, the input [2, 3] has 2 dimensions (batch not counted)");
    EXPECT_EQ(input_error([&] {
                  import_node({2, 3}, "Flatten", flatten(1, 0), {6});
              }),
              "node 'x': start_dim lies behind end_dim");
}

TEST(Primitives, ScaleDelayThreshold) {
    EXPECT_THAT(array(import_node({3}, "Scale", [](Node n) { n.real("scale", 2); }, {3}), "scale"),
                ElementsAre(2));
    EXPECT_THAT(array(import_node({3}, "Delay", [](Node n) { n.counting("delay", {3}); }, {3}), "delay"),
                ElementsAre(0, 1, 2));
    EXPECT_THAT(array(import_node({2, 3}, "Threshold",
                                  [](Node n) {
                                      n.counting("threshold", {2, 1});
                                  },
                                  {2, 3}),
                      "threshold"),
                ElementsAre(0, 0, 0, 1, 1, 1));
}

TEST(Primitives, NeuronsWithDefaults) {
    struct Case {
        const char* type;
        std::vector<const char*> keys;
    };
    const Case cases[] = {
        {"I", {"r"}},
        {"LI", {"tau", "r", "v_leak"}},
        {"IF", {"r", "v_threshold"}},
        {"LIF", {"tau", "r", "v_leak", "v_threshold"}},
        {"ALIF", {"tau", "r", "v_leak", "v_threshold", "adapt_decay", "adapt_jump", "adapt_strength"}},
        {"CubaLI", {"tau_syn", "tau_mem", "r", "v_leak"}},
        {"CubaLIF", {"tau_syn", "tau_mem", "r", "v_leak", "v_threshold"}}};
    for (const auto& c : cases) {
        const auto fill = [&](Node n) {
            for (const char* key : c.keys) n.same(key, 4, 0.5);
        };
        const auto m = import_node({4}, c.type, fill, {4});
        EXPECT_THAT(result(m), ElementsAre(4)) << c.type;
        for (const char* key : c.keys) EXPECT_THAT(array(m, key), ElementsAre(0.5, 0.5, 0.5, 0.5)) << c.type;
        const auto& arrays = node(m, "x").arrays;
        const std::string type = c.type;
        EXPECT_EQ(arrays.contains("v_reset"),
                  type == "IF" || type == "LIF" || type == "ALIF" || type == "CubaLIF")
            << type;
        EXPECT_EQ(arrays.contains("w_in"), type == "CubaLI" || type == "CubaLIF") << type;
        if (arrays.contains("v_reset")) {
            EXPECT_THAT(array(m, "v_reset"), ElementsAre(0));
        }
        if (arrays.contains("w_in")) {
            EXPECT_THAT(array(m, "w_in"), ElementsAre(1));
        }
    }
}

TEST(Primitives, ParametersBroadcastToOneOrAll) {
    const auto m = import_node({2, 1, 3}, "LIF",
                               [](Node n) {
                                   n.reals("tau", {2, 1, 1}, {1, 2}).real("r", 5).reals("v_leak", {1}, {6});
                                   n.reals("v_threshold", {3}, {7, 8, 9}).counting("v_reset", {2, 1, 3});
                               },
                               {2, 1, 3});
    EXPECT_THAT(array(m, "tau"), ElementsAre(1, 1, 1, 2, 2, 2));
    EXPECT_THAT(array(m, "r"), ElementsAre(5));
    EXPECT_THAT(array(m, "v_leak"), ElementsAre(6));
    EXPECT_THAT(array(m, "v_threshold"), ElementsAre(7, 8, 9, 7, 8, 9));
    EXPECT_THAT(array(m, "v_reset"), ElementsAre(0, 1, 2, 3, 4, 5));
    EXPECT_THAT(node(m, "x").arrays.at("tau").shape, ElementsAre(2, 1, 3));
}

TEST(Primitives, MatMulAndMulTakePorts) {
    const auto m = import_graph([](GraphWriter& g) {
        g.border("p", "Input", {4, 2});
        g.border("q", "Input", {4, 3});
        g.node("mm", "MatMul").integer("transpose_a", 1).integers("a_shape", {4, 2});
        g.node("had", "Mul");
        g.border("out", "Output", {2, 3});
        g.edge("p", "mm.a").edge("q", "mm.b").edge("mm", "had.a").edge("mm", "had.b").edge("had", "out");
    });
    EXPECT_EQ(edges(m), "q->mm.b p->mm.a mm->had.a mm->had.b had->out");
    EXPECT_THAT(node(m, "mm").output_shape, ElementsAre(2, 3));
    EXPECT_THAT(node(m, "mm").arrays.at("b_shape").data, ElementsAre(4, 3));
    EXPECT_THAT(node(m, "mm").arrays.at("scale").data, ElementsAre(1));
    EXPECT_THAT(node(m, "mm").arrays.at("transpose_b").data, ElementsAre(0));
    EXPECT_THAT(node(m, "had").output_shape, ElementsAre(2, 3));
}

TEST(Primitives, MatMulErrors) {
    const auto graph = [](const char* end_a, const char* end_b) {
        return input_error([&] {
            import_graph([&](GraphWriter& g) {
                g.border("p", "Input", {4, 2});
                g.node("mm", "MatMul");
                g.border("out", "Output", {4, 4});
                g.edge("p", end_a).edge("p", end_b).edge("mm", "out");
            });
        });
    };
    EXPECT_EQ(graph("mm.a", "mm"),
              "edge 'p' -> 'mm': 'mm' is a MatMul with two operands; name the port: 'mm.a' or 'mm.b'");
    EXPECT_EQ(graph("mm.a", "mm.a"), "node 'mm': no edge ends at its port 'mm.b'; type MatMul needs both");
    EXPECT_EQ(graph("mm.a", "mm.b"),
              "node 'mm': op(a) has 2 columns but op(b) 4 rows (a [4, 2], b [4, 2]); check the transposes");
}

TEST(Primitives, UnknownTypeAndKeysAreNamedWithTheNearest) {
    EXPECT_EQ(input_error([] { import_node({3}, "Conv2D", [](Node) {}, {3}); }),
              "node 'x': unknown type 'Conv2D'; did you mean 'Conv2d'?");
    EXPECT_THAT(input_error([] { import_node({3}, "Reservoir", [](Node) {}, {3}); }),
                HasSubstr("unknown type 'Reservoir'; expected one of 'NIRGraph', 'Input'"));
    EXPECT_EQ(
        input_error([] { import_node({3}, "LIF", [](Node n) { lif(n, 3), n.real("v_treshold", 1); }, {3}); }),
        "node 'x': unknown key 'v_treshold' in a node of type LIF; did you mean 'v_threshold'?");
    EXPECT_EQ(input_error([] { import_node({3}, "I", [](Node) {}, {3}); }),
              "node 'x': key 'r' is missing; type I needs it");
}

TEST(Primitives, BadValues) {
    const auto lif_with = [](const char* key, double v) {
        return input_error([&] {
            import_node({3}, "CubaLIF",
                        [&](Node n) {
                            const std::string bad = key;
                            for (const char* k : {"tau_syn", "tau_mem", "r", "v_leak", "v_threshold"}) {
                                if (k == bad)
                                    n.reals(k, {3}, {1, v, 1});
                                else
                                    n.real(k, 1);
                            }
                        },
                        {3});
        });
    };
    EXPECT_EQ(lif_with("tau_mem", 0),
              "node 'x': key 'tau_mem' is 0 at element 1; a time constant must be > 0");
    EXPECT_EQ(lif_with("tau_syn", -1),
              "node 'x': key 'tau_syn' is -1 at element 1; a time constant must be > 0");
    EXPECT_EQ(lif_with("r", std::numeric_limits<double>::quiet_NaN()),
              "node 'x': key 'r' holds nan at element 1; it must be finite");
    EXPECT_EQ(lif_with("v_leak", std::numeric_limits<double>::infinity()),
              "node 'x': key 'v_leak' holds inf at element 1; it must be finite");
    EXPECT_EQ(input_error([] { import_node({1}, "Delay", [](Node n) { n.real("delay", -1); }, {1}); }),
              "node 'x': key 'delay' is -1 at element 0; it must be >= 0");
    EXPECT_EQ(input_error([] {
                  import_node({4, 9, 8}, "Conv2d", [](Node n) { conv2d(n, 0, 1, 1, 2); }, {1});
              }),
              "node 'x': key 'stride' is 0, expected an integer from 1 to 2147483647");
    EXPECT_EQ(input_error([] {
                  import_node({4, 9, 8}, "Conv2d", [](Node n) { conv2d(n, 1, -1, 1, 2); }, {1});
              }),
              "node 'x': key 'padding' is -1, expected an integer from 0 to 2147483647");
    EXPECT_EQ(input_error([] { import_node({0}, "I", [](Node n) { n.real("r", 1); }, {1}); }),
              "node 'input': key 'shape' is 0, expected an integer from 1 to 2147483647");
}

TEST(Primitives, BadShapes) {
    EXPECT_EQ(input_error([] {
                  import_node({4}, "Linear", [](Node n) { n.counting("weight", {2, 3}); }, {2});
              }),
              "node 'x': weight [2, 3] takes 3 values in the last dimension, the input has shape [4]");
    EXPECT_EQ(input_error([] {
                  import_node({1, 3, 1}, "Linear", [](Node n) { n.counting("weight", {2, 3}); }, {2});
              }),
              "node 'x': weight [2, 3] takes 3 values in the last dimension, the input has shape [1, 3, 1]; "
              "put a Flatten before it");
    EXPECT_EQ(input_error([] { import_node({4}, "Linear", [](Node n) { n.counting("weight", {4}); }, {2}); }),
              "node 'x': weight has shape [4], expected [..., out, in]");
    EXPECT_EQ(input_error([] {
                  import_node({3}, "Affine",
                              [](Node n) {
                                  n.counting("weight", {2, 3}).counting("bias", {3});
                              },
                              {2});
              }),
              "node 'x': bias has shape [3], expected [2]");
    EXPECT_EQ(input_error([] { import_node({4}, "LIF", [](Node n) { lif(n, 3); }, {4}); }),
              "node 'x': parameter 'tau' has shape [3], the signal has [4]");
    EXPECT_EQ(
        input_error([] {
            import_node({3, 9, 8}, "Conv2d", [](Node n) { conv2d(n, 1, 0, 1, 2); }, {1});
        }),
        "node 'x': weight [4, 2, 3, 2] with 2 group(s) takes 4 channels, the input has shape [3, 9, 8]");
    EXPECT_EQ(input_error([] {
                  import_node({6, 9, 8}, "Conv2d", [](Node n) { conv2d(n, 1, 0, 1, 3); }, {1});
              }),
              "node 'x': 4 output channels do not divide into 3 groups");
    EXPECT_EQ(input_error([] {
                  import_node({4, 9, 7}, "Conv2d", [](Node n) { conv2d(n, 1, 0, 1, 2); }, {4, 7, 6});
              }),
              "node 'x': key 'input_shape' is [9, 8], the input has shape [9, 7]");
    EXPECT_EQ(input_error([] {
                  import_node({4, 2, 8}, "Conv2d", [](Node n) { conv2d(n, 1, 0, 1, 2); }, {1});
              }),
              "node 'x': a kernel that spans 3 cells does not fit an input of 2 (padding 0)");
    EXPECT_EQ(input_error([] {
                  import_node({4, 2}, "Conv2d", [](Node n) { conv2d(n, 1, 0, 1, 2); }, {1});
              }),
              "node 'x': input has shape [4, 2], expected 3 dimensions [C, H, W]");
    EXPECT_EQ(input_error([] { import_node({3}, "I", [](Node n) { n.real("r", 1); }, {4}); }),
              "node 'output': key 'shape' is [4], the input has shape [3]");
}

}  // namespace
}  // namespace loom::test
