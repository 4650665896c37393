// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "tests/unit/compiler/import/import_checks.hpp"

namespace loom::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

void neuron(GraphWriter& g, const std::string& name, std::size_t n) {
    g.node(name, "I").same("r", n, 1);
}

TEST(Graph, NestedGraphIsInlined) {
    const auto m = import_graph([](GraphWriter& g) {
        g.border("input", "Input", {3});
        g.border("output", "Output", {3});
        auto sub = g.graph("sub");
        sub.border("in", "Input", {3});
        sub.border("out", "Output", {3});
        neuron(sub, "lif", 3);
        sub.node("rec", "Linear").counting("weight", {3, 3});
        sub.edge("in", "lif").edge("lif", "rec").edge("rec", "lif").edge("lif", "out").finish();
        g.edge("sub", "output").edge("input", "sub");
    });
    EXPECT_EQ(edges(m), "input->sub/lif sub/lif->sub/rec sub/lif->output sub/rec->sub/lif");
    EXPECT_EQ(m.nodes.size(), 4U);
    EXPECT_THAT(node(m, "sub/rec").output_shape, ElementsAre(3));
    EXPECT_THAT(m.notes, IsEmpty());
}

TEST(Graph, PortsOfANestedGraph) {
    const auto build = [](const char* a, const char* b) {
        return import_graph([&](GraphWriter& g) {
            g.border("p", "Input", {2});
            g.border("q", "Input", {3});
            g.border("output", "Output", {3});
            auto sub = g.graph("sub");
            sub.border("A", "Input", {2});
            sub.border("B", "Input", {3});
            sub.border("out", "Output", {3});
            sub.node("w", "Linear").counting("weight", {3, 2});
            sub.edge("A", "w").edge("w", "out").edge("B", "out").finish();
            g.edge("p", a).edge("q", b).edge("sub", "output");
        });
    };
    EXPECT_EQ(edges(build("sub.A", "sub.B")), "p->sub/w q->output sub/w->output");
    EXPECT_EQ(input_error([&] { build("sub.A", "sub"); }),
              "edge 'q' -> 'sub': the graph 'sub' has several ports; expected one of 'sub.A', 'sub.B'");
    EXPECT_EQ(input_error([&] { build("sub.A", "sub.D"); }),
              "edge 'q' -> 'sub.D': the graph has no port 'D'; did you mean 'sub.A'?");
    EXPECT_EQ(input_error([&] { build("sub.B", "sub.A"); }),
              "edge 'p' -> 'sub/B': gives shape [2], the target takes [3]");
}

TEST(Graph, DotsInNamesAndDuplicateEdges) {
    const auto m = import_graph([](GraphWriter& g) {
        g.border("input", "Input", {3});
        g.border("output", "Output", {3});
        neuron(g, "lif1.lif", 3);
        g.edge("input", "lif1.lif").edge("lif1.lif", "output").edge("input", "lif1.lif");
    });
    EXPECT_EQ(edges(m), "input->lif1.lif lif1.lif->output");
    EXPECT_THAT(m.notes, ElementsAre("duplicate edge 'input' -> 'lif1.lif' dropped"));
}

TEST(Graph, DanglingEdgeIsRepairedOnlyOnRequest) {
    const auto build = [](const char* end, bool repair) {
        return import_graph(
            [&](GraphWriter& g) {
                g.border("input", "Input", {3});
                g.border("output", "Output", {3});
                neuron(g, "lif1", 3);
                g.edge("input", end).edge("lif1", "output");
            },
            repair);
    };
    EXPECT_EQ(input_error([&] { build("lif", false); }),
              "edge 'input' -> 'lif': 'lif' names no node; did you mean 'lif1'? --repair takes it so");
    const auto m = build("lif", true);
    EXPECT_EQ(edges(m), "input->lif1 lif1->output");
    EXPECT_THAT(m.notes,
                ElementsAre("repaired: edge 'input' -> 'lif': 'lif' names no node, taken as 'lif1'"));
    EXPECT_EQ(input_error([&] { build("fil1", true); }),
              "edge 'input' -> 'fil1': 'fil1' names no node; did you mean 'lif1'?");
    EXPECT_THAT(input_error([&] { build("", true); }), HasSubstr("'' names no node"));
}

TEST(Graph, OutputShapeIsRepairedOnlyOnRequest) {
    const auto build = [](bool repair) {
        return import_graph(
            [](GraphWriter& g) {
                g.border("input", "Input", {6});
                g.border("output", "Output", {2, 3});
                neuron(g, "x", 6);
                g.edge("input", "x").edge("x", "output");
            },
            repair);
    };
    EXPECT_EQ(input_error([&] { build(false); }),
              "node 'output': key 'shape' is [2, 3], the input has shape [6]; --repair takes the latter");
    const auto m = build(true);
    EXPECT_THAT(node(m, "output").arrays.at("shape").data, ElementsAre(6));
    EXPECT_THAT(m.notes, ElementsAre(HasSubstr("repaired: node 'output'")));
}

TEST(Graph, SeveralEdgesIntoANodeMustAgree) {
    EXPECT_EQ(input_error([] {
                  import_graph([](GraphWriter& g) {
                      g.border("p", "Input", {3});
                      g.border("q", "Input", {4});
                      g.border("output", "Output", {3});
                      neuron(g, "x", 3);
                      g.edge("p", "x").edge("q", "x").edge("x", "output");
                  });
              }),
              "edge 'q' -> 'x': gives shape [4], the target takes [3]");
}

TEST(Graph, ANeuronWithoutInputGivesItsOwnShape) {
    const auto m = import_graph([](GraphWriter& g) {
        g.border("input", "Input", {3});
        g.border("output", "Output", {3});
        neuron(g, "x", 3);
        neuron(g, "clock", 3);
        g.edge("input", "x").edge("clock", "x").edge("x", "output");
    });
    EXPECT_THAT(node(m, "clock").output_shape, ElementsAre(3));
    EXPECT_THAT(m.notes, ElementsAre("no edge leads to node 'clock'"));
}

TEST(Graph, UnconnectedNodes) {
    const auto build = [](bool into) {
        return input_error([&] {
            import_graph([&](GraphWriter& g) {
                g.border("input", "Input", {3});
                g.border("output", "Output", {3});
                neuron(g, "x", 3);
                g.node("w", "Linear").counting("weight", {3, 3});
                g.edge("input", "x").edge("x", "output").edge("w", "x");
                if (into) g.edge("x", "input");
            });
        });
    };
    EXPECT_EQ(build(false), "node 'w': no edge leads to it; connect or remove it");
    EXPECT_EQ(build(true), "edge 'x' -> 'input': 'input' is an Input; no edge enters it");
}

TEST(Graph, MissingInputAndOutputAreAdded) {
    const auto m = import_graph([](GraphWriter& g) {
        g.node("w", "Linear").counting("weight", {2, 3});
        neuron(g, "x", 2);
        g.edge("w", "x");
    });
    EXPECT_EQ(edges(m), "input->w w->x x->output");
    EXPECT_THAT(node(m, "input").arrays.at("shape").data, ElementsAre(3));
    EXPECT_EQ(m.notes.size(), 2U);
    EXPECT_EQ(input_error([] { import_graph([](GraphWriter& g) { neuron(g, "x", 1), neuron(g, "y", 1); }); }),
              "the graph has no Input node and 2 nodes it could belong to; add one");
}

TEST(Graph, BareNodeIsWrapped) {
    const TemporaryFile file;
    {
        Hdf5Writer h(file.path());
        h.text("/node/type", "Affine");
        h.packed_floats("/node/weight", {2, 3}, {1, 2, 3, 4, 5, 6});
        h.packed_floats("/node/bias", {2}, {0.5, 1.5});
    }
    const auto m = compiler::read_nir(file.path());
    EXPECT_EQ(edges(m), "input->node node->output");
    EXPECT_THAT(node(m, "input").output_shape, ElementsAre(3));
    EXPECT_THAT(node(m, "output").arrays.at("shape").data, ElementsAre(2));
    EXPECT_THAT(node(m, "node").arrays.at("bias").data, ElementsAre(0.5, 1.5));
    EXPECT_EQ(m.version, "");
}

TEST(Graph, LoopOfNestedBordersOnly) {
    EXPECT_EQ(input_error([] {
                  import_graph([](GraphWriter& g) {
                      g.border("input", "Input", {1});
                      g.border("output", "Output", {1});
                      auto sub = g.graph("sub");
                      sub.border("in", "Input", {1});
                      sub.border("out", "Output", {1});
                      sub.edge("in", "out").finish();
                      g.edge("sub", "sub").edge("input", "sub").edge("sub", "output");
                  });
              }),
              "nested graphs form a loop that passes no node; break it");
}

TEST(Graph, MetadataVersionAndForeignEntries) {
    const TemporaryFile file;
    {
        Hdf5Writer h(file.path());
        h.fixed_text("/version", "1.0.7", 12);
        h.reals("/node/metadata/dt", {}, {1e-4});
        h.integers("/node/metadata/axes", {2}, {1, 2});
        h.text("/node/metadata/reset", "value");
        h.text("/node/metadata/author/name", "A");
        h.integers("/extra", {}, {1});
        h.boolean("/node/nodes/mm/transpose_a", true);
        h.group("/node/nodes/mm/metadata");
        GraphWriter g(h, "/node/");
        g.border("in", "Input", {2, 3});
        g.node("mm", "MatMul");
        g.border("out", "Output", {3, 3});
        g.edge("in", "mm.a").edge("in", "mm.b").edge("mm", "out").finish();
    }
    const auto m = compiler::read_nir(file.path());
    EXPECT_EQ(m.version, "1.0.7");
    const std::map<std::string, std::string> expected{
        {"dt", "0.0001"}, {"axes", "[1, 2]"}, {"reset", "value"}, {"author/name", "A"}};
    EXPECT_EQ(m.metadata, expected);
    EXPECT_THAT(m.notes, ElementsAre("ignored: root entry 'extra'"));
    EXPECT_THAT(node(m, "mm").arrays.at("transpose_a").data, ElementsAre(1)) << "a boolean";
}

}  // namespace
}  // namespace loom::test
