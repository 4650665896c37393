// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>

namespace loom::app {

/// One process at a time writes to a place: `.NAME.lock` beside it says which, on this host or another that shares the
/// folder. The system's own lock on that file tells whether its process lives, so process numbers of other containers
/// mean nothing wrong; where the system has no such locks, or the process is of another host, the file alone counts.
class PathLock {
  public:
    /// Waits two seconds for another process. Throws IoError, which names that process.
    explicit PathLock(const std::string& place);
    ~PathLock();
    PathLock(const PathLock&) = delete;
    PathLock& operator=(const PathLock&) = delete;

  private:
    bool create();
    /// Removes the file of a process that died. Empty, or whose the file is.
    std::string clear();
    void hold(int file);
    std::string place_, file_;
    int open_ = -1;
};

}  // namespace loom::app
