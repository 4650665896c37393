// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "base/ids.hpp"

/// Neurons as the compiler hands them to a core: plain data.
namespace loom::arch {

enum class Reset : std::uint8_t { Value, Subtract, SubtractSnn, None };

/// When a neuron of any model fires and what happens then (docs/concepts/fixed-point.md). Somas compile a
/// fast form of common rules; a rule takes it only when all its members are equal to those of the fast form.
struct NeuronRule {
    bool fires = true;           ///< false: LI, I and read-outs; the value is the output
    bool greater_equal = false;  ///< v >= threshold instead of v > threshold
    bool multispike = false;     ///< z = trunc(v / threshold) for v > 0
    bool reset_delay = false;    ///< the reset is applied in the following step
    bool clamp = false;          ///< v >= v_min after the reset
    bool parallel = false;       ///< a filtered current reaches the membrane one step late (CUBA)
    bool late_after = false;     ///< a late reset to zero acts after the integration, not before
    Reset reset = Reset::Value;
    std::uint32_t max_spikes = 0;  ///< most of a timestep, with multispike; 0: no limit

    bool operator==(const NeuronRule&) const = default;
};

/// How float64 integrates a membrane: the reference's own operations and order, so that results agree bit for
/// bit. I is the current; k, a, leak, r are parameters.
enum class Integration : std::uint8_t {
    Euler,      ///< v += k*((leak - v) + r*I)
    Exp,        ///< vinf = leak + r*I; v = vinf + (v - vinf)*a
    Jump,       ///< v = v*a + r*I
    Integrate,  ///< v += k*I
    Direct,     ///< v = I (threshold, and a read-out without a neuron)
    Decay,      ///< v = v*a + (r*I + leak)
};

/// How float64 filters a current. ks, w_in are parameters.
enum class Synapse : std::uint8_t {
    Euler,  ///< i += ks*(-i + w_in*I)
    Jump,   ///< i = i*(1 - ks) + w_in*I
};

/// A neuron parameter: one value for all, or one per neuron. In fixed-point programs `i` is used,
/// in float64 programs `d`.
struct Parameter {
    std::vector<std::int64_t> i;
    std::vector<double> d;
};

/// The parameters of a group by name. Which names there are is the model's word (cores/neuron).
class NeuronParameters {
  public:
    /// Adds the parameter if it is new.
    Parameter& operator[](std::string_view name) {
        const auto it = find(name);
        if (it != all_.end()) return all_[static_cast<std::size_t>(it - all_.begin())].second;
        return all_.emplace_back(name, Parameter{}).second;
    }
    /// Throws InternalError for a parameter that the program does not have.
    const Parameter& at(std::string_view name) const {
        const auto it = find(name);
        if (it == all_.end()) throw InternalError("a neuron group without parameter " + std::string(name));
        return it->second;
    }
    bool contains(std::string_view name) const { return find(name) != all_.end(); }

  private:
    using Entry = std::pair<std::string, Parameter>;
    std::vector<Entry>::const_iterator find(std::string_view name) const {
        return std::find_if(all_.begin(), all_.end(), [&](const Entry& e) { return e.first == name; });
    }
    std::vector<Entry> all_;
};

/// A contiguous run of one core's neurons that belong to one layer. Fixed-point parameters are integers in
/// membrane LSB or factors times 2^decay_bits; float64 parameters are in the network's units.
struct NeuronGroup {
    LayerId layer{};
    std::uint32_t first = 0;  ///< first neuron within the core
    std::uint32_t count = 0;
    std::string model = "lif";  ///< a name of the catalogue of neuron models
    NeuronRule rule;
    Integration integration = Integration::Euler;  ///< float64 only
    Synapse synapse = Synapse::Euler;              ///< float64 only
    NeuronParameters parameters;
    std::int32_t in_shift = 0;  ///< fixed: the accumulator is shifted left by this to membrane LSB
    /// Chip timestep at which the layer's algorithmic step 0 happens; idle before (unless the
    /// schedule says `free`).
    std::uint32_t start_step = 0;
    /// Index of each neuron within its layer, [count].
    std::vector<std::uint32_t> layer_index;
};

}  // namespace loom::arch
