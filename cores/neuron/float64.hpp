// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cmath>
#include <cstdint>

#include "cores/neuron/per_neuron.hpp"

namespace loom::cores {

/// The arithmetic of neuron models in float64, operation by operation in the order of the reference
/// interpreter, so that results agree bit for bit. Nothing saturates.
struct Float64 {
    using Value = double;
    using Constant = PerNeuron<Value>;

    /// One membrane step by the group's method of integration, then minus `late`.
    class Integrator {
      public:
        explicit Integrator(const arch::NeuronGroup& g)
            : method_(g.integration), k_(g, "k"), a_(g, "a"), leak_(g, "leak"), r_(g, "r") {}
        Value operator()(const Float64&, std::size_t n, Value v, Value current, Value late,
                         std::uint64_t&) const {
            return integrated(n, v, current) - late;
        }

      private:
        Value integrated(std::size_t n, Value v, Value current) const {
            using enum arch::Integration;
            switch (method_) {
                case Euler:
                    return v + k_[n] * ((leak_[n] - v) + r_[n] * current);
                case Exp: {
                    const Value inf = leak_[n] + r_[n] * current;
                    return inf + (v - inf) * a_[n];
                }
                case Jump:
                    return v * a_[n] + r_[n] * current;
                case Decay:
                    return v * a_[n] + (r_[n] * current + leak_[n]);
                case Integrate:
                    return v + k_[n] * current;
                case Direct:
                    break;
            }
            return current;
        }
        arch::Integration method_;
        Constant k_, a_, leak_, r_;
    };
    /// A filtered current by the group's form. The integrator adds the leak's pull itself.
    class Filter {
      public:
        explicit Filter(const arch::NeuronGroup& g)
            : jumps_(g.synapse == arch::Synapse::Jump), ks_(g, "ks"), w_in_(g, "w_in") {}
        Value operator()(const Float64&, std::size_t n, Value i, Value input, std::uint64_t&) const {
            if (jumps_) return i * (1 - ks_[n]) + w_in_[n] * input;
            return i + ks_[n] * (-i + w_in_[n] * input);
        }
        Value drift(std::size_t, Value current) const { return current; }

      private:
        bool jumps_;
        Constant ks_, w_in_;
    };
    /// An adaptation that raises a threshold by its strength: a <- adapt_decay a + adapt_jump z
    class Adaptation {
      public:
        explicit Adaptation(const arch::NeuronGroup& g)
            : decay_(g, "adapt_decay"), jump_(g, "adapt_jump"), strength_(g, "adapt_strength") {}
        Value raised(std::size_t n, Value threshold, Value a) const { return threshold + strength_[n] * a; }
        Value operator()(const Float64&, std::size_t n, Value a, Value z, std::uint64_t&) const {
            return decay_[n] * a + jump_[n] * z;
        }

      private:
        Constant decay_, jump_, strength_;
    };
    /// How often the threshold goes into a positive membrane.
    static Value multiples(Value v, Value threshold) { return v > 0 ? std::trunc(v / threshold) : 0; }
};

}  // namespace loom::cores
