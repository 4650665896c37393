// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <concepts>
#include <cstdint>
#include <string_view>
#include <type_traits>

#include "training/work/training_chip.hpp"

namespace loom::training {

/// Everything that training counts. Buffer events count elements of the tensor (one word of its own width);
/// spikes and masks count bits, so an input that is no spike counts its width. DRAM counts bytes. The field
/// list is the only list: prices, reports and checks are made from it.
struct TrainingCounters {
    std::uint64_t ac = 0;
    std::uint64_t mac = 0;
    std::uint64_t multiply = 0;
    std::uint64_t add = 0;
    std::uint64_t compare = 0;
    std::uint64_t shift = 0;
    std::uint64_t mux = 0;
    std::uint64_t square_root = 0;
    std::uint64_t divide = 0;
    std::uint64_t lut_read = 0;
    std::uint64_t lut_write = 0;
    std::uint64_t gated = 0;
    std::uint64_t pad_read = 0;
    std::uint64_t pad_write = 0;
    std::uint64_t weight_read = 0;
    std::uint64_t weight_write = 0;
    std::uint64_t spike_read = 0;
    std::uint64_t spike_write = 0;
    std::uint64_t membrane_read = 0;
    std::uint64_t membrane_write = 0;
    std::uint64_t error_read = 0;
    std::uint64_t error_write = 0;
    std::uint64_t mask_read = 0;
    std::uint64_t mask_write = 0;
    std::uint64_t gradient_read = 0;
    std::uint64_t gradient_write = 0;
    std::uint64_t state_read = 0;
    std::uint64_t state_write = 0;
    std::uint64_t dram_read = 0;
    std::uint64_t dram_write = 0;
    std::uint64_t flits = 0;
    std::uint64_t pulses = 0;
    std::uint64_t array_ac = 0;
    std::uint64_t array_mac = 0;

    bool operator==(const TrainingCounters&) const = default;
    std::uint64_t& operator[](std::uint64_t TrainingCounters::*event) { return this->*event; }
    std::uint64_t operator[](std::uint64_t TrainingCounters::*event) const { return this->*event; }
};
/// One of them.
using TrainingEvent = std::uint64_t TrainingCounters::*;

/// Where energy goes.
enum class Level : std::uint8_t { Compute, Pad, Buffer, Dram, Network };
inline constexpr std::size_t kLevels = 5;
inline constexpr std::array<std::string_view, kLevels> kLevelNames{"compute", "pad", "buffer", "dram",
                                                                   "network"};

/// What a price must know of an event: where its energy goes, and the bits that one count moves (those of a
/// value of the chip, if `word` says which): a price per bit is multiplied by them.
struct TrainingCost {
    Level level = Level::Compute;
    std::uint64_t arch::TrainingBits::*word = nullptr;
    std::uint64_t bits = 1;
    std::uint64_t bits_of(const arch::TrainingBits& widths) const {
        return word != nullptr ? widths.*word : bits;
    }
};

/// Shows the counters to v(name, count, priced, doc), as all counters are shown, or to v(name, count, cost,
/// doc).
template <class V, class C>
requires std::same_as<std::remove_const_t<C>, TrainingCounters>
void fields(V&& visitor, C& c) {
    const auto v = [&visitor](const char* name, auto& count, const TrainingCost& cost, const char* doc) {
        if constexpr (std::is_invocable_v<V&, const char*, decltype(count), bool, const char*>)
            visitor(name, count, true, doc);
        else
            visitor(name, count, cost, doc);
    };
    using Bits = arch::TrainingBits;
    const TrainingCost compute, tables{Level::Pad, &Bits::weight}, weights{Level::Buffer, &Bits::weight},
        bit{Level::Buffer}, membranes{Level::Buffer, &Bits::membrane}, errors{Level::Buffer, &Bits::error},
        gradients{Level::Buffer, &Bits::gradient}, state{Level::Buffer, &Bits::state},
        dram{Level::Dram, nullptr, 8}, network{Level::Network};
    v("ac", c.ac, compute, "accumulates: a weight or an error added because of a spike");
    v("mac", c.mac, compute, "multiply-accumulates");
    v("multiply", c.multiply, compute, "multiplications of neurons, surrogates and optimiser");
    v("add", c.add, compute, "additions beside accumulates");
    v("compare", c.compare, compute, "comparisons");
    v("shift", c.shift, compute, "shifts");
    v("mux", c.mux, compute, "choices between two values");
    v("square_root", c.square_root, compute, "square roots");
    v("divide", c.divide, compute, "divisions");
    v("lut_read", c.lut_read, tables, "look-ups in tables of surrogates and partial sums");
    v("lut_write", c.lut_write, tables, "entries written to such tables");
    v("gated", c.gated, compute, "zero operands that passed a gated processing element");
    v("pad_read", c.pad_read, tables, "reads of scratch-pads and registers of processing elements");
    v("pad_write", c.pad_write, tables, "writes of scratch-pads and registers of processing elements");
    v("weight_read", c.weight_read, weights, "weights read from their buffer");
    v("weight_write", c.weight_write, weights, "weights written to their buffer");
    v("spike_read", c.spike_read, bit, "bits of spikes read from their buffer");
    v("spike_write", c.spike_write, bit, "bits of spikes written to their buffer");
    v("membrane_read", c.membrane_read, membranes, "membranes read from their buffer");
    v("membrane_write", c.membrane_write, membranes, "membranes written to their buffer");
    v("error_read", c.error_read, errors, "errors read from their buffer");
    v("error_write", c.error_write, errors, "errors written to their buffer");
    v("mask_read", c.mask_read, bit, "derivative masks read from their buffer");
    v("mask_write", c.mask_write, bit, "derivative masks written to their buffer");
    v("gradient_read", c.gradient_read, gradients, "weight gradients read from their buffer");
    v("gradient_write", c.gradient_write, gradients, "weight gradients written to their buffer");
    v("state_read", c.state_read, state, "words of optimiser state read from their buffer");
    v("state_write", c.state_write, state, "words of optimiser state written to their buffer");
    v("dram_read", c.dram_read, dram, "bytes read from DRAM");
    v("dram_write", c.dram_write, dram, "bytes written to DRAM");
    v("flits", c.flits, network, "flits over a link of the network-on-chip");
    v("pulses", c.pulses, compute, "programming pulses of cells");
    v("array_ac", c.array_ac, compute, "accumulates that cells do");
    v("array_mac", c.array_mac, compute, "multiply-accumulates that cells do");
}

/// The name that price lists and reports use.
std::string_view event_name(TrainingEvent event);

}  // namespace loom::training
