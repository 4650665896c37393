// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <string>

namespace loom::app {

/// Beside the result directory while a training runs: its checkpoint and the dumped steps. One process at a
/// time has it: the directory is locked as long as the object lives.
class TrainWorkDir {
  public:
    /// output: the result directory. Without `resume` an unfinished training is set aside in
    /// DIR.training.old. Throws IoError when the place cannot be written or another process trains there.
    TrainWorkDir(const std::string& output, bool resume);
    ~TrainWorkDir();
    TrainWorkDir(const TrainWorkDir&) = delete;
    TrainWorkDir& operator=(const TrainWorkDir&) = delete;

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
    /// Makes the directory and locks it; the same when it was there.
    void lock();
    void unlock();
    std::string path_;
    int lock_ = -1;  ///< the open directory
};

}  // namespace loom::app
