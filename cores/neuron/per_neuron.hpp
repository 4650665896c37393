// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <vector>

#include "arch/neuron_group.hpp"

namespace loom::cores {

/// A parameter of a group as pointer and stride: one value for all neurons, or one each. The group outlives
/// it. T: std::int64_t reads the program's integers, double its real values.
template <class T>
class PerNeuron {
  public:
    PerNeuron() = default;
    PerNeuron(const arch::NeuronGroup& g, const char* name) : PerNeuron(values(g.parameters.at(name))) {
        if (stride_ == 1 ? size_ != g.count : size_ != 1)
            throw InternalError(std::string("parameter ") + name + " has not one value per neuron");
    }
    T operator[](std::size_t n) const { return data_[n * stride_]; }

  private:
    explicit PerNeuron(const std::vector<T>& v)
        : data_(v.data()), stride_(v.size() == 1 ? 0 : 1), size_(v.size()) {}
    static const std::vector<T>& values(const arch::Parameter& p) {
        if constexpr (std::is_same_v<T, double>) {
            return p.d;
        } else {
            return p.i;
        }
    }
    const T* data_ = nullptr;
    std::size_t stride_ = 0, size_ = 0;
};

}  // namespace loom::cores
