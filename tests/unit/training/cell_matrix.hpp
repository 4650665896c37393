// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <vector>

#include "training/learn/layer.hpp"
#include "training/learn/pulse_update.hpp"

namespace loom::training {

/// Cells of a matrix [rows][outputs], in cell levels.
struct CellMatrix {
    std::vector<float> up, down;
    CellMatrix(std::vector<float> plus, std::vector<float> minus, float top)
        : up(std::move(plus)), down(std::move(minus)) {
        for (float& g : up) g /= top;
        for (float& g : down) g /= top;
    }
    learn::CellPairs pairs() const { return {&up, &down}; }
};

inline learn::Pass pass_of(std::size_t steps, std::size_t batch) {
    learn::Pass pass;
    pass.steps = steps, pass.batch = batch;
    return pass;
}

inline arch::LinearShape dense_shape(std::size_t inputs, std::size_t outputs) {
    arch::LinearShape s;
    s.in_c = inputs, s.out_c = outputs;
    return s;
}

}  // namespace loom::training
