// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <fstream>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

namespace loom::train_estimate {

using Row = std::map<std::string, std::string>;  ///< column -> text

inline std::vector<std::string> cells_of(const std::string& line) {
    std::vector<std::string> cells(1);
    bool quoted = false;
    for (const char c : line) {
        if (c == '"') quoted = !quoted;
        if (c == ',' && !quoted) cells.emplace_back();
        if (c != '"' && c != '\r' && (c != ',' || quoted)) cells.back() += c;
    }
    return cells;
}

/// A table of tests/golden/sata. Throws when it cannot be read.
inline std::vector<Row> read_table(const std::string& name) {
    std::ifstream in(std::string(LOOM_SOURCE_DIR) + "/tests/golden/sata/" + name);
    std::string line;
    if (!std::getline(in, line)) throw std::runtime_error("cannot read " + name);
    const std::vector<std::string> head = cells_of(line);
    std::vector<Row> rows;
    while (std::getline(in, line)) {
        const std::vector<std::string> cells = cells_of(line);
        for (std::size_t i = 0; i < head.size(); ++i) {
            if (i == 0) rows.emplace_back();
            rows.back()[head[i]] = cells.at(i);
        }
    }
    return rows;
}

inline double number(const Row& row, const std::string& column) {
    return std::stod(row.at(column));
}

}  // namespace loom::train_estimate
