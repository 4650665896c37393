// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <string>

namespace loom::app {

/// Beside the result directory while a training runs: its checkpoint and the dumped steps. Who writes the result
/// directory has it. Only what a training writes there is ever removed.
class TrainWorkDir {
  public:
    /// output: the result directory. Without `resume` an unfinished training is set aside in
    /// DIR.training.old. Throws IoError when the place cannot be written.
    TrainWorkDir(const std::string& output, bool resume);

    std::string checkpoint() const { return path_ + "/checkpoint.h5"; }
    std::string step(std::uint64_t k) const { return path_ + "/step" + std::to_string(k) + ".h5"; }
    bool has_checkpoint() const;
    /// The dump of the finished training that this one lengthens.
    std::string dump_before() const { return path_ + "/before.h5"; }
    /// Takes over a finished training's dump; what lies here is what was left while it was tidied up. Throws
    /// IoError.
    void take_over(const std::string& output) const;
    void discard() const;
    /// Nothing was stored: an error in the first steps leaves nothing behind.
    void discard_if_empty() const {
        if (!has_checkpoint()) discard();
    }

  private:
    void make() const;
    std::string path_;
};

}  // namespace loom::app
