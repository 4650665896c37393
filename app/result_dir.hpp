// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>

namespace loom::app {

/// A directory of results that appears as a whole: files are written under a temporary name beside it
/// and renamed by commit(). An earlier result of the same name is replaced by commit(), not before.
class ResultDir {
  public:
    /// Throws IoError when the place cannot be written, or holds something that is not a result.
    explicit ResultDir(const std::string& path);
    ~ResultDir();
    ResultDir(const ResultDir&) = delete;
    ResultDir& operator=(const ResultDir&) = delete;

    std::string file(const std::string& name) const { return temporary_ + "/" + name; }
    /// Throws IoError.
    void write(const std::string& name, const std::string& text) const;
    void commit();
    const std::string& path() const { return path_; }

  private:
    std::string path_, temporary_;
    bool committed_ = false;
};

/// Writes a file under a temporary name and renames it. Throws IoError.
void write_file_atomically(const std::string& path, const std::string& text);

}  // namespace loom::app
