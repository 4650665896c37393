// SPDX-License-Identifier: Apache-2.0
#include "training/accelerator/layout.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "training/accelerator/task.hpp"
#include "base/error.hpp"
#include "base/nearest.hpp"

namespace loom::training {

BufferMap::BufferMap(const arch::TrainingChip& chip) {
    if (chip.buffers.size() > kMaxBuffers)
        throw ConfigError(fmt::format("buffers: at most {} (got {})", kMaxBuffers, chip.buffers.size()));
    for (std::size_t b = 0; b < chip.buffers.size(); ++b)
        for (std::size_t i = 0; i < chip.buffers[b].holds.size(); ++i) {
            const std::string& name = chip.buffers[b].holds[i];
            const auto at = std::find(kTensorNames.begin(), kTensorNames.end(), name);
            const std::string key = fmt::format("buffers[{}].holds[{}]", b, i);
            if (at == kTensorNames.end())
                throw ConfigError(key + ": " +
                                  unknown_name(name, {kTensorNames.begin(), kTensorNames.end()}));
            auto& buffer = buffer_[static_cast<std::size_t>(at - kTensorNames.begin())];
            if (buffer)
                throw ConfigError(
                    fmt::format("{}: {} are in buffer '{}' already", key, name, chip.buffers[*buffer].name));
            buffer = b;
        }
    const auto follow = [&](Tensor t, Tensor with) {
        auto& buffer = buffer_[static_cast<std::size_t>(t)];
        if (!buffer) buffer = of(with);
    };
    follow(Tensor::Masks, Tensor::Spikes);
    follow(Tensor::Gradients, Tensor::Weights);
    for (const Tensor t : {Tensor::Weights, Tensor::Spikes, Tensor::Membranes, Tensor::Errors})
        if (!of(t))
            throw ConfigError(
                fmt::format("buffers: none holds {}", kTensorNames[static_cast<std::size_t>(t)]));
}

}  // namespace loom::training
