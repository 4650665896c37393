// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace loom::traces {

/// A dense array as numpy stores it, C order, in its own element type.
class Array {
  public:
    enum class Type : std::uint8_t { U1, I1, U2, I2, U4, I4, U8, I8, F2, F4, F8 };

    Array() = default;
    /// bytes: little-endian, C order, size() * element size.
    Array(Type type, std::vector<std::size_t> shape, std::vector<std::uint8_t> bytes);
    static Array of(std::vector<std::size_t> shape, const std::vector<double>& values);

    const std::vector<std::size_t>& shape() const { return shape_; }
    std::size_t size() const { return size_; }
    Type type() const { return type_; }
    double at(std::size_t i) const;
    const std::uint8_t* bytes() const { return bytes_.data(); }
    /// "[360, 1, 8, 8]"
    std::string shape_text() const;
    static std::size_t element_size(Type type);

  private:
    Type type_ = Type::F8;
    std::vector<std::size_t> shape_;
    std::size_t size_ = 0;
    std::vector<std::uint8_t> bytes_;
};

}  // namespace loom::traces
