// SPDX-License-Identifier: Apache-2.0
#include "noc/allocation/allocators.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/key_error.hpp"
#include "noc/names.hpp"

namespace loom::noc {
namespace {

/// Of one call, kept for the next one.
struct Scratch {
    std::vector<Asking> asking;
    std::vector<std::size_t> from;
    std::vector<bool> done;
};

/// What one side of a separable allocator does: every resource picks one of those who ask for it.
template <class Key, class Who>
void pick_each(std::span<const AllocationRequest> requests, ArbiterBank& bank, Key key, Who who,
               Scratch& scratch, std::vector<AllocationRequest>& winners) {
    auto& [asking, from, done] = scratch;
    winners.clear();
    done.assign(requests.size(), false);
    for (std::size_t i = 0; i < requests.size(); ++i) {
        if (done[i]) continue;
        asking.clear();
        from.clear();
        for (std::size_t k = i; k < requests.size(); ++k) {
            if (key(requests[k]) != key(requests[i])) continue;
            done[k] = true;
            asking.push_back({who(requests[k]), requests[k].low, requests[k].age});
            from.push_back(k);
        }
        winners.push_back(requests[from[bank.pick(key(requests[i]), asking)]]);
    }
}

constexpr auto kIn = [](const AllocationRequest& r) { return r.in; };
constexpr auto kOut = [](const AllocationRequest& r) { return r.out; };

/// Two stages of arbiters; input first or output first. With several iterations (iSLIP, McKeown 1999)
/// those who are left try again, and only the first iteration moves the arbiters.
class Separable final : public Allocator {
  public:
    Separable(const AllocatorShape& s, bool input_first, unsigned iterations)
        : inputs_(s.arbiter, s.inputs, s.outputs),
          outputs_(s.arbiter, s.outputs, s.inputs),
          input_first_(input_first),
          iterations_(iterations) {}

    void allocate(std::span<const AllocationRequest> requests,
                  std::vector<AllocationGrant>& grants) override {
        grants.clear();
        left_.assign(requests.begin(), requests.end());
        for (unsigned i = 0; i < iterations_ && !left_.empty(); ++i) {
            if (input_first_) {
                pick_each(left_, inputs_, kIn, kOut, scratch_, first_);
                pick_each(first_, outputs_, kOut, kIn, scratch_, second_);
            } else {
                pick_each(left_, outputs_, kOut, kIn, scratch_, first_);
                pick_each(first_, inputs_, kIn, kOut, scratch_, second_);
            }
            if (second_.empty()) break;
            for (const auto& g : second_) {
                grants.push_back({g.in, g.out});
                if (i != 0) continue;
                inputs_.served(g.in, g.out);
                outputs_.served(g.out, g.in);
            }
            std::erase_if(left_, [&](const AllocationRequest& r) {
                return std::any_of(second_.begin(), second_.end(),
                                   [&](const auto& g) { return g.in == r.in || g.out == r.out; });
            });
        }
    }
    void reset() override {
        inputs_.reset();
        outputs_.reset();
    }

  private:
    ArbiterBank inputs_, outputs_;
    bool input_first_;
    unsigned iterations_;
    std::vector<AllocationRequest> left_, first_, second_;
    Scratch scratch_;
};

/// Wavefront (Tamir and Chi 1993): diagonals of the request matrix are granted in turn, starting from
/// one that rotates.
class Wavefront final : public Allocator {
  public:
    explicit Wavefront(const AllocatorShape& s) : n_(std::max(s.inputs, s.outputs)) {}

    void allocate(std::span<const AllocationRequest> requests,
                  std::vector<AllocationGrant>& grants) override {
        grants.clear();
        sorted_.assign(requests.begin(), requests.end());
        std::sort(sorted_.begin(), sorted_.end(), [&](const auto& a, const auto& b) {
            if (a.low != b.low) return !a.low;
            const unsigned da = diagonal(a), db = diagonal(b);
            return da != db ? da < db : a.in < b.in;
        });
        for (const auto& r : sorted_) {
            const bool taken = std::any_of(grants.begin(), grants.end(),
                                           [&](const auto& g) { return g.in == r.in || g.out == r.out; });
            if (!taken) grants.push_back({r.in, r.out});
        }
        if (!requests.empty()) first_ = (first_ + 1) % n_;
    }
    void reset() override { first_ = 0; }

  private:
    unsigned diagonal(const AllocationRequest& r) const { return (r.in + r.out + n_ - first_) % n_; }
    unsigned n_;
    unsigned first_ = 0;
    std::vector<AllocationRequest> sorted_;
};

struct NamedAllocator {
    std::string_view name;
    std::unique_ptr<Allocator> (*make)(const AllocatorShape&);
};
/// The catalogue: a line per allocator.
constexpr std::array<NamedAllocator, 4> kAllocators{
    {{"separable_input_first",
      [](const AllocatorShape& s) -> std::unique_ptr<Allocator> {
          return std::make_unique<Separable>(s, true, 1);
      }},
     {"separable_output_first",
      [](const AllocatorShape& s) -> std::unique_ptr<Allocator> {
          return std::make_unique<Separable>(s, false, 1);
      }},
     {"islip",
      [](const AllocatorShape& s) -> std::unique_ptr<Allocator> {
          return std::make_unique<Separable>(s, false, s.iterations);
      }},
     {"wavefront",
      [](const AllocatorShape& s) -> std::unique_ptr<Allocator> { return std::make_unique<Wavefront>(s); }}}};

}  // namespace

std::vector<std::string> allocator_names() {
    return names_of(kAllocators);
}

std::unique_ptr<Allocator> make_allocator(std::string_view key, std::string_view name,
                                          const AllocatorShape& shape) {
    std::string known;
    for (const NamedAllocator& e : kAllocators) {
        if (e.name == name) return e.make(shape);
        known += fmt::format("{}{}", known.empty() ? "" : ", ", e.name);
    }
    throw KeyError(fmt::format("noc.router.{}", key), fmt::format("unknown `{}`; known: {}", name, known));
}

}  // namespace loom::noc
