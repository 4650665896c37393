// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "base/hdf5/hdf5_file.hpp"

namespace loom::hdf5 {

/// A group as HDF5's library reads it, in the process that asks. The library is not proof against damaged
/// files, so only the reader process uses it (reader_process.hpp). Methods and errors are those of Group.
class LibraryGroup {
  public:
    const std::string& where() const { return where_; }
    const std::vector<std::string>& keys() const { return keys_; }
    bool has(const std::string& key) const;
    Kind kind(const std::string& key) const;
    LibraryGroup group(const std::string& key, const std::string& where) const;
    Numbers numbers(const std::string& key) const;
    std::vector<std::size_t> shape(const std::string& key) const;
    ReadBlock matrix(const std::string& key) const;
    Texts texts(const std::string& key) const;
    double attribute(const std::string& name, double fallback) const;
    [[noreturn]] void fail(const std::string& problem) const;
    [[noreturn]] void fail(const std::string& key, const std::string& problem) const;

  private:
    struct Impl;
    friend LibraryGroup open_with_library(const std::string& path, std::vector<std::uint8_t> bytes);
    explicit LibraryGroup(std::shared_ptr<const Impl> impl, std::string where);

    std::shared_ptr<const Impl> impl_;
    std::string where_;
    std::vector<std::string> keys_;
};

/// The root group. Switches HDF5's own error printing off for the process.
LibraryGroup open_with_library(const std::string& path, std::vector<std::uint8_t> bytes);

}  // namespace loom::hdf5
