// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <vector>

#include "noc/network.hpp"
#include "noc/topology/topology.hpp"

namespace loom::noc {

/// A flit in a buffer: links to its packet and to the next flit of the same buffer.
struct Flit {
    std::uint32_t packet = kNone;
    std::uint32_t next = kNone;
    std::uint32_t arrived = 0;  ///< cycle (low bits) in which it was written into its buffer
    std::uint16_t tag = 0;
    bool tail = false;
    bool damaged = false;  ///< on a link
};
static_assert(sizeof(Flit) <= 16);

/// A packet on its way, once for all of its flits and copies.
struct PacketRecord {
    Packet packet;
    std::uint32_t router = 0;     ///< of the destination
    Coord at;                     ///< the same as position
    Coord from;                   ///< position of the source's router
    std::int16_t dx = 0, dy = 0;  ///< relative routing: hops left
    std::uint16_t port = 0;       ///< local port at the destination
    std::uint16_t copies = 1;     ///< tails that are still to arrive
    std::uint32_t entered = 0;    ///< cycle in which it entered, since the last reset: for drawn directions
};

/// Slots that are used again; grows to the largest number in use at a time.
template <class T>
class Pool {
  public:
    std::uint32_t allocate() {
        if (free_.empty()) {
            items_.emplace_back();
            return static_cast<std::uint32_t>(items_.size() - 1);
        }
        const std::uint32_t id = free_.back();
        free_.pop_back();
        return id;
    }
    void release(std::uint32_t id) { free_.push_back(id); }
    T& operator[](std::uint32_t id) { return items_[id]; }
    const T& operator[](std::uint32_t id) const { return items_[id]; }
    T* data() { return items_.data(); }

  private:
    std::vector<T> items_;
    std::vector<std::uint32_t> free_;
};

/// A queue of flits, threaded through the pool (or the array that it is at the moment).
struct FlitQueue {
    std::uint32_t front = kNone;
    std::uint32_t back = kNone;

    bool empty() const { return front == kNone; }
    template <class Flits>
    void push(Flits&& pool, std::uint32_t id) {
        pool[id].next = kNone;
        if (front == kNone) {
            front = id;
        } else {
            pool[back].next = id;
        }
        back = id;
    }
    template <class Flits>
    std::uint32_t pop(const Flits& pool) {
        const std::uint32_t id = front;
        front = pool[id].next;
        return id;
    }
    std::size_t size(const Pool<Flit>& pool) const {
        std::size_t n = 0;
        for (std::uint32_t id = front; id != kNone; id = pool[id].next) ++n;
        return n;
    }
};

}  // namespace loom::noc
