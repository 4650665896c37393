// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <deque>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "base/nearest.hpp"

namespace loom::noc {

/// Kinds of one thing by name, in the order in which they were added. A Kind has a member `name`.
template <class Kind>
class Kinds {
  public:
    /// key: where a configuration names one of them ("noc.topology"); begins messages.
    explicit Kinds(std::string key) : key_(std::move(key)) {}

    /// ConfigError when the name is taken.
    void add(Kind kind) {
        if (find(kind.name) != nullptr)
            throw ConfigError(key_ + ": there are two kinds " + loom::quoted(std::string(kind.name)));
        kinds_.push_back(std::move(kind));
    }
    /// nullptr when there is none. What it points at stays.
    const Kind* find(std::string_view name) const {
        for (const Kind& kind : kinds_) {
            if (kind.name == name) return &kind;
        }
        return nullptr;
    }
    /// ConfigError that names the nearest spelling, or all names.
    const Kind& get(std::string_view name) const {
        if (const Kind* kind = find(name)) return *kind;
        throw ConfigError(key_ + ": " + unknown_name(name, names()));
    }
    std::vector<std::string> names() const {
        std::vector<std::string> names;
        for (const Kind& kind : kinds_) names.emplace_back(kind.name);
        return names;
    }
    auto begin() const { return kinds_.begin(); }
    auto end() const { return kinds_.end(); }

  private:
    std::string key_;
    std::deque<Kind> kinds_;
};

}  // namespace loom::noc
