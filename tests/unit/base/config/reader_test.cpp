// SPDX-License-Identifier: Apache-2.0
#include "base/config/reader.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

#include "message_of.hpp"
#include "arch/chip_spec.hpp"
#include "base/config/schema.hpp"
#include "base/config/writer.hpp"

namespace loom::config {

enum class Colour { Red, Green };
inline std::span<const std::string_view> enum_names(Colour*) {
    static constexpr std::array<std::string_view, 2> names{"red", "green"};
    return names;
}

struct Inner {
    std::uint64_t lanes = 1;
    double period = 1000.0;
};
template <class V>
void fields(V& v, Inner& s) {
    v("lanes", s.lanes, {.doc = "lanes", .min = 1, .max = 64});
    v("period", s.period, {.doc = "time", .unit = Unit::Time, .min = 1});
}

struct Sample {
    std::string name;
    bool flag = false;
    std::int64_t shift = -1;
    std::uint32_t small = 7;
    double ratio = 0.5;
    std::uint64_t memory = 64;
    std::uint64_t wait = 3;
    Colour colour = Colour::Red;
    Inner inner;
    std::optional<double> energy;
    std::optional<Inner> maybe;
    std::vector<std::uint64_t> size{4, 4};
    std::vector<Inner> list;
    std::map<std::string, Inner> table;
    std::map<std::string, std::string> notes;
};
template <class V>
void fields(V& v, Sample& s) {
    v("name", s.name, {.doc = "a \"name\"", .required = true});
    v("flag", s.flag, {.doc = "flag"});
    v("shift", s.shift, {.doc = "shift", .min = -1, .max = 24});
    v("small", s.small, {.doc = "small"});
    v("ratio", s.ratio, {.doc = "ratio", .max = 1});
    v("memory", s.memory, {.doc = "memory", .unit = Unit::Memory, .min = 8});
    v("wait", s.wait, {.doc = "wait", .unit = Unit::CycleCount});
    v("colour", s.colour, {.doc = "colour"});
    v("inner", s.inner, {.doc = "inner"});
    v("energy", s.energy, {.doc = "energy", .unit = Unit::Energy});
    v("maybe", s.maybe, {.doc = "maybe"});
    v("size", s.size, {.doc = "size", .min = 1});
    v("list", s.list, {.doc = "list"});
    v("table", s.table, {.doc = "table"});
    v("notes", s.notes, {.doc = "notes"});
}

namespace {

using testing::HasSubstr;

Sample read_text(const std::string& text) {
    return read<Sample>(load_text(text, "f.yaml"), "s");
}
std::string error_of(const std::string& text) {
    return message_of([&] { read_text(text); });
}

TEST(Reader, AllKinds) {
    const Sample s = read_text(
        "name: 5\nflag: true\nshift: -1\nsmall: 9\nratio: 0.25\nmemory: 2 KiB\nwait: 4\n"
        "colour: green\ninner: {lanes: 2, period: 2 ns}\nenergy: 3 nJ\nmaybe: {}\nsize: [8, 2]\n"
        "list: [{lanes: 3}, {}]\ntable: {a.b: {lanes: 4}}\nnotes: {x: why}\n");
    EXPECT_EQ(s.name, "5");
    EXPECT_TRUE(s.flag);
    EXPECT_EQ(s.small, 9u);
    EXPECT_EQ(s.memory, 2u * 1024 * 8);
    EXPECT_EQ(s.wait, 4u);
    EXPECT_EQ(s.colour, Colour::Green);
    EXPECT_EQ(s.inner.period, 2000.0);
    EXPECT_EQ(s.energy, 3000.0);
    EXPECT_TRUE(s.maybe.has_value());
    EXPECT_EQ(s.size, (std::vector<std::uint64_t>{8, 2}));
    EXPECT_EQ(s.list.at(0).lanes, 3u);
    EXPECT_EQ(s.table.at("a.b").lanes, 4u);
    EXPECT_EQ(s.notes.at("x"), "why");
    const Sample d = read_text("name: x\nenergy: ~\n");
    EXPECT_FALSE(d.energy.has_value());
    EXPECT_EQ(d.size.size(), 2u);
}

TEST(Reader, MalformedCorpus) {
    const std::map<std::string, std::string> corpus{
        {"inner: {lanes: 0}", "f.yaml:2:16: s.inner.lanes: must be >= 1 (got 0)"},
        {"inner: {lanes: 65}", "f.yaml:2:16: s.inner.lanes: must be <= 64 (got 65)"},
        {"inner: {lanes: -3}", "f.yaml:2:16: s.inner.lanes: must be >= 1 (got -3)"},
        {"inner: {lane: 3}", "f.yaml:2:9: s.inner.lane: unknown key; did you mean 'lanes'?"},
        {"inner: {qqq: 3}", "f.yaml:2:9: s.inner.qqq: unknown key; known: lanes, period"},
        {"inner: {lanes: 1.5}", "f.yaml:2:16: s.inner.lanes: expected a whole number, got '1.5'"},
        {"inner: {lanes: 99999999999999999999}",
         "f.yaml:2:16: s.inner.lanes: 99999999999999999999 is out of range"},
        {"inner: {lanes: [1]}", "f.yaml:2:16: s.inner.lanes: expected a number, got a sequence"},
        {"inner: {period: 2}",
         "f.yaml:2:17: s.inner.period: expected a time with a unit such as '2 ns', got '2' without a unit"},
        {"inner: {period: 0.5 ps}", "f.yaml:2:17: s.inner.period: must be >= 1 ps (got 0.5 ps)"},
        {"inner: 3", "f.yaml:2:8: s.inner: expected a map, got '3'"},
        {"flag: yes", "f.yaml:2:7: s.flag: expected true or false, got 'yes'"},
        {"shift: -2", "f.yaml:2:8: s.shift: must be >= -1 (got -2)"},
        {"small: 4294967296", "f.yaml:2:8: s.small: 4294967296 is out of range"},
        {"ratio: .nan", "f.yaml:2:8: s.ratio: expected a number such as '3', got '.nan'"},
        {"memory: 4 bits", "f.yaml:2:9: s.memory: must be >= 8 bits (got 4 bits)"},
        {"colour: gren", "f.yaml:2:9: s.colour: 'gren' is not one of red, green; did you mean 'green'?"},
        {"size: 4", "f.yaml:2:7: s.size: expected a sequence, got '4'"},
        {"size: [4, 0]", "f.yaml:2:11: s.size.1: must be >= 1 (got 0)"},
        {"list: [{lanes: x}]", "f.yaml:2:16: s.list.0.lanes: expected a whole number, got 'x'"},
        {"table: {k: {lanes: 0}}", "f.yaml:2:20: s.table.k.lanes: must be >= 1 (got 0)"},
        {"notes: {k: {}}", "f.yaml:2:12: s.notes.k: expected a text, got a map"},
        {"energy: -1 pJ", "f.yaml:2:9: s.energy: must not be negative (got '-1 pJ')"},
    };
    for (const auto& [text, expected] : corpus) {
        EXPECT_EQ(error_of("name: n\n" + text + "\n"), expected);
    }
    EXPECT_EQ(error_of("flag: true\n"), "f.yaml:1:1: s.name: required key is missing");
    EXPECT_EQ(error_of("[1]"), "f.yaml:1:1: s: expected a map, got a sequence");
    EXPECT_EQ(error_of(""), "f.yaml:1:1: s: expected a map, got nothing");
    Node twice = load_text("name: n\n", "f.yaml");
    twice.map.push_back(twice.map.front());
    EXPECT_EQ(message_of([&] { read<Sample>(twice, "s"); }), "f.yaml:1:1: s.name: duplicate key");
}

TEST(Reader, CollectsErrorsInFileOrder) {
    EXPECT_EQ(error_of("nam: x\ninner:\n  lanes: 0\n"),
              "f.yaml:1:1: s.name: required key is missing\n"
              "f.yaml:1:1: s.nam: unknown key; did you mean 'name'?\n"
              "f.yaml:3:10: s.inner.lanes: must be >= 1 (got 0)");
    std::string many = "name: n\nsize: [";
    for (int i = 0; i < 25; ++i) many += i > 0 ? ", 0" : "0";
    EXPECT_THAT(error_of(many + "]\n"), HasSubstr("s.size.19: must be >= 1 (got 0)\nand 5 more errors"));
}

TEST(Reader, ReadIntoKeepsWhatIsNotNamed) {
    Sample s;
    s.name = "before";
    s.small = 3;
    read_into(load_text("name: n\nflag: true", "f"), "", s);
    EXPECT_EQ(s.small, 3u);
    EXPECT_EQ(s.name, "n");
    EXPECT_EQ(message_of([&] { read_into(load_text("name: m\nsmall: x", "f"), "", s); }),
              "f:2:8: small: expected a whole number, got 'x'");
    EXPECT_EQ(s.name, "n");  // unchanged after an error
}

TEST(Writer, RoundTrip) {
    Sample s = read_text(
        "name: \"true\"\nratio: 0.1\nmemory: 2 KiB\nenergy: 0.0333333333333 pJ\nmaybe: {period: 7 us}\n"
        "list: [{lanes: 3}]\ntable: {a.b: {lanes: 4}}\nnotes: {x: \"a: b\", y: \"\"}\n");
    const Node node = to_node(s);
    const std::string text = emit(node);
    const Sample back = read<Sample>(load_text(text, "g"));
    EXPECT_EQ(emit(to_node(back)), text);
    EXPECT_EQ(back.energy, s.energy);
    EXPECT_EQ(back.ratio, 0.1);
    EXPECT_EQ(back.notes, s.notes);
    EXPECT_TRUE(same_value(to_node(read<Sample>(node)), node));
    EXPECT_THAT(text, HasSubstr("wait: 3 cycles\n"));
    EXPECT_THAT(text, HasSubstr("memory: 2 KiB\n"));
}

/// Brackets balance outside of strings and the text ends where they close.
bool balanced(const std::string& json) {
    std::string open;
    bool in_string = false;
    for (std::size_t i = 0; i < json.size(); ++i) {
        const char c = json[i];
        if (in_string) {
            if (c == '\\')
                ++i;
            else if (c == '"')
                in_string = false;
        } else if (c == '"') {
            in_string = true;
        } else if (c == '{' || c == '[') {
            open += c == '{' ? '}' : ']';
        } else if (c == '}' || c == ']') {
            if (open.empty() || open.back() != c) return false;
            open.pop_back();
        }
    }
    return open.empty() && !in_string;
}

TEST(Schema, IsJson) {
    const std::string schema = json_schema<Sample>({.title = "sample", .includes = false});
    EXPECT_TRUE(balanced(schema));
    // JSON is YAML: the parser refuses commas, quotes and colons in the wrong place.
    const Node root = load_text(schema, "schema");
    EXPECT_EQ(get(root, "$schema")->scalar, "http://json-schema.org/draft-07/schema#");
    EXPECT_EQ(get(root, "required.0")->scalar, "name");
    EXPECT_EQ(get(root, "additionalProperties")->scalar, "false");
    EXPECT_EQ(get(root, "properties.name.description")->scalar, "a \"name\"");
    EXPECT_EQ(get(root, "properties.inner.properties.lanes.minimum")->scalar, "1");
    EXPECT_EQ(get(root, "properties.memory.default")->scalar, "64 bits");
    EXPECT_EQ(get(root, "properties.colour.enum.1")->scalar, "green");
    EXPECT_EQ(get(root, "properties.size.items.minimum")->scalar, "1");
    EXPECT_EQ(get(root, "properties.table.additionalProperties.type")->scalar, "object");
    EXPECT_EQ(get(root, "properties.file"), nullptr);
    const Node chip = load_text(json_schema<arch::ChipSpec>({.title = "chip", .includes = true}), "s");
    EXPECT_NE(get(chip, "properties.base"), nullptr);
    EXPECT_NE(get(chip, "properties.energy.properties.file"), nullptr);
    EXPECT_EQ(get(chip, "required"), nullptr);
}

}  // namespace
}  // namespace loom::config
