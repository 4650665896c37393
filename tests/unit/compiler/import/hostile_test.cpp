// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "tests/unit/compiler/import/import_checks.hpp"

namespace loom::test {
namespace {

using testing::HasSubstr;

/// Error of a file whose content `fill` writes; checked to print nothing by itself.
std::string error_of(const std::function<void(Hdf5Writer&)>& fill) {
    const TemporaryFile file;
    {
        Hdf5Writer h(file.path());
        fill(h);
    }
    testing::internal::CaptureStderr();
    const std::string text = input_error([&] { compiler::read_nir(file.path()); });
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
    return text;
}

/// A sound I neuron as bare root, without its 'r'.
std::string error_of_r(const std::function<void(Hdf5Writer&, const std::string&)>& fill) {
    return error_of([&](Hdf5Writer& h) {
        h.text("/node/type", "I");
        fill(h, "/node/r");
    });
}

TEST(Hostile, NoSuchFileOrFolder) {
    EXPECT_THROW(compiler::read_nir("/nonexistent/x.nir"), IoError);
    EXPECT_THROW(compiler::read_nir("/"), IoError);
    try {
        compiler::read_nir("/nonexistent/x.nir");
    } catch (const IoError& e) {
        EXPECT_STREQ(e.what(), "/nonexistent/x.nir: cannot be opened: No such file or directory");
    }
}

TEST(Hostile, NotHdf5) {
    const TemporaryFile file;
    std::ofstream(file.path()) << "";
    EXPECT_THAT(input_error([&] { compiler::read_nir(file.path()); }), HasSubstr("is not an HDF5 file"));
    std::ofstream(file.path()) << "layers: [1, 2]\n";
    EXPECT_THAT(input_error([&] { compiler::read_nir(file.path()); }), HasSubstr("is not an HDF5 file"));
}

TEST(Hostile, EveryTruncationIsAnError) {
    const TemporaryFile cut;
    const std::filesystem::path whole = LOOM_SOURCE_DIR "/tests/golden/digits/digits_mlp.nir";
    const auto size = std::filesystem::file_size(whole);
    testing::internal::CaptureStderr();
    for (std::uintmax_t part = 1; part < 32; ++part) {
        std::filesystem::copy_file(whole, cut.path(), std::filesystem::copy_options::overwrite_existing);
        std::filesystem::permissions(cut.path(), std::filesystem::perms::owner_all);
        std::filesystem::resize_file(cut.path(), size * part / 32);
        EXPECT_THAT(input_error([&] { compiler::read_nir(cut.path()); }), HasSubstr("truncated")) << part;
    }
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

TEST(Hostile, MissingParts) {
    EXPECT_EQ(error_of([](Hdf5Writer&) {}),
              "root group: has no group 'node'; this HDF5 file is not a NIR graph");
    EXPECT_EQ(error_of([](Hdf5Writer& h) { h.integers("/node", {}, {1}); }), "root group: is not a group");
    EXPECT_EQ(error_of([](Hdf5Writer& h) { h.group("/node"); }),
              "root node: key 'type' is missing; every node names its type");
    EXPECT_EQ(error_of([](Hdf5Writer& h) { h.text("/node/type", "NIRGraph"); }),
              "root node: key 'nodes' is missing; type NIRGraph needs it");
    EXPECT_EQ(error_of([](Hdf5Writer& h) {
                  h.text("/node/type", "NIRGraph");
                  h.text("/node/egdes", "x");
              }),
              "root node: unknown key 'egdes' in a NIRGraph; did you mean 'edges'?");
    EXPECT_EQ(error_of([](Hdf5Writer& h) {
                  h.text("/node/type", "NIRGraph");
                  h.group("/node/nodes");
                  h.reals("/node/edges", {0}, {});
              }),
              "the graph has no Input node and 0 nodes it could belong to; add one");
}

TEST(Hostile, WrongEdges) {
    const auto with_edges = [](const std::function<void(Hdf5Writer&)>& edges) {
        return error_of([&](Hdf5Writer& h) {
            h.text("/node/type", "NIRGraph");
            h.group("/node/nodes");
            edges(h);
        });
    };
    EXPECT_EQ(with_edges([](auto& h) {
                  h.texts("/node/edges", {3}, {"a", "b", "c"});
              }),
              "root node: key 'edges' has shape [3], expected [N, 2]: source and target");
    EXPECT_EQ(with_edges([](auto& h) {
                  h.reals("/node/edges", {1, 2}, {1, 2});
              }),
              "root node: key 'edges' must be a string dataset");
    EXPECT_EQ(with_edges([](auto& h) {
                  h.texts("/node/edges", {1, 2}, {"a\nb", std::string(500, 'x')});
              }),
              "edge 'a?b' -> '" + std::string(80, 'x') + "...': 'a?b' names no node");
}

TEST(Hostile, WrongDatasetClass) {
    EXPECT_EQ(error_of_r([](auto& h, auto& r) { h.text(r, "1"); }),
              "root node: key 'r' must be a dataset of numbers");
    EXPECT_EQ(error_of_r([](auto& h, auto& r) { h.group(r); }),
              "root node: key 'r' must be a dataset of numbers");
    EXPECT_EQ(error_of_r([](auto& h, auto& r) { h.reals(r, {0}, {}); }),
              "root node: key 'r' is empty (shape [0])");
    EXPECT_EQ(error_of([](Hdf5Writer& h) { h.integers("/node/type", {}, {1}); }),
              "root node: key 'type' must be a string dataset");
    EXPECT_EQ(error_of([](Hdf5Writer& h) {
                  h.texts("/node/type", {2}, {"I", "I"});
              }),
              "root node: key 'type' must be one string, has 2");
    EXPECT_EQ(error_of([](Hdf5Writer& h) {
                  h.text("/node/type", "NIRGraph");
                  h.reals("/node/edges", {0}, {});
                  h.integers("/node/nodes/lif", {}, {1});
              }),
              "root node: key 'nodes': key 'lif' is not a group; a node was expected");
}

TEST(Hostile, HugeClaims) {
    const std::size_t big = std::size_t{1} << 20;
    EXPECT_EQ(error_of_r([&](auto& h, auto& r) {
                  h.unwritten(r, {big, big, big});
              }),
              "root node: key 'r' has more than 2^31 elements");
    EXPECT_EQ(error_of_r([&](auto& h, auto& r) {
                  h.unwritten(r, {big, 64});
              }),
              "root node: key 'r' claims 536870912 bytes but only 0 are stored; the file is damaged");
    EXPECT_EQ(error_of([&](Hdf5Writer& h) {
                  GraphWriter g(h, "/node/");
                  g.border("input", "Input", {1 << 20, 1 << 20});
                  g.node("x", "Scale").real("scale", 1);
                  g.border("output", "Output", {1});
                  g.edge("input", "x").edge("x", "output").finish();
              }),
              "node 'input': shape [1048576, 1048576] has more than 2^31 elements");
    EXPECT_EQ(error_of([&](Hdf5Writer& h) {
                  GraphWriter g(h, "/node/");
                  g.border("input", "Input", {2, 1 << 29});
                  g.node("x", "Scale").counting("scale", {2, 1});
                  g.border("output", "Output", {2, 1 << 29});
                  g.edge("input", "x").edge("x", "output").finish();
              }),
              "node 'x': its parameters broadcast to more than 2^28 values");
}

TEST(Hostile, LinksAndSelfContainment) {
    EXPECT_EQ(error_of_r([](auto& h, auto& r) { h.soft_link(r, "/node/type"); }),
              "root node: key 'r' is a soft or external link; store the data itself");
    EXPECT_THAT(error_of([](Hdf5Writer& h) {
                    h.text("/node/type", "NIRGraph");
                    h.reals("/node/edges", {0}, {});
                    h.group("/node/nodes");
                    h.hard_link("/node/nodes/g", "/node");
                }),
                HasSubstr("graphs are nested more than 64 deep"));
}

}  // namespace
}  // namespace loom::test
