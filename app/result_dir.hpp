// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <optional>
#include <set>
#include <string>

#include "app/manifest.hpp"
#include "app/path_lock.hpp"

namespace loom::app {

/// A directory of results that appears as a whole: files are written under a temporary name beside it, and put in
/// place by commit(). An earlier result of the same verb is replaced by commit(), not before. Of what is in the
/// directory, only files go that its manifest lists, and that are as they were written; everything else stays.
class ResultDir {
  public:
    /// Throws IoError when the place cannot be written, holds what is not a result of this verb, or another process
    /// writes there.
    ResultDir(const std::string& path, std::string verb);
    ~ResultDir();
    ResultDir(const ResultDir&) = delete;
    ResultDir& operator=(const ResultDir&) = delete;

    std::string file(const std::string& name) const { return temporary_ + "/" + name; }
    /// Where to write a file that the user asked for by name: into the result when it names a file of the directory
    /// (it is the user's: no later result replaces it), else there.
    std::string place(const std::string& file);
    /// Throws IoError.
    void write(const std::string& name, const std::string& text) const;
    /// The manifest gets `facts`, the warnings so far and the list of files. Throws IoError; when only the last step
    /// fails, the finished result stays under a temporary name, which the message tells.
    void commit(const Json& facts);
    const std::string& path() const { return path_; }
    /// commit() moves the earlier result to DIR.kept instead of replacing it.
    void keep_earlier() { keep_earlier_ = true; }
    /// Of the result that is there now.
    const std::optional<Json>& earlier() const { return earlier_; }

  private:
    /// The earlier result while the new one takes its place, where a file system cannot exchange two names.
    std::string set_aside() const { return temporary_ + ".old"; }
    void tidy_up() const;
    void write_manifest(const Json& facts) const;
    std::set<std::string> carry_over() const;
    void put_in_place(const std::set<std::string>& carried) const;
    void remove_earlier(const std::string& old, const std::set<std::string>& carried) const;

    std::string path_, verb_, temporary_;
    std::optional<PathLock> lock_;
    std::optional<Json> earlier_;
    std::set<std::string> of_user_;  ///< names that place() gave
    bool keep_ = false;              ///< what is in the temporary directory
    bool keep_earlier_ = false;
};

/// Refuses a directory that holds a result of another verb, or something that is no result.
void check_result_place(const std::string& path, const std::string& verb);

}  // namespace loom::app
