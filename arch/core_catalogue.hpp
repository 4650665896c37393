// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "arch/core_kind.hpp"

namespace loom::arch {

/// The kinds of cores that a program knows: an ordinary object, made by the program, filled by
/// cores::add_builtin and by whoever has kinds of his own, and handed to descriptions of chips
/// (ChipSpec::ChipSpec), which readers, compiler, reports and the chip itself ask from then on.
///
///     arch::CoreKinds kinds;
///     cores::add_builtin(kinds);
///     kinds.add(std::make_unique<MyKind>());
class CoreKinds {
  public:
    CoreKinds() = default;
    CoreKinds(const CoreKinds&) = delete;  // chips refer to it
    CoreKinds& operator=(const CoreKinds&) = delete;

    /// Throws ConfigError when there is a kind of that name, or one with such a section, already.
    void add(std::unique_ptr<const CoreKind> kind);
    /// Null: there is none.
    const CoreKind* find(std::string_view name) const;
    /// Throws ConfigError with the nearest spelling: "core.kind: unknown 'cimm'; did you mean 'cim'?".
    const CoreKind& get(std::string_view name, const std::string& key) const;
    /// In the order in which they were added, which is the order of their events in reports.
    const std::vector<std::unique_ptr<const CoreKind>>& all() const { return kinds_; }

  private:
    std::vector<std::unique_ptr<const CoreKind>> kinds_;
};

/// Throws ConfigError for a chip with unknown or badly described kinds, names that stand twice, kinds whose
/// arithmetic differs, and cores without a kind (arch::core_kinds).
void check_kinds(const ChipSpec& chip);

}  // namespace loom::arch
