// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <vector>

#include "training/many_core/core_arithmetic.hpp"
#include "training/many_core/messages.hpp"

namespace loom::training {

/// Where several sources give to one input element of a matrix: how much of it has come to a core.
class Joins {
  public:
    /// Before the packets of a round.
    void begin_round(const TrainingView& view, const Round& round);
    /// One more packet came to `core`. Whether the input element is known now; `zero` of the message then
    /// holds for all its packets together.
    bool complete(const TrainingView& view, std::uint32_t core, InputMessage& message);

  private:
    /// Of a feed that joins packets.
    struct Seen {
        std::vector<std::uint32_t> place;  ///< [core]: of its part of `packets`
        /// [place][pair of the round][input element]: packets so far; the highest bit: one was a spike.
        std::vector<std::uint32_t> packets;
    };
    Round round_;
    std::vector<Seen> feeds_;  ///< [feed]
};

/// What a packet makes a core do.
struct ArrivedWork {
    Cycles cycles = 0;       ///< that it holds the core's lanes
    std::uint32_t item = 0;  ///< of the work
};

/// What packets mean to the cores that take them: counts the work that each of them causes.
class Arrivals {
  public:
    Arrivals(TrainingView& view, CoreArithmetic& arithmetic) : view_(view), arithmetic_(arithmetic) {}
    void begin_round(const Round& round) { joins_.begin_round(view_, round); }
    ArrivedWork take(std::uint32_t core, const Packet& packet);

  private:
    Cycles take_input(std::uint32_t core, InputMessage message);
    Cycles take_error(std::uint32_t core, const ErrorMessage& message);
    Cycles add_errors(const Block& block, const ErrorMessage& message, std::size_t t);
    Cycles take_kernel(const KernelMessage& message);
    Cycles take_item(const ItemMessage& message);

    TrainingView& view_;
    CoreArithmetic& arithmetic_;
    Joins joins_;
};

}  // namespace loom::training
