// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <cstdint>
#include <span>
#include <string_view>

namespace loom::learn {

/// What a value is, for choosing its number format and keying its rounding.
enum class Role : std::uint8_t { Weight, Current, Membrane, Error, WeightGradient, Input };
inline constexpr std::size_t kRoles = 6;
inline constexpr std::array<std::string_view, kRoles> kRoleNames{"weight", "current",         "membrane",
                                                                 "error",  "weight_gradient", "input"};

/// Rounds stored values; sums inside a layer are float32.
class Formats {
  public:
    virtual ~Formats() = default;
    /// Rounds in place. `entity` names the tensor, `iteration` the optimiser step, `at` the first element's
    /// number.
    virtual void round(Role role, std::span<float> values, std::uint64_t entity, std::uint64_t iteration,
                       std::uint64_t at) const = 0;
    /// False: values of this role stay as they are.
    virtual bool rounds(Role) const { return true; }
    /// True: the optimiser keeps float32 weights and layers compute with rounded copies. False: the only
    /// weights are those in the format; each update is rounded.
    virtual bool master_weights() const = 0;
};

}  // namespace loom::learn
