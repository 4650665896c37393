// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>

#include "base/error.hpp"

namespace loom {

/// A key of a configuration file is wrong. Code that checks values knows the key but not the file; whoever
/// read the file adds the place. message form: "place: key.path: problem", or "key.path: problem" without a
/// place.
class KeyError : public ConfigError {
  public:
    /// key: its path below the root of the file ("noc.router.vcs"). problem: what is wrong, and what is
    /// right. place: "file:line:col", or "--set key.path" of the command line; empty when it is not known.
    KeyError(std::string key, std::string problem, std::string place = "");

    const std::string& key() const { return key_; }
    const std::string& problem() const { return problem_; }
    const std::string& place() const { return place_; }

    /// This error with a place.
    KeyError placed(const std::string& place) const { return {key_, problem_, place}; }
    /// This error with its key in a section: "vcs" below "noc.router" is "noc.router.vcs".
    KeyError below(const std::string& section) const;

  private:
    std::string key_, problem_, place_;
};

}  // namespace loom
