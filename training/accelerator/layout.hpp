// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <optional>
#include <string_view>

#include "training/work/training_chip.hpp"

namespace loom::training {

/// What lies in buffers.
enum class Tensor : std::uint8_t { Weights, Spikes, Membranes, Errors, Masks, Gradients, Tables, State };
inline constexpr std::size_t kTensors = 8;
inline constexpr std::array<std::string_view, kTensors> kTensorNames{
    "weights", "spikes", "membranes", "errors", "masks", "gradients", "tables", "state"};

/// Which buffer holds which tensor. Masks that no buffer names live with the spikes, gradients with the
/// weights; tables without a buffer are in the processing elements, state without one in DRAM.
class BufferMap {
  public:
    /// Throws ConfigError "buffers..." for unknown tensors, one held twice, or one that is missing.
    explicit BufferMap(const arch::TrainingChip& chip);
    std::optional<std::size_t> of(Tensor t) const { return buffer_[static_cast<std::size_t>(t)]; }

  private:
    std::array<std::optional<std::size_t>, kTensors> buffer_;
};

}  // namespace loom::training
