// SPDX-License-Identifier: Apache-2.0
#include "training/learn/neurons/learned_window.hpp"

#include <algorithm>
#include <cmath>

namespace loom::learn {

void LearnedWindow::Window::derivative(std::span<const float> x, std::span<float> h, double) const {
    const float height = 1 / (2 * half);
    for (std::size_t i = 0; i < x.size(); ++i) h[i] = std::abs(x[i]) < half ? height : 0.0F;
}

LearnedWindow::LearnedWindow(float half_width, WindowRule rule) : rule_(rule) {
    window_.half = half_width;
}

void LearnedWindow::attach(const Shape&, NeuronConstants& constants, std::vector<Parameter>& parameters) {
    per_leak_ = window_.half / std::max(constants.leak.front(), kNarrowest);
    if (rule_ != WindowRule::Trained) return;
    parameters_ = &parameters;
    index_ = parameters.size();
    parameters.push_back({"window", {window_.half}, {0.0F}});
}

void LearnedWindow::begin(const Pass&, NeuronConstants& constants) {
    const float half =
        rule_ == WindowRule::Trained ? (*parameters_)[index_].used()[0] : per_leak_ * constants.leak.front();
    window_.half = std::max(half, kNarrowest);
}

void LearnedWindow::backward(const NeuronErrorRow& row) {
    if (rule_ != WindowRule::Trained) return;
    for (std::size_t i = 0; i < row.x.size(); ++i)
        if (row.h[i] != 0) sum_ -= static_cast<double>(row.z[i]) * static_cast<double>(row.x[i]);
}

void LearnedWindow::end_backward() {
    if (rule_ != WindowRule::Trained) return;
    const double half = static_cast<double>(window_.half);
    (*parameters_)[index_].grad[0] += static_cast<float>(sum_ / (2 * half * half));
}

}  // namespace loom::learn
