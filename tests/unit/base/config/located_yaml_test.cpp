// SPDX-License-Identifier: Apache-2.0
#include "base/config/located_yaml.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>

#include "message_of.hpp"

namespace loom::config {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

/// A folder of small files, removed at the end.
class Files {
  public:
    Files() {
        const auto* info = testing::UnitTest::GetInstance()->current_test_info();
        root_ = fs::path(testing::TempDir()) / (std::string("loom_config_") + info->name());
        fs::remove_all(root_);
        fs::create_directories(root_ / "sub");
    }
    ~Files() { fs::remove_all(root_); }
    Files(const Files&) = delete;
    Files& operator=(const Files&) = delete;
    std::string add(const std::string& name, const std::string& text) const {
        std::ofstream(root_ / name) << text;
        return (root_ / name).string();
    }
    std::string path(const std::string& name) const { return (root_ / name).string(); }

  private:
    fs::path root_;
};

std::string value(const Node& root, const char* path) {
    const Node* node = get(root, path);
    return node == nullptr ? "(none)" : node->is_scalar() ? node->scalar : node->describe();
}

TEST(LocatedYaml, KnowsPlaces) {
    const Node n = load_text("a: 1\nb:\n  - x\n  - {c: \"2\"}\n", "f.yaml");
    EXPECT_EQ(get(n, "a")->at.text(), "f.yaml:1:4");
    EXPECT_EQ(get(n, "b.0")->at.text(), "f.yaml:3:5");
    EXPECT_EQ(get(n, "b.1.c")->at.text(), "f.yaml:4:9");
    EXPECT_TRUE(get(n, "b.1.c")->quoted);
    EXPECT_FALSE(get(n, "a")->quoted);
    EXPECT_EQ(n.map[1].at.text(), "f.yaml:2:1");
    EXPECT_TRUE(load_text("", "f.yaml").is_null());
    const Node marked = load_text("\xef\xbb\xbf# \xc3\xbc\na: \">=\"\n", "f.yaml");
    EXPECT_EQ(value(marked, "a"), ">=");
    EXPECT_EQ(marked.find("a")->at.text(), "f.yaml:2:4");
    EXPECT_EQ(value(load_text("a: &x {k: 1}\nb: *x\n", "f"), "b.k"), "1");
}

TEST(LocatedYaml, MalformedCorpus) {
    const std::map<std::string, std::string> corpus{
        {"a: 1\nb: 2\na: 3\n", "f.yaml:3:1: duplicate key 'a' (first at line 1)"},
        {"x: {p: 1, p: 2}\n", "f.yaml:1:11: duplicate key 'p' (first at line 1)"},
        {"a: [1, 2\n", "f.yaml:2:1: end of sequence flow not found"},
        {"a: {b: 1\n", "f.yaml:2:1: end of map flow not found"},
        {"a: b: c\n", "f.yaml:1:5: illegal map value"},
        {"a: \"open\n", "f.yaml:1:4: quote is not closed"},
        {"a: 'it''s\nb: 2\n", "f.yaml:1:4: quote is not closed"},
        {"a: 1\n---\nb: 2\n", "f.yaml:2:1: a second document in one file"},
        {"? [1]\n: 2\n", "f.yaml:1:3: a key must be a scalar; is a bracket not closed?"},
        {"~: 2\n", "f.yaml:1:1: a key must be a scalar"},
        {"a: !!int 3\n", "f.yaml:1:4: tags are not supported (got 'tag:yaml.org,2002:int')"},
        {"a: *none\n", "f.yaml:1:4: the referenced anchor is not defined"},
        {"a: &x [*x]\n", "f.yaml:1:8: an alias inside its own anchor"},
    };
    for (const auto& [text, expected] : corpus) {
        EXPECT_EQ(message_of([&, &t = text] { load_text(t, "f.yaml"); }), expected) << text;
    }
}

TEST(LocatedYaml, AliasesCannotMultiplyWithoutBound) {
    std::string text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
    for (int i = 1; i < 9; ++i) {
        std::string last = "*a";
        last += std::to_string(i - 1);
        const std::string n = std::to_string(i);
        text.append("a").append(n).append(": &a").append(n).append(" [").append(last);
        for (int k = 0; k < 9; ++k) text.append(", ").append(last);
        text += "]\n";
    }
    EXPECT_THAT(message_of([&] { load_text(text, "f"); }), HasSubstr("too large"));
    EXPECT_NE(message_of([] { load_text(std::string(100000, '['), "f"); }), "no error");
}

TEST(LocatedYaml, MissingFileIsIoError) {
    EXPECT_THROW(load("/nonexistent/x.yaml"), IoError);
    EXPECT_THROW(load("/tmp"), IoError);
}

TEST(LocatedYaml, MergeIsDeep) {
    const Node base = load_text("a: {x: 1, y: [1, 2]}\nb: 2\n", "base");
    const Node over = load_text("a: {y: [3], z: 4}\nc: {d: 5}\n", "over");
    const Node m = merge(base, over);
    EXPECT_EQ(emit(m), "a:\n  x: 1\n  y: [3]\n  z: 4\nb: 2\nc:\n  d: 5\n");
    EXPECT_EQ(get(m, "a.x")->at.file, "base");
    EXPECT_EQ(get(m, "a.z")->at.file, "over");
    EXPECT_EQ(value(merge(base, load_text("a: {y: {1: 9}}", "o")), "a.y.1"), "9");
}

TEST(LocatedYaml, SetPaths) {
    Node n = load_text("a: {x: 1, l: [1, {k: 2}]}\nacts: {noc.link: {v: 1}}\n", "f");
    set(n, "a.x", "7");
    set(n, "new.deep.key", "{p: 2 ns}");
    set(n, "a.l.1.k", "5");
    set(n, "acts.noc.link.v", "3");
    set(n, "acts.\"noc.other\".v", "4");
    EXPECT_EQ(value(n, "a.x"), "7");
    EXPECT_EQ(value(n, "new.deep.key.p"), "2 ns");
    EXPECT_EQ(value(n, "a.l.1.k"), "5");
    EXPECT_EQ(n.find("acts")->map.size(), 2u);
    EXPECT_EQ(value(n, "acts.noc.link.v"), "3");
    EXPECT_EQ(value(n, "acts.noc.other.v"), "4");
    EXPECT_EQ(get(n, "a.x")->at.text(), "--set a.x");
    EXPECT_EQ(message_of([&] { set(n, "a.x.y", "1"); }), "--set a.x.y: cannot set 'y' below the value '7'");
    EXPECT_EQ(message_of([&] { set(n, "a.l.2", "1"); }),
              "--set a.l.2: index 2 is past the end of a sequence of 2");
    EXPECT_EQ(message_of([&] { set(n, "a.l.x", "1"); }), "--set a.l.x: 'x' is no index of a sequence");
    EXPECT_EQ(message_of([&] { set(n, "a..x", "1"); }), "--set a..x: empty name in the path");
    EXPECT_EQ(message_of([&] { set(n, "", "1"); }), "--set : empty name in the path");
    EXPECT_EQ(message_of([&] { set(n, "a.\"x", "1"); }), "--set a.\"x: quote is not closed");
    EXPECT_EQ(message_of([&] { set(n, "a.x", "[1"); }),
              "--set a.x:1:1: a key must be a scalar; is a bracket not closed? (in the value '[1')");
}

TEST(LocatedYaml, EmitReadsBack) {
    const char* texts[] = {"a: 1\nb: \"1\"\nc: ~\nd: \"\"\ne: {}\nf: []\n",
                           "l: [{a: 1, b: [x, y]}, [1, 2], \"a: b # c\"]\n",
                           "s: \"line\\nbreak \\\"q\\\" \\\\ tab\\t\"\n'true': \"null\"\n\"- x\": '*a'\n",
                           "noc.x: \">\"\nu: \"\xc2\xb5s\"\nv: -3.5\nw: 0.9 pJ\n",
                           "[1, 2]",
                           "~",
                           "x"};
    for (const char* text : texts) {
        const Node node = load_text(text, "f");
        const std::string out = emit(node);
        EXPECT_TRUE(same_value(node, load_text(out, "g"))) << text << "->\n" << out;
        EXPECT_EQ(emit(load_text(out, "g")), out);
    }
}

TEST(LocatedYaml, BaseAndIncludes) {
    const Files files;
    files.add("sub/energy.yaml", "name: e\nactions: {ac: 1}\n");
    files.add("sub/other.yaml", "name: o\n");
    files.add("sub/base.yaml", "name: base\nlanes: 1\nkeep: 2\nenergy: {file: energy.yaml, extra: 1}\n");
    const std::string chip = files.add("chip.yaml", "base: sub/base.yaml\nname: chip\nlanes: 4\n");
    const Node tree = load_tree(chip);
    EXPECT_EQ(value(tree, "name"), "chip");
    EXPECT_EQ(value(tree, "lanes"), "4");
    EXPECT_EQ(value(tree, "keep"), "2");
    EXPECT_EQ(value(tree, "energy.actions.ac"), "1");
    EXPECT_EQ(value(tree, "energy.extra"), "1");
    EXPECT_EQ(tree.find("base"), nullptr);
    EXPECT_EQ(get(tree, "energy.name")->at.file, files.path("sub/energy.yaml"));

    const std::string run = files.add(
        "run.yaml",
        "network: {file: n.nir}\nchip: {file: chip.yaml, lanes: 8, energy: {file: sub/other.yaml}}\n");
    Node root = load(run);
    set(root, "chip.keep", "3");
    const std::vector<std::string> sections{"chip", "absent"};
    include_files(root, sections);
    EXPECT_EQ(value(root, "network.file"), "n.nir");
    EXPECT_EQ(value(root, "chip.name"), "chip");
    EXPECT_EQ(value(root, "chip.lanes"), "8");
    EXPECT_EQ(value(root, "chip.keep"), "3");
    EXPECT_EQ(value(root, "chip.energy.name"), "o");
    EXPECT_EQ(value(root, "chip.energy.actions"), "(none)");
}

TEST(LocatedYaml, IncludeErrors) {
    const Files files;
    const std::string a = files.add("a.yaml", "base: b.yaml\n");
    files.add("b.yaml", "base: a.yaml\n");
    EXPECT_EQ(message_of([&] { load_tree(a); }),
              files.path("b.yaml") + ":1:7: base: " + a + " comes back to a file that is being read (cycle)");
    const std::string c = files.add("c.yaml", "energy: {file: c.yaml}\n");
    EXPECT_THAT(message_of([&] { load_tree(c); }), HasSubstr(":1:16: file: "));
    const std::string d = files.add("d.yaml", "energy: {file: [1]}\n");
    EXPECT_EQ(message_of([&] { load_tree(d); }), d + ":1:16: file: expected a file name, got a sequence");
    const std::string e = files.add("e.yaml", "energy: {file: none.yaml}\n");
    try {
        load_tree(e);
        FAIL();
    } catch (const IoError& error) {
        EXPECT_EQ(std::string(error.what()),
                  e + ":1:16: file: " + files.path("none.yaml") + ": cannot open file");
    }
    files.add("list.yaml", "[1, 2]\n");
    const std::string f = files.add("f.yaml", "energy: {file: list.yaml}\n");
    EXPECT_THAT(message_of([&] { load_tree(f); }), HasSubstr("expected a map in an included file"));
}

}  // namespace
}  // namespace loom::config
