// SPDX-License-Identifier: Apache-2.0
#include "traces/npy.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <cstring>
#include <fstream>
#include <iterator>
#include <map>

#include "base/error.hpp"
#include "base/input_file.hpp"
#include "base/nearest.hpp"
#include "traces/zip.hpp"

namespace loom::traces {
namespace {

constexpr std::size_t kMaxElements = std::size_t{1} << 33;

/// The value of a key in the header's Python dictionary, as text.
std::string header_value(const std::string& header, const std::string& key, const std::string& where) {
    const auto at = header.find("'" + key + "'");
    const auto colon = at == std::string::npos ? at : header.find(':', at);
    if (colon == std::string::npos) throw InputError(where + ": the .npy header has no '" + key + "'");
    auto begin = header.find_first_not_of(' ', colon + 1);
    if (begin == std::string::npos) throw InputError(where + ": the .npy header ends after '" + key + "'");
    std::size_t end = 0;
    if (header[begin] == '(') {
        end = header.find(')', begin);
        ++begin;
    } else if (header[begin] == '\'') {
        end = header.find('\'', ++begin);
    } else {
        end = header.find_first_of(",}", begin);
    }
    if (end == std::string::npos) throw InputError(where + ": the .npy header is cut off");
    return header.substr(begin, end - begin);
}

Array::Type type_of(const std::string& code, const std::string& where) {
    static const std::map<std::string, Array::Type> types{
        {"b1", Array::Type::U1}, {"u1", Array::Type::U1}, {"i1", Array::Type::I1}, {"u2", Array::Type::U2},
        {"i2", Array::Type::I2}, {"u4", Array::Type::U4}, {"i4", Array::Type::I4}, {"u8", Array::Type::U8},
        {"i8", Array::Type::I8}, {"f2", Array::Type::F2}, {"f4", Array::Type::F4}, {"f8", Array::Type::F8}};
    const auto it = types.find(code.size() == 3 ? code.substr(1) : std::string());
    if (it == types.end()) {
        throw InputError(where + ": element type '" + code +
                         "' is not supported (bool, integers, float16 to float64)");
    }
    return it->second;
}

std::vector<std::size_t> parse_shape(const std::string& text, const std::string& where) {
    std::vector<std::size_t> shape;
    std::size_t total = 1;
    for (std::size_t i = 0; i < text.size();) {
        if (text[i] == ',' || text[i] == ' ' || text[i] == 'L') {
            ++i;
            continue;
        }
        std::size_t value = 0, digits = 0;
        for (; i < text.size() && std::isdigit(static_cast<unsigned char>(text[i])) != 0 && digits < 12;
             ++i, ++digits) {
            value = value * 10 + static_cast<std::size_t>(text[i] - '0');
        }
        if (digits == 0) throw InputError(where + ": malformed shape in the .npy header");
        shape.push_back(value);
        if (value == 0) continue;  // the other axes are limited all the same
        if (total > kMaxElements / value)
            throw InputError(where + ": the .npy header asks for too many elements");
        total *= value;
    }
    return shape;
}

/// Reverses the bytes of each element.
void swap_bytes(std::vector<std::uint8_t>& bytes, std::size_t width) {
    for (std::size_t i = 0; i + width <= bytes.size(); i += width) {
        std::reverse(bytes.begin() + static_cast<std::ptrdiff_t>(i),
                     bytes.begin() + static_cast<std::ptrdiff_t>(i + width));
    }
}

std::vector<std::uint8_t> to_c_order(const std::vector<std::uint8_t>& in,
                                     const std::vector<std::size_t>& shape, std::size_t width) {
    std::vector<std::uint8_t> out(in.size());
    const std::size_t n = in.size() / width;
    std::vector<std::size_t> at(shape.size(), 0), stride(shape.size(), 1);
    for (std::size_t d = 1; d < shape.size(); ++d) stride[d] = stride[d - 1] * shape[d - 1];
    for (std::size_t i = 0; i < n; ++i) {
        std::size_t from = 0;
        for (std::size_t d = 0; d < shape.size(); ++d) from += at[d] * stride[d];
        std::memcpy(&out[i * width], &in[from * width], width);
        for (std::size_t d = shape.size(); d-- > 0;) {
            if (++at[d] < shape[d]) break;
            at[d] = 0;
        }
    }
    return out;
}

}  // namespace

Array parse_npy(const std::vector<std::uint8_t>& bytes, const std::string& where) {
    static constexpr std::uint8_t kMagic[] = {0x93, 'N', 'U', 'M', 'P', 'Y'};
    if (bytes.size() < 10 || std::memcmp(bytes.data(), kMagic, sizeof kMagic) != 0) {
        throw InputError(where + ": not a .npy array");
    }
    const bool wide = bytes[6] >= 2;
    if (bytes[6] < 1 || bytes[6] > 3 || (wide && bytes.size() < 12))
        throw InputError(where + ": unknown version of .npy");
    const std::size_t start = wide ? 12 : 10;
    std::size_t length = bytes[8] + 256u * bytes[9];
    if (wide) length += (std::size_t{bytes[10]} << 16) + (std::size_t{bytes[11]} << 24);
    if (length > bytes.size() - start) throw InputError(where + ": the .npy header is cut off");
    const std::string header(bytes.begin() + static_cast<std::ptrdiff_t>(start),
                             bytes.begin() + static_cast<std::ptrdiff_t>(start + length));
    const std::string code = header_value(header, "descr", where);
    const Array::Type type = type_of(code, where);
    const std::vector<std::size_t> shape = parse_shape(header_value(header, "shape", where), where);
    const bool fortran = header_value(header, "fortran_order", where).rfind("True", 0) == 0;
    const std::size_t width = Array::element_size(type);
    std::size_t size = width;
    for (const std::size_t d : shape) size *= d;
    if (bytes.size() - start - length != size) {
        throw InputError(fmt::format("{}: {} bytes of data, the .npy header says {}", where,
                                     bytes.size() - start - length, size));
    }
    std::vector<std::uint8_t> data(bytes.end() - static_cast<std::ptrdiff_t>(size), bytes.end());
    if (code[0] == '>' && width > 1) swap_bytes(data, width);
    if (fortran && shape.size() > 1) data = to_c_order(data, shape, width);
    return Array(type, shape, std::move(data));
}

Array read_npy(const std::string& path) {
    return parse_npy(input_bytes(path), path);
}

std::vector<std::string> npz_names(const std::string& path) {
    std::vector<std::string> names;
    for (const std::string& n : Zip(path).names()) {
        if (n.size() > 4 && n.ends_with(".npy")) names.push_back(n.substr(0, n.size() - 4));
    }
    return names;
}

Array read_npz(const std::string& path, const std::string& name) {
    const Zip zip(path);
    if (!zip.has(name + ".npy")) {
        throw InputError(path + ": no array '" + name + "'" + suggestion(name, npz_names(path)));
    }
    return parse_npy(zip.read(name + ".npy"), path + ": array '" + name + "'");
}

void write_npy(const std::string& path, const Array& array) {
    static constexpr const char* codes[] = {"|u1", "|i1", "<u2", "<i2", "<u4", "<i4",
                                            "<u8", "<i8", "<f2", "<f4", "<f8"};
    std::string header = fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}{}), }}",
                                     codes[static_cast<std::size_t>(array.type())],
                                     fmt::join(array.shape(), ", "), array.shape().size() == 1 ? "," : "");
    while ((10 + header.size() + 1) % 64 != 0) header += ' ';
    header += '\n';
    std::ofstream out(path, std::ios::binary);
    out.write("\x93NUMPY\x01\x00", 8);
    const char size[2] = {static_cast<char>(header.size() & 255), static_cast<char>(header.size() >> 8)};
    out.write(size, 2);
    out << header;
    out.write(reinterpret_cast<const char*>(array.bytes()),
              static_cast<std::streamsize>(array.size() * Array::element_size(array.type())));
    out.flush();
    if (!out) throw IoError(path + ": cannot be written");
}

}  // namespace loom::traces
