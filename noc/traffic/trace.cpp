// SPDX-License-Identifier: Apache-2.0
#include "noc/traffic/trace.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <sstream>
#include <string_view>

#include "base/error.hpp"
#include "base/input_file.hpp"
#include "base/nearest.hpp"

namespace loom::noc {
namespace {

std::vector<std::string_view> split(std::string_view text, char by) {
    std::vector<std::string_view> out;
    while (true) {
        const auto at = text.find(by);
        std::string_view word = text.substr(0, at);
        while (!word.empty() && (word.front() == ' ' || word.front() == '\t')) word.remove_prefix(1);
        while (!word.empty() && (word.back() == ' ' || word.back() == '\t' || word.back() == '\r'))
            word.remove_suffix(1);
        out.push_back(word);
        if (at == std::string_view::npos) return out;
        text.remove_prefix(at + 1);
    }
}

class Reader {
  public:
    Reader(const std::string& path, std::uint32_t n, std::uint64_t classes)
        : path_(path), n_(n), classes_(classes) {}

    std::vector<TracePacket> read() {
        const std::vector<std::uint8_t> bytes = input_bytes(path_);
        std::istringstream in(std::string(bytes.begin(), bytes.end()));
        std::vector<TracePacket> out;
        for (std::string line; std::getline(in, line);) {
            ++line_;
            if (line_ == 1 && line.starts_with("\xef\xbb\xbf")) line.erase(0, 3);  // byte order mark
            if (line.empty() || line[0] == '#') continue;
            const auto words = split(line, ',');
            if (columns_.empty()) {
                header(words);
            } else {
                out.push_back(packet(words));
            }
        }
        if (columns_.empty()) fail("is empty; expected a header: cycle,source,destination[,flits][,class]");
        std::stable_sort(out.begin(), out.end(),
                         [](const auto& a, const auto& b) { return a.cycle < b.cycle; });
        return out;
    }

  private:
    [[noreturn]] void fail(const std::string& what) const {
        throw InputError(fmt::format("{}:{}: {}", path_, std::max<std::size_t>(line_, 1), what));
    }

    void header(const std::vector<std::string_view>& words) {
        const std::vector<std::string> known{"cycle", "source", "destination", "flits", "class"};
        for (const auto w : words) {
            if (std::find(known.begin(), known.end(), w) == known.end())
                fail(fmt::format("unknown column {}{}", quoted(std::string(w)), suggestion(w, known)));
            if (std::find(columns_.begin(), columns_.end(), w) != columns_.end())
                fail(fmt::format("column {} is there twice", quoted(std::string(w))));
            columns_.emplace_back(w);
        }
        for (std::size_t i = 0; i < 3; ++i) {
            if (std::find(columns_.begin(), columns_.end(), known[i]) == columns_.end())
                fail(fmt::format("column '{}' is missing", known[i]));
        }
    }

    std::uint64_t number(const char* what, std::string_view w, std::uint64_t most) const {
        std::uint64_t v = 0;
        const auto [end, error] = std::from_chars(w.data(), w.data() + w.size(), v);
        if (error != std::errc{} || end != w.data() + w.size() || v > most)
            fail(fmt::format("{} {} is no whole number in 0..{}", what, quoted(std::string(w)), most));
        return v;
    }

    TracePacket packet(const std::vector<std::string_view>& words) const {
        if (words.size() != columns_.size())
            fail(fmt::format("{} values, expected {}", words.size(), columns_.size()));
        TracePacket p;
        for (std::size_t i = 0; i < words.size(); ++i) {
            if (columns_[i] == "cycle") {
                p.cycle = number("cycle", words[i], std::uint64_t{1} << 48);
            } else if (columns_[i] == "source") {
                p.source = static_cast<std::uint32_t>(number("source", words[i], n_ - 1));
            } else if (columns_[i] == "flits") {
                p.flits = static_cast<std::uint16_t>(number("flits", words[i], 1024));
                if (p.flits == 0) fail("a packet has 1 flit or more");
            } else if (columns_[i] == "class") {
                p.message_class = static_cast<std::uint8_t>(number("class", words[i], classes_ - 1));
            } else {
                for (const auto d : split(words[i], ';'))
                    p.destinations.push_back(static_cast<std::uint32_t>(number("destination", d, n_ - 1)));
                // each of a set once
                std::sort(p.destinations.begin(), p.destinations.end());
                p.destinations.erase(std::unique(p.destinations.begin(), p.destinations.end()),
                                     p.destinations.end());
            }
        }
        return p;
    }

    std::string path_;
    std::uint32_t n_;
    std::uint64_t classes_;
    std::size_t line_ = 0;
    std::vector<std::string> columns_;
};

}  // namespace

std::vector<TracePacket> read_trace(const std::string& path, std::uint32_t n_endpoints,
                                    std::uint64_t n_classes) {
    return Reader(path, n_endpoints, n_classes).read();
}

}  // namespace loom::noc
