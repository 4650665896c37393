// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>

#include "base/clocking/packet.hpp"

namespace loom::training {

// What packets say during training: a struct for each meaning. encode() fills what a message has to say into
// a packet (tag, axon, payload), decode() reads it again; addresses and lengths are the sender's. The two
// lowest bits of the payload are the meaning.
enum class Meaning : std::uint8_t { Input, Error, Kernel, Item };

/// Tags are 16 bits wide: so many feeds, or items of the work, can be told apart.
inline constexpr std::uint32_t kMessageTags = 0x10000;

namespace messages {
constexpr unsigned kMeaningBits = 2;

inline Packet packet(Meaning meaning, std::uint32_t tag, std::uint64_t axon, std::uint64_t value) {
    Packet p;
    p.tag = static_cast<std::uint16_t>(tag);
    p.axon = static_cast<std::uint32_t>(axon);
    p.payload = static_cast<std::int64_t>(value << kMeaningBits | static_cast<std::uint64_t>(meaning));
    return p;
}
inline std::uint64_t value_of(const Packet& p) {
    return static_cast<std::uint64_t>(p.payload) >> kMeaningBits;
}
}  // namespace messages

inline Meaning meaning_of(const Packet& p) {
    return static_cast<Meaning>(static_cast<std::uint64_t>(p.payload) & ((1U << messages::kMeaningBits) - 1));
}

/// Forward: what a source gives for an input element of a feed's matrix. `zero`: it gave nothing, and the
/// chip sends that too.
struct InputMessage {
    std::uint32_t feed = 0;
    std::size_t element = 0;
    std::size_t pair = 0;  ///< number of the pair in the minibatch (TrainingView::number)
    bool zero = false;

    Packet encode() const {
        return messages::packet(Meaning::Input, feed, element, pair << 1 | (zero ? 1U : 0U));
    }
    static InputMessage decode(const Packet& p) {
        const std::uint64_t value = messages::value_of(p);
        return {p.tag, p.axon, static_cast<std::size_t>(value >> 1), (value & 1) != 0};
    }
};

/// Backward: a partial error for an input element of a feed's matrix, on its way to the element's sources.
struct ErrorMessage {
    std::uint32_t feed = 0;
    std::size_t element = 0;
    std::size_t pair = 0;

    Packet encode() const { return messages::packet(Meaning::Error, feed, element, pair); }
    static ErrorMessage decode(const Packet& p) {
        return {p.tag, p.axon, static_cast<std::size_t>(messages::value_of(p))};
    }
};

/// Values of a kernel that several cores have a copy of.
struct KernelMessage {
    enum class What : std::uint8_t { Gradients, Weights };
    std::uint32_t feed = 0;
    What what = What::Gradients;
    std::uint64_t values = 0;  ///< how many are in the packet

    Packet encode() const {
        return messages::packet(Meaning::Kernel, feed, values, static_cast<std::uint64_t>(what));
    }
    static KernelMessage decode(const Packet& p) {
        return {p.tag, static_cast<What>(messages::value_of(p)), p.axon};
    }
};

/// Values of an item of the work that are no inputs, errors or weights: statistics of norms, parameters of
/// neurons. Partial sums go to the owner, what it made of them comes back.
struct ItemMessage {
    enum class What : std::uint8_t { Sums, Results };
    std::uint32_t item = 0;
    What what = What::Sums;
    std::uint64_t values = 0;  ///< how many are in the packet

    Packet encode() const {
        return messages::packet(Meaning::Item, item, values, static_cast<std::uint64_t>(what));
    }
    static ItemMessage decode(const Packet& p) {
        return {p.tag, static_cast<What>(messages::value_of(p)), p.axon};
    }
};

}  // namespace loom::training
