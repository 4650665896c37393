// SPDX-License-Identifier: Apache-2.0
// The program's side of the reader process.
#include "base/hdf5/hdf5_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "base/error.hpp"
#include "base/hdf5/reader_process.hpp"
#include "base/nearest.hpp"

namespace loom::hdf5 {

const auto kNothing = [](Pipe&) {};

Group::Group(std::shared_ptr<ReaderProcess> reader, std::string where, Pipe& answer)
    : reader_(std::move(reader)), where_(std::move(where)), number_(answer.number()) {
    keys_.resize(answer.number());
    for (std::string& key : keys_) key = answer.text();
    for (std::size_t i = 0; i < keys_.size(); ++i)
        kinds_.push_back(static_cast<std::uint8_t>(answer.number()));
}

/// A question about a key of the group.
template <class Read>
auto Group::ask(Op op, const std::string& key, Read read) const {
    return reader_->ask(op, number_, key, fmt::format("{}: key {}", where_, ::loom::quoted(key)), kNothing,
                        read);
}

bool Group::has(const std::string& key) const {
    return std::binary_search(keys_.begin(), keys_.end(), key);
}

Kind Group::kind(const std::string& key) const {
    const auto it = std::lower_bound(keys_.begin(), keys_.end(), key);
    if (it == keys_.end() || *it != key) return Kind::Other;
    const std::uint8_t kind = kinds_[static_cast<std::size_t>(it - keys_.begin())];
    if (kind == kDamagedKind) fail(key, "cannot be opened; the file is damaged");
    return static_cast<Kind>(kind);
}

Group Group::group(const std::string& key, const std::string& where) const {
    if (kind(key) != Kind::Group) fail(has(key) ? "is not a group" : "is missing");
    return reader_->ask(
        Op::OpenGroup, number_, key, where, [&](Pipe& p) { p.put(where); },
        [&](Pipe& p) { return Group(reader_, where, p); });
}

Numbers Group::numbers(const std::string& key) const {
    return ask(Op::ReadNumbers, key, [](Pipe& p) {
        Numbers n;
        n.shape = p.all<std::size_t>();
        n.data = p.all<double>();
        return n;
    });
}

std::vector<std::size_t> Group::shape(const std::string& key) const {
    return ask(Op::ReadShape, key, [](Pipe& p) { return p.all<std::size_t>(); });
}

ReadBlock Group::matrix(const std::string& key) const {
    const std::size_t number = ask(Op::OpenMatrix, key, [](Pipe& p) { return p.number(); });
    const std::string what = fmt::format("{}: key {}", where_, ::loom::quoted(key));
    return [reader = reader_, number, what](std::size_t row, std::size_t rows, std::size_t column,
                                            std::size_t columns, double* out) {
        reader->ask(
            Op::ReadRows, number, "", what,
            [&](Pipe& p) {
                for (const std::size_t n : {row, rows, column, columns}) p.put(n);
            },
            [&](Pipe& p) { p.bytes(out, rows * columns * sizeof(double)); });
    };
}

Texts Group::texts(const std::string& key) const {
    return ask(Op::ReadTexts, key, [](Pipe& p) {
        Texts t;
        t.shape = p.all<std::size_t>();
        t.data.resize(p.number());
        for (std::string& s : t.data) s = p.text();
        return t;
    });
}

std::string Group::text(const std::string& key) const {
    const Texts t = texts(key);
    if (t.data.size() != 1) fail(key, fmt::format("must be one string, has {}", t.data.size()));
    return t.data[0];
}

double Group::attribute(const std::string& name, double fallback) const {
    return reader_->ask(
        Op::ReadAttribute, number_, name, fmt::format("{}: attribute {}", where_, ::loom::quoted(name)),
        [&](Pipe& p) { p.put_bytes(&fallback, sizeof fallback); },
        [](Pipe& p) {
            double value = 0;
            p.bytes(&value, sizeof value);
            return value;
        });
}

void Group::fail(const std::string& problem) const {
    throw InputError(fmt::format("{}: {}: {}", reader_->path(), where_, problem));
}

void Group::fail(const std::string& key, const std::string& problem) const {
    fail(fmt::format("key {} {}", ::loom::quoted(key), problem));
}

Group open(const std::string& path) {
    std::error_code ignored;
    if (std::filesystem::exists(path, ignored) && !std::filesystem::is_regular_file(path, ignored)) {
        throw IoError(fmt::format("{}: cannot be opened: not a regular file", path));
    }
    errno = 0;
    if (!std::ifstream(path, std::ios::binary)) {
        throw IoError(fmt::format("{}: cannot be opened: {}", path, std::strerror(errno)));
    }
    const auto reader = std::make_shared<ReaderProcess>(path);
    const std::string where = "root group";
    return reader->ask(Op::OpenFile, 0, "", where, kNothing,
                       [&](Pipe& p) { return Group(reader, where, p); });
}

}  // namespace loom::hdf5
