// SPDX-License-Identifier: Apache-2.0
#include "training/learn/formats.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <optional>

#include "base/error.hpp"
#include "base/nearest.hpp"
#include "base/rng.hpp"

namespace loom::learn {
namespace {

constexpr std::uint32_t kRoundingStream = 0x52;  // of CounterRng

/// Numbers of a format are multiples of a quantum: fixed, or with `digits` binary places below the leading
/// one but never finer than the smallest.
struct Grid {
    bool floating = false;
    int digits = 0;
    int finest = 0;  ///< exponent of the smallest quantum (fixed: the only one)
    double lowest = 0, highest = 0;

    int quantum_exponent(float x) const {
        if (!floating) return finest;
        const int exponent = static_cast<int>(std::bit_cast<std::uint32_t>(x) >> 23 & 0xFF) - 127;
        return std::max(exponent - digits, finest);
    }
};

std::optional<Grid> make_grid(const FormatOfRole& f, const std::string& role) {
    if (f.kind == "float32") return std::nullopt;
    if (f.kind == "fp16") return Grid{true, 10, -24, -65504, 65504};
    if (f.kind == "bf16") return Grid{true, 7, -133, -0x1.FEp127, 0x1.FEp127};
    if (f.kind == "fixed") {
        const int finest = -static_cast<int>(f.fraction);
        const double top = std::ldexp(1.0, static_cast<int>(f.bits) - 1);
        return Grid{false, 0, finest, std::ldexp(-top, finest), std::ldexp(top - 1, finest)};
    }
    throw ConfigError("train.formats." + role +
                      ".kind: " + unknown_name(f.kind, {"float32", "fp16", "bf16", "fixed"}));
}

class GridFormats final : public CountedFormats {
  public:
    GridFormats(const FormatSpec& spec, std::array<std::optional<Grid>, kRoles> grids)
        : grids_(grids),
          stochastic_(spec.rounding == "stochastic"),
          master_(spec.master_weights),
          rng_(spec.seed, kRoundingStream) {}

    void round(Role role, std::span<float> values, std::uint64_t entity, std::uint64_t iteration,
               std::uint64_t at) const override {
        const auto& grid = grids_[static_cast<std::size_t>(role)];
        if (!grid) return;
        Counts& counts = counts_[static_cast<std::size_t>(role)];
        counts.rounded += values.size();
        const std::uint64_t tensor = entity << 8 | static_cast<std::uint64_t>(role);
        std::array<std::uint32_t, 4> words{};
        for (std::size_t i = 0; i < values.size(); ++i) {
            const std::uint64_t element = at + i;
            if (stochastic_ && (i == 0 || element % 4 == 0))
                words = rng_.block(tensor << 40 ^ element / 4, static_cast<std::uint32_t>(iteration));
            values[i] = rounded(*grid, values[i], words[element % 4], counts);
        }
    }
    bool rounds(Role role) const override { return grids_[static_cast<std::size_t>(role)].has_value(); }
    bool master_weights() const override { return master_; }

  private:
    float rounded(const Grid& grid, float x, std::uint32_t word, Counts& counts) const {
        if (std::isnan(x)) return x;
        const double v = static_cast<double>(x);
        if (std::isinf(x)) return saturated(v < 0 ? grid.lowest : grid.highest, counts);
        const double quantum =
            std::bit_cast<double>(static_cast<std::uint64_t>(grid.quantum_exponent(x) + 1023) << 52);
        const double in_quanta = v / quantum;
        const double below = std::floor(in_quanta);
        const double up = stochastic_ && in_quanta - below > static_cast<double>(word) * 0x1p-32 ? 1.0 : 0.0;
        const double y = (stochastic_ ? below + up : std::nearbyint(in_quanta)) * quantum;
        if (y < grid.lowest || y > grid.highest)
            return saturated(std::clamp(y, grid.lowest, grid.highest), counts);
        return static_cast<float>(y);
    }
    static float saturated(double y, Counts& counts) {
        ++counts.saturated;
        return static_cast<float>(y);
    }

    std::array<std::optional<Grid>, kRoles> grids_;
    bool stochastic_, master_;
    CounterRng rng_;
};

}  // namespace

std::unique_ptr<CountedFormats> make_formats(const FormatSpec& spec) {
    if (spec.rounding != "nearest" && spec.rounding != "stochastic")
        throw ConfigError("train.formats.rounding: " +
                          unknown_name(spec.rounding, {"nearest", "stochastic"}));
    const std::array<std::optional<Grid>, kRoles> grids{make_grid(spec.weight, "weight"),
                                                        make_grid(spec.current, "current"),
                                                        make_grid(spec.membrane, "membrane"),
                                                        make_grid(spec.error, "error"),
                                                        make_grid(spec.weight_gradient, "weight_gradient"),
                                                        make_grid(spec.input, "input")};
    if (std::ranges::none_of(grids, [](const auto& g) { return g.has_value(); })) return nullptr;
    return std::make_unique<GridFormats>(spec, grids);
}

}  // namespace loom::learn
