// SPDX-License-Identifier: Apache-2.0
#include "traces/array.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>
#include <cstring>

#include "base/error.hpp"

namespace loom::traces {
namespace {

template <class T>
double get(const std::uint8_t* p) {
    T value;
    std::memcpy(&value, p, sizeof value);
    return static_cast<double>(value);
}

double half(const std::uint8_t* p) {
    std::uint16_t h = 0;
    std::memcpy(&h, p, sizeof h);
    const int exponent = h >> 10 & 31;
    const double mantissa = h & 1023;
    double v = 0;
    if (exponent == 0) {
        v = std::ldexp(mantissa, -24);
    } else if (exponent == 31) {
        v = mantissa == 0 ? INFINITY : NAN;
    } else {
        v = std::ldexp(1024 + mantissa, exponent - 25);
    }
    return (h & 0x8000) != 0 ? -v : v;
}

}  // namespace

std::size_t Array::element_size(Type type) {
    switch (type) {
        case Type::U1:
        case Type::I1:
            return 1;
        case Type::U2:
        case Type::I2:
        case Type::F2:
            return 2;
        case Type::U4:
        case Type::I4:
        case Type::F4:
            return 4;
        default:
            return 8;
    }
}

Array::Array(Type type, std::vector<std::size_t> shape, std::vector<std::uint8_t> bytes)
    : type_(type), shape_(std::move(shape)), size_(1), bytes_(std::move(bytes)) {
    for (const std::size_t d : shape_) size_ *= d;
    if (bytes_.size() != size_ * element_size(type))
        throw InternalError("an array with the wrong number of bytes");
}

Array Array::of(std::vector<std::size_t> shape, const std::vector<double>& values) {
    std::vector<std::uint8_t> bytes(values.size() * sizeof(double));
    if (!values.empty()) std::memcpy(bytes.data(), values.data(), bytes.size());
    return Array(Type::F8, std::move(shape), std::move(bytes));
}

double Array::at(std::size_t i) const {
    const std::uint8_t* p = bytes_.data() + i * element_size(type_);
    switch (type_) {
        case Type::U1:
            return get<std::uint8_t>(p);
        case Type::I1:
            return get<std::int8_t>(p);
        case Type::U2:
            return get<std::uint16_t>(p);
        case Type::I2:
            return get<std::int16_t>(p);
        case Type::U4:
            return get<std::uint32_t>(p);
        case Type::I4:
            return get<std::int32_t>(p);
        case Type::U8:
            return get<std::uint64_t>(p);
        case Type::I8:
            return get<std::int64_t>(p);
        case Type::F2:
            return half(p);
        case Type::F4:
            return get<float>(p);
        case Type::F8:
            return get<double>(p);
    }
    return 0;
}

std::string Array::shape_text() const {
    return fmt::format("[{}]", fmt::join(shape_, ", "));
}

}  // namespace loom::traces
