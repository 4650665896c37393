// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <limits>
#include <vector>

#include "noc/network.hpp"
#include "noc/topology/mesh.hpp"

namespace loom::noc {

inline constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();

/// A flit in a buffer: links to its packet and to the next flit of the same buffer.
struct Flit {
    std::uint32_t packet = kNone;
    std::uint32_t next = kNone;
    std::uint16_t tag = 0;
    bool tail = false;
};
static_assert(sizeof(Flit) <= 16);

/// A packet on its way, once for all of its flits.
struct PacketRecord {
    Packet packet;
    Coord router;            ///< of the destination
    std::uint16_t port = 0;  ///< local port there
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
    std::size_t in_use() const { return items_.size() - free_.size(); }

  private:
    std::vector<T> items_;
    std::vector<std::uint32_t> free_;
};

/// A queue of flits, threaded through the pool.
struct FlitQueue {
    std::uint32_t front = kNone;
    std::uint32_t back = kNone;

    bool empty() const { return front == kNone; }
    void push(Pool<Flit>& pool, std::uint32_t id) {
        pool[id].next = kNone;
        if (front == kNone) {
            front = id;
        } else {
            pool[back].next = id;
        }
        back = id;
    }
    std::uint32_t pop(const Pool<Flit>& pool) {
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
