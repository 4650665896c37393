// SPDX-License-Identifier: Apache-2.0
#include "arch/core_catalogue.hpp"

#include <fmt/format.h>

#include <set>

#include "arch/core_kinds.hpp"
#include "base/error.hpp"
#include "base/key_error.hpp"
#include "base/nearest.hpp"

namespace loom::arch {

void CoreKinds::add(std::unique_ptr<const CoreKind> kind) {
    for (const auto& k : kinds_) {
        if (k->name() == kind->name())
            throw ConfigError(fmt::format("kinds of cores: '{}' is there already", kind->name()));
        const auto theirs = k->section(), own = kind->section();
        if (theirs && own && (theirs->name == own->name || *theirs->id == *own->id))
            throw ConfigError(
                fmt::format("kinds of cores: the sections of '{}' and '{}' have a name ('{}') or a type "
                            "in common",
                            k->name(), kind->name(), own->name));
    }
    kinds_.push_back(std::move(kind));
}

const CoreKind* CoreKinds::find(std::string_view name) const {
    for (const auto& k : kinds_) {
        if (k->name() == name) return k.get();
    }
    return nullptr;
}

const CoreKind& CoreKinds::get(std::string_view name, const std::string& key) const {
    if (const CoreKind* found = find(name)) return *found;
    std::vector<std::string> known;
    for (const auto& k : kinds_) known.emplace_back(k->name());
    throw KeyError(fmt::format("{}.kind", key),
                   fmt::format("unknown {}{}", quoted(name), suggestion(name, known)));
}

const CoreKind& CoreSpec::type() const {
    if (kinds == nullptr) throw InternalError("a core without a catalogue of kinds");
    return kinds->get(kind, "core");
}

bool CoreSpec::has_section(const std::type_info& id) const {
    const auto section = type().section();
    return section && *section->id == id;
}

const CoreKinds& ChipSpec::kinds() const {
    if (core.kinds == nullptr) throw InternalError("a chip without a catalogue of kinds of cores");
    return *core.kinds;
}

void visit_sections(FieldVisitor& v, CoreSpec& s) {
    if (s.kinds == nullptr) return;
    for (const auto& kind : s.kinds->all()) {
        const auto section = kind->section();
        if (!section) continue;
        std::any absent, *slot = &absent;
        for (std::any& present : s.sections) {
            if (present.type() == *section->id) slot = &present;
        }
        v.erased_section(section->name, slot, *section->type, {.doc = section->doc});
        if (absent.has_value()) s.sections.push_back(std::move(absent));
    }
}

namespace {

/// A packet counts its flits in 16 bits.
void check_flits(const ChipSpec& chip, std::size_t k) {
    constexpr std::uint64_t kMost = 0xffff;
    const std::uint64_t flits = chip.packet_flits(k, false);  // with a payload: where packets with one are sent
    if (flits <= kMost) return;
    throw KeyError(chip.key_of_kind(k) + ".axon_out.packet_bits",
                   fmt::format("a packet would have {} flits of {} bits (noc.flit_bits); at most {} are possible, "
                               "which is {} bits",
                               flits, chip.noc.flit_bits, kMost, kMost * chip.noc.flit_bits));
}

}  // namespace

void check_kinds(const ChipSpec& chip) {
    std::set<std::string> names;
    for (std::size_t k = 0; k < chip.n_kinds(); ++k) {
        const std::string key = chip.key_of_kind(k);
        chip.kinds().get(chip.kind(k).kind, key).check(chip.kind(k), chip, key);
        check_flits(chip, k);
        if (chip.cores.empty()) continue;
        if (!names.insert(chip.cores[k].name).second)
            throw KeyError(fmt::format("{}.name", key),
                           fmt::format("'{}' is the name of another kind too", chip.cores[k].name));
        if (chip.cores[k].soma.arithmetic != chip.cores[0].soma.arithmetic)
            throw KeyError(
                fmt::format("{}.soma.arithmetic", key),
                fmt::format("all kinds of cores of a chip compute in the same arithmetic; cores.0 has {}",
                            enum_names(static_cast<Arithmetic*>(
                                nullptr))[static_cast<std::size_t>(chip.cores[0].soma.arithmetic)]));
    }
    core_kinds(chip);
}

}  // namespace loom::arch
