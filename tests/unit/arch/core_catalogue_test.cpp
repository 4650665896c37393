// SPDX-License-Identifier: Apache-2.0
// A catalogue of kinds of cores is an ordinary object, and a core holds the section of whichever kind it is
// given.
#include "arch/core_catalogue.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.hpp"

namespace loom::arch {

/// The section of kind "tuned".
struct TunedSpec {
    std::uint64_t speed = 7;
};
template <class V>
void fields(V& v, TunedSpec& s) {
    v("speed", s.speed, {.doc = "of it", .min = 1});
}

namespace {

/// A kind with no more than a name, and perhaps a section.
class Named : public CoreKind {
  public:
    explicit Named(std::string name, std::string section = {})
        : name_(std::move(name)), section_(std::move(section)) {}
    std::string_view name() const override { return name_; }
    std::optional<KindSection> section() const override {
        if (section_.empty()) return std::nullopt;
        return kind_section<TunedSpec>(section_, "for tests");
    }
    void check(const CoreSpec& core, const ChipSpec&, const std::string& key) const override {
        if (!section_.empty() && core.find<TunedSpec>() == nullptr)
            throw ConfigError(key + "." + section_ + ": needs this section");
    }
    WeightFormat weight_format(const CoreSpec&) const override { return {}; }
    WeightStore weight_store(const CoreSpec&) const override { return {"room", 1, false}; }
    std::uint64_t need(const CoreSpec&, const StoredMatrix& m) const override { return m.weights; }
    bool keeps_kernels(const CoreSpec&) const override { return false; }
    void expect(const ChipSpec&, std::size_t, const ExpectedInput&, double, const AddEvent&) const override {}
    bool counts(std::string_view, const CoreSpec&) const override { return false; }
    void add_area(AreaParts&, const CoreSpec&, const EnergySpec&) const override {}

  private:
    std::string name_, section_;
};

template <class F>
std::string refused(F f) {
    try {
        f();
    } catch (const ConfigError& e) {
        return e.what();
    }
    return "";
}

/// Names and whether a section is there, as a visitor sees them.
class Sections final : public FieldVisitor {
  public:
    std::vector<std::string> all, present;
    bool fill = false;

  protected:
    void member(std::string_view, void*, const ValueType&, const Field&) override {}
    void list(std::string_view, void*, const ValueType&, const void*, const Field&) override {}
    void section(std::string_view name, void* value, const ValueType& type, const Field&) override {
        all.emplace_back(name);
        if (fill && type.content(value) == nullptr) type.emplace(value);
        if (type.content(value) != nullptr) present.emplace_back(name);
    }
};

TEST(CoreKindsCatalogue, FindsWhatWasAddedAndNamesTheNearest) {
    CoreKinds kinds;
    kinds.add(std::make_unique<Named>("plain"));
    kinds.add(std::make_unique<Named>("tuned", "tuned"));
    EXPECT_EQ(kinds.all().size(), 2u);
    EXPECT_EQ(kinds.find("plain"), kinds.all()[0].get());
    EXPECT_EQ(kinds.find("plane"), nullptr);
    EXPECT_EQ(&kinds.get("tuned", "core"), kinds.all()[1].get());
    EXPECT_EQ(refused([&] { kinds.get("tunned", "cores.3"); }),
              "cores.3.kind: unknown 'tunned'; did you mean 'tuned'?");
}

TEST(CoreKindsCatalogue, TwoOfANameAreRefused) {
    CoreKinds kinds;
    kinds.add(std::make_unique<Named>("plain", "own"));
    EXPECT_EQ(refused([&] { kinds.add(std::make_unique<Named>("plain")); }),
              "kinds of cores: 'plain' is there already");
    EXPECT_EQ(refused([&] { kinds.add(std::make_unique<Named>("other", "own")); }),
              "kinds of cores: the sections of 'plain' and 'other' have a name ('own') or a type in common");
    EXPECT_EQ(kinds.all().size(), 1u);
}

TEST(CoreKindsCatalogue, ACoreHoldsTheSectionOfItsKind) {
    CoreKinds kinds;
    kinds.add(std::make_unique<Named>("plain"));
    kinds.add(std::make_unique<Named>("tuned", "tuned"));
    ChipSpec chip(kinds);
    chip.core.kind = "tuned";
    EXPECT_EQ(refused([&] { check_kinds(chip); }), "core.tuned: needs this section");
    EXPECT_THROW(std::as_const(chip.core).section<TunedSpec>(), InternalError);
    Sections shown;
    visit_sections(shown, chip.core);
    EXPECT_THAT(shown.all, ::testing::ElementsAre("tuned"));
    EXPECT_TRUE(shown.present.empty());
    EXPECT_TRUE(chip.core.sections.empty()) << "looking does not make it";

    Sections filled;
    filled.fill = true;
    visit_sections(filled, chip.core);
    ASSERT_NE(chip.core.own<TunedSpec>(), nullptr);
    EXPECT_EQ(chip.core.own<TunedSpec>()->speed, 7u);
    EXPECT_EQ(refused([&] { check_kinds(chip); }), "");

    ChipSpec copy = chip;
    copy.core.section<TunedSpec>().speed = 9;
    EXPECT_EQ(chip.core.section<TunedSpec>().speed, 7u) << "a copy owns its section";
    copy.core.kind = "plain";
    EXPECT_EQ(copy.core.own<TunedSpec>(), nullptr) << "it is not this kind's";
    EXPECT_EQ(copy.core.find<TunedSpec>()->speed, 9u);
}

TEST(CoreKindsCatalogue, KindsOfAChipAgreeOnArithmeticAndHaveNamesOfTheirOwn) {
    CoreKinds kinds;
    kinds.add(std::make_unique<Named>("plain"));
    ChipSpec chip(kinds);
    CoreKindSpec kind;
    kind.kinds = &kinds;
    kind.kind = "plain";
    kind.name = "a";
    kind.count = 1;
    chip.cores = {kind, kind};
    chip.cores[1].count = 0;
    EXPECT_EQ(refused([&] { check_kinds(chip); }), "cores.1.name: 'a' is the name of another kind too");
    chip.cores[1].name = "b";
    chip.cores[1].soma.arithmetic = Arithmetic::Float64;
    EXPECT_EQ(refused([&] { check_kinds(chip); }),
              "cores.1.soma.arithmetic: all kinds of cores of a chip compute in the same arithmetic; cores.0 "
              "has fixed");
    chip.cores[1].soma.arithmetic = Arithmetic::Fixed;
    EXPECT_EQ(refused([&] { check_kinds(chip); }), "");
    chip.cores[1].kind = "plane";
    EXPECT_EQ(refused([&] { check_kinds(chip); }), "cores.1.kind: unknown 'plane'; did you mean 'plain'?");
}

TEST(CoreKindsCatalogue, AChipWithoutOneSaysSo) {
    EXPECT_THROW(ChipSpec().kinds(), InternalError);
    EXPECT_THROW(CoreSpec().type(), InternalError);
}

}  // namespace
}  // namespace loom::arch
