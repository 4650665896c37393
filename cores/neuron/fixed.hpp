// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>

#include "arch/chip_spec.hpp"
#include "cores/neuron/per_neuron.hpp"

namespace loom::cores {

__extension__ typedef __int128 Wide;

/// Widths and rounding of a fixed-point soma.
struct FixedFormat {
    unsigned decay_bits = 12;
    bool floor_rounding = true;
    std::int64_t state_max = 0, state_min = 0;

    static FixedFormat of(const arch::SomaSpec& s) {
        const std::int64_t top = (std::int64_t{1} << (s.state_bits - 1)) - 1;
        return {static_cast<unsigned>(s.decay_bits), s.rounding == arch::Rounding::Floor, top, -top - 1};
    }
    /// x * factor / 2^decay_bits, rounded. Product: an integer in which x * factor fits.
    template <class Product = Wide>
    std::int64_t decay(std::int64_t x, std::int64_t factor) const {
        const Product product = static_cast<Product>(x) * factor;
        if (floor_rounding || product >= 0) return static_cast<std::int64_t>(product >> decay_bits);
        return static_cast<std::int64_t>(-(-product >> decay_bits));
    }
    std::int64_t saturate(std::int64_t x, std::uint64_t& count) const {
        if (x > state_max || x < state_min) [[unlikely]] {
            ++count;
            return x > 0 ? state_max : state_min;
        }
        return x;
    }
};

/// The arithmetic of neuron models in integers (docs/concepts/fixed-point.md). All states are in membrane LSB, wrap
/// nowhere and saturate to the state's width. Product: an integer that holds a state times a decay factor.
template <class Product>
struct Fixed {
    using Value = std::int64_t;
    using Constant = PerNeuron<Value>;
    FixedFormat format;

    Value decay(Value x, Value factor) const { return format.template decay<Product>(x, factor); }

    /// v <- decay_v v + current - late
    class Integrator {
      public:
        explicit Integrator(const arch::NeuronGroup& g) : decay_(g, "decay_v") {}
        Value operator()(const Fixed& f, std::size_t n, Value v, Value current, Value late,
                         std::uint64_t& saturations) const {
            return f.format.saturate(f.decay(v, decay_[n]) + current - late, saturations);
        }

      private:
        Constant decay_;
    };
    /// A filtered current: u <- decay_u u + input. `drift` is what the leak adds to the membrane, which
    /// cannot be part of the current's bias here.
    class Filter {
      public:
        explicit Filter(const arch::NeuronGroup& g) : decay_(g, "decay_u"), bias_v_(g, "bias_v") {}
        Value operator()(const Fixed& f, std::size_t n, Value u, Value input,
                         std::uint64_t& saturations) const {
            return f.format.saturate(f.decay(u, decay_[n]) + input, saturations);
        }
        Value drift(std::size_t n, Value current) const { return current + bias_v_[n]; }

      private:
        Constant decay_, bias_v_;
    };
    /// The rise of a threshold, kept in membrane LSB: a <- adapt_decay a + adapt_jump z
    class Adaptation {
      public:
        explicit Adaptation(const arch::NeuronGroup& g) : decay_(g, "adapt_decay"), jump_(g, "adapt_jump") {}
        Value raised(std::size_t, Value threshold, Value a) const { return threshold + a; }
        Value operator()(const Fixed& f, std::size_t n, Value a, Value z, std::uint64_t& saturations) const {
            return f.format.saturate(f.decay(a, decay_[n]) + jump_[n] * z, saturations);
        }

      private:
        Constant decay_, jump_;
    };
    /// How often the threshold goes into a positive membrane.
    static Value multiples(Value v, Value threshold) { return v > 0 && threshold > 0 ? v / threshold : 0; }
};

}  // namespace loom::cores
