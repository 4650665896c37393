// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace loom::hdf5 {

/// Values of one dataset in C order; an empty shape is a scalar.
template <class T>
struct Array {
    std::vector<std::size_t> shape;
    std::vector<T> data;
};
using Numbers = Array<double>;
using Texts = Array<std::string>;

enum class Kind { Group, Number, Text, Other };

/// Reads blocks of a matrix (row, rows, column, columns, out [rows, columns]).
using ReadBlock = std::function<void(std::size_t, std::size_t, std::size_t, std::size_t, double* out)>;

class Pipe;
class ReaderProcess;
enum class Op : std::uint64_t;

/// A group of a file opened for reading. Keeps the file open. `where` names it in messages; every
/// error is an InputError "file: where: key 'x': problem".
class Group {
  public:
    const std::string& where() const { return where_; }
    /// Names of the members, sorted.
    const std::vector<std::string>& keys() const { return keys_; }
    bool has(const std::string& key) const;
    Kind kind(const std::string& key) const;

    Group group(const std::string& key, const std::string& where) const;
    /// Integers, floats and booleans of any width as double.
    Numbers numbers(const std::string& key) const;
    /// Dimensions of a dataset of numbers; reads none of them.
    std::vector<std::size_t> shape(const std::string& key) const;
    /// Keeps the file open.
    using ReadBlock = hdf5::ReadBlock;
    ReadBlock matrix(const std::string& key) const;
    /// Strings of fixed or variable length.
    Texts texts(const std::string& key) const;
    /// A scalar (or one-element) string.
    std::string text(const std::string& key) const;

    /// A numeric scalar attribute of the group, or `fallback` if there is none.
    double attribute(const std::string& name, double fallback) const;

    [[noreturn]] void fail(const std::string& problem) const;
    [[noreturn]] void fail(const std::string& key, const std::string& problem) const;

  private:
    friend Group open(const std::string& path);
    Group(std::shared_ptr<ReaderProcess> reader, std::string where, Pipe& answer);
    template <class Read>
    auto ask(Op op, const std::string& key, Read read) const;

    std::shared_ptr<ReaderProcess> reader_;
    std::string where_;
    std::size_t number_;  ///< of the group in the reader process
    std::vector<std::string> keys_;
    std::vector<std::uint8_t> kinds_;  ///< of the keys
};

/// The root group of a file. IoError if it cannot be opened, InputError if it is not sound HDF5.
/// Links other than hard links, external and virtual storage are refused; what is read from one
/// file is limited to 2^31 elements. HDF5's library reads the file in a process of its own, without plug-ins:
/// a damaged file that ends the library is an InputError.
Group open(const std::string& path);

}  // namespace loom::hdf5
