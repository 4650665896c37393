// SPDX-License-Identifier: Apache-2.0
#include "sim/chip/host_port.hpp"

#include <algorithm>
#include <cmath>

#include "base/checked_cast.hpp"

namespace loom::chip {
namespace {
/// The host's packets are those of the kind of core with the longest.
std::uint16_t widest(const arch::ChipSpec& spec, bool graded) {
    std::uint64_t flits = 1;
    for (std::size_t k = 0; k < spec.n_kinds(); ++k) flits = std::max(flits, spec.packet_flits(k, graded));
    return checked_cast<std::uint16_t>(flits, "the number of a packet's flits");
}
}  // namespace

HostPort::HostPort(const arch::ChipSpec& spec, const arch::Program& program, Activity& activity,
                   Link<Packet>& out)
    : program_(program),
      activity_(activity),
      out_(out),
      interval_(spec.io.interval),
      flits_plain_(widest(spec, false)),
      flits_graded_(program.input_graded ? widest(spec, true) : flits_plain_),
      self_(EndpointId{static_cast<std::uint32_t>(spec.n_cores())}) {}

void HostPort::begin(Cycle now, const SparseVector& values) {
    queue_.clear();
    next_ = 0;
    const auto& table = program_.input_fanout;
    for (const auto& [element, value] : values) {
        Packet p;
        p.source = self_;
        p.tag = static_cast<std::uint16_t>(index(program_.input));
        p.flits = program_.input_graded ? flits_graded_ : flits_plain_;
        if (program_.input_graded) {
            p.payload = program_.fixed ? to_payload(value) : Packet::from_double(value);
            if (program_.fixed && p.payload == 0) continue;
        }
        for (std::uint32_t i = table.row[element]; i < table.row[element + 1]; ++i) {
            p.destination = Destination::endpoint(table.entries[i].core);
            p.axon = table.entries[i].axon;
            queue_.push_back(p);
        }
    }
    if (queue_.empty()) return;
    activity_.raise();
    scheduler_->wake(id_, now + 1);
}

std::int64_t HostPort::to_payload(double value) {
    const double x = value / program_.input_lsb, whole = std::nearbyint(x);
    if (whole != x) ++rounded_;
    return checked_cast<std::int64_t>(whole, "a value of the input, in steps of the chip's integers,");
}

Cycle HostPort::evaluate(Cycle now) {
    if (next_ == queue_.size()) return kNever;
    if (now < free_at_) return free_at_;
    if (!out_.can_send(now)) return kNever;  // the returned credit wakes this
    activity_.raise();
    out_.send(now, queue_[next_++]);
    ++packets_;
    free_at_ = now + interval_;
    if (next_ < queue_.size()) return free_at_;
    activity_.lower(now);
    return kNever;
}

}  // namespace loom::chip
