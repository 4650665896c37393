// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/json/json.hpp"
#include <optional>
#include <string>

namespace loom::stats {

/// A check like "energy.total_pj > 1e9" or "layers[1].rate <= 0.2" on stats.json.
class FailIf {
  public:
    /// Throws Error(Usage) for what is not "path op number" (>, >=, <, <=, ==, !=).
    explicit FailIf(const std::string& text);
    /// True when the condition holds, i.e. the check fails, and when the value is not defined (null). Throws Error(Usage) for a path that is not a
    /// number of the report, with the nearest spelling.
    bool fails(const Json& stats) const;
    /// The value of the path; nothing when it is not defined.
    std::optional<double> value(const Json& stats) const;
    const std::string& text() const { return text_; }

  private:
    std::string text_, path_, op_;
    double bound_ = 0;
};

}  // namespace loom::stats
