// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace loom::hdf5 {

/// Writes an HDF5 file; the same calls give the same bytes (no times). Paths are "group/group/name"; groups
/// are made as needed. Every error is an IoError.
class Writer {
  public:
    using Shape = std::vector<std::size_t>;
    explicit Writer(const std::string& path);
    ~Writer();
    Writer(const Writer&) = delete;
    Writer& operator=(const Writer&) = delete;

    /// Datasets in C order; an empty shape is a scalar. `deflate`: packed, for large arrays.
    void numbers(const std::string& path, const Shape& shape, std::span<const float> v, bool deflate = false);
    void numbers(const std::string& path, const Shape& shape, std::span<const double> v,
                 bool deflate = false);
    void numbers(const std::string& path, const Shape& shape, std::span<const std::int64_t> v,
                 bool deflate = false);
    void numbers(const std::string& path, const Shape& shape, std::span<const std::uint8_t> v,
                 bool deflate = false);
    void text(const std::string& path, const std::string& value);
    void texts(const std::string& path, const Shape& shape, const std::vector<std::string>& values);
    /// Copies everything in the root of another file to here, short names first (step2 before step10).
    void copy_all(const std::string& file);
    /// Finishes the file.
    void close();

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

/// `fill` writes a file under a temporary name beside `path`, which is renamed when it is complete.
void write_atomically(const std::string& path, const std::function<void(Writer&)>& fill);

/// A name as a member of a group: '/' becomes '.'.
std::string member_name(std::string name);

}  // namespace loom::hdf5
