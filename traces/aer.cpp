// SPDX-License-Identifier: Apache-2.0
#include "traces/aer.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <string_view>

#include "base/error.hpp"
#include "base/input_file.hpp"
#include "base/nearest.hpp"

namespace loom::traces {
namespace {

struct Cell {
    std::string_view text;
    std::size_t column;  ///< from 1
};

std::vector<Cell> split(std::string_view line) {
    std::vector<Cell> cells;
    std::size_t begin = 0;
    while (true) {
        const std::size_t end = std::min(line.find(',', begin), line.size());
        std::size_t a = begin, b = end;
        while (a < b && (line[a] == ' ' || line[a] == '\t')) ++a;
        while (b > a && (line[b - 1] == ' ' || line[b - 1] == '\t' || line[b - 1] == '\r')) --b;
        cells.push_back({line.substr(a, b - a), a + 1});
        if (end == line.size()) return cells;
        begin = end + 1;
    }
}

}  // namespace

std::vector<AerEvent> read_aer(const std::string& path) {
    const std::vector<std::uint8_t> bytes = input_bytes(path);
    std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);  // byte order mark
    const std::vector<std::string> known{"sample", "step", "address", "value"};
    std::vector<std::size_t> columns;
    std::vector<AerEvent> events;
    std::size_t number = 0;
    const auto fail = [&](std::size_t column, const std::string& what) {
        throw InputError(fmt::format("{}:{}:{}: {}", path, number, column, what));
    };
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = std::min(text.find('\n', at), text.size());
        std::string_view line = text.substr(at, end - at);
        at = end + 1;
        ++number;
        line = line.substr(0, line.find('#'));
        if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
        const std::vector<Cell> cells = split(line);
        if (columns.empty()) {
            bool step = false, address = false;
            for (const Cell& c : cells) {
                std::size_t k = 0;
                while (k < known.size() && known[k] != c.text) ++k;
                if (k == known.size())
                    fail(c.column, "unknown column " + quoted(c.text) + suggestion(c.text, known));
                columns.push_back(k);
                step |= k == 1;
                address |= k == 2;
            }
            if (!step || !address) fail(1, "expected a header line with the columns step and address");
            continue;
        }
        if (cells.size() != columns.size()) {
            fail(1, fmt::format("{} fields, the header has {}", cells.size(), columns.size()));
        }
        AerEvent e;
        for (std::size_t i = 0; i < cells.size(); ++i) {
            const Cell& c = cells[i];
            const char* last = c.text.data() + c.text.size();
            if (columns[i] == 3) {
                const auto r = std::from_chars(c.text.data(), last, e.value);
                if (r.ec != std::errc() || r.ptr != last || !std::isfinite(e.value)) {
                    fail(c.column, "expected a number, got " + quoted(c.text));
                }
                continue;
            }
            std::uint64_t& field = columns[i] == 0 ? e.sample : columns[i] == 1 ? e.step : e.address;
            const auto r = std::from_chars(c.text.data(), last, field);
            if (r.ec != std::errc() || r.ptr != last) {
                fail(c.column, "expected a whole number from 0 on, got " + quoted(c.text));
            }
        }
        events.push_back(e);
    }
    if (columns.empty()) {
        number = 1;
        fail(1, "expected a header line with the columns step and address");
    }
    return events;
}

}  // namespace loom::traces
