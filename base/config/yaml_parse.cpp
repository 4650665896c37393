// SPDX-License-Identifier: Apache-2.0
// The only file that sees yaml-cpp: its events become Nodes.
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <sstream>
#include <utility>

#include <fmt/format.h>

#include "base/config/located_yaml.hpp"
#include "base/error.hpp"

namespace loom::config {
namespace {

constexpr std::size_t max_nodes = 1'000'000;  // stops aliases that multiply

/// A tab that indents line `line` (from 0) or the one before it, which is why it cannot be read.
std::optional<Location> indenting_tab(std::string_view text, const std::string& name, int line) {
    std::optional<Location> found;
    for (int n = 0; n <= line && !text.empty(); ++n) {
        const std::string_view row = text.substr(0, text.find('\n'));
        const std::size_t tab = row.find('\t');
        if (n + 1 >= line && tab != std::string_view::npos && row.find_first_not_of(" \t") > tab)
            found = Location{name, n + 1, static_cast<int>(tab) + 1};
        text.remove_prefix(std::min(row.size() + 1, text.size()));
    }
    return found;
}

class Builder : public YAML::EventHandler {
  public:
    Builder(std::string name, std::string_view text) : name_(std::move(name)), text_(text) {}

    Node take() { return std::move(root_); }

    void OnDocumentStart(const YAML::Mark& mark) override {
        if (++documents_ > 1) fail(place(mark), "a second document in one file");
    }
    void OnDocumentEnd() override {}
    void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        Node node;
        node.at = place(mark);
        if (expects_key()) fail(node.at, "a key must be a scalar");
        add(std::move(node), anchor);
    }
    void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        const auto found = anchors_.find(anchor);
        if (expects_key()) fail(place(mark), "a key must be a scalar");
        if (found == anchors_.end()) fail(place(mark), "an alias inside its own anchor");
        nodes_ += count_nodes(found->second);
        if (nodes_ > max_nodes) fail(place(mark), "aliases make the file too large");
        add(found->second, 0);
    }
    void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  const std::string& value) override {
        const Location at = place(mark);
        check_quotes(mark);
        const bool is_string = tag == "!" || tag == "tag:yaml.org,2002:str";
        if (!is_string && !tag.empty() && tag != "?") {
            fail(at, fmt::format("tags are not supported (got '{}')", tag));
        }
        if (expects_key()) {
            Frame& frame = stack_.back();
            if (const auto first = frame.keys.find(value); first != frame.keys.end()) {
                fail(at, fmt::format("duplicate key '{}' (first at line {})", value, first->second));
            }
            frame.keys.emplace(value, at.line);
            frame.key = value;
            frame.key_at = at;
            return;
        }
        Node node = Node::make_scalar(value, is_string);
        node.at = at;
        add(std::move(node), anchor);
    }
    void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                         YAML::EmitterStyle::value) override {
        start(mark, tag, anchor, Node::make_sequence());
    }
    void OnSequenceEnd() override { finish(); }
    void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                    YAML::EmitterStyle::value) override {
        start(mark, tag, anchor, Node::make_map());
    }
    void OnMapEnd() override { finish(); }

  private:
    struct Frame {
        Node node;
        YAML::anchor_t anchor = 0;
        std::optional<std::string> key{};
        Location key_at{};
        std::map<std::string, int> keys{};
    };

    [[noreturn]] static void fail(const Location& at, const std::string& problem) {
        throw ConfigError(at.text() + ": " + problem);
    }
    Location place(const YAML::Mark& mark) const { return {name_, mark.line + 1, mark.column + 1}; }
    /// yaml-cpp takes the end of the file for a closing quote.
    void check_quotes(const YAML::Mark& mark) const {
        std::size_t i = static_cast<std::size_t>(mark.pos);
        if (i >= text_.size() || (text_[i] != '"' && text_[i] != '\'')) return;
        const char quote = text_[i];
        for (++i; i < text_.size(); ++i) {
            if (quote == '"' && text_[i] == '\\') {
                ++i;
            } else if (text_[i] == quote) {
                if (quote == '"' || i + 1 >= text_.size() || text_[i + 1] != quote) return;
                ++i;  // '' inside single quotes
            }
        }
        fail(place(mark), "quote is not closed");
    }
    bool expects_key() const { return !stack_.empty() && stack_.back().node.is_map() && !stack_.back().key; }
    void start(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, Node node) {
        node.at = place(mark);
        // yaml-cpp also takes a bracket that is never closed for a key.
        if (expects_key()) fail(node.at, "a key must be a scalar; is a bracket not closed?");
        if (!tag.empty() && tag != "?" && tag != "!") {
            fail(node.at, fmt::format("tags are not supported (got '{}')", tag));
        }
        stack_.push_back(Frame{.node = std::move(node), .anchor = anchor});
    }
    void finish() {
        Frame frame = std::move(stack_.back());
        stack_.pop_back();
        add(std::move(frame.node), frame.anchor);
    }
    void add(Node node, YAML::anchor_t anchor) {
        ++nodes_;
        if (anchor != 0) anchors_[anchor] = node;
        if (stack_.empty()) {
            root_ = std::move(node);
            return;
        }
        Frame& frame = stack_.back();
        if (frame.node.is_map()) {
            frame.node.map.push_back({std::move(*frame.key), frame.key_at, std::move(node)});
            frame.key.reset();
        } else {
            frame.node.sequence.push_back(std::move(node));
        }
    }

    std::string name_;
    std::string_view text_;
    Node root_;
    std::vector<Frame> stack_;
    std::map<YAML::anchor_t, Node> anchors_;
    std::size_t nodes_ = 0;
    int documents_ = 0;
};

}  // namespace

std::size_t count_nodes(const Node& node) {
    std::size_t n = 1;
    for (const auto& entry : node.map) n += count_nodes(entry.value);
    for (const auto& item : node.sequence) n += count_nodes(item);
    return n;
}

Node load_text(std::string_view text, const std::string& name) {
    if (text.starts_with("\xef\xbb\xbf"))
        text.remove_prefix(3);  // byte order mark, which yaml-cpp does not count
    std::istringstream stream{std::string(text)};
    Builder builder(name, text);
    try {
        YAML::Parser parser(stream);
        while (parser.HandleNextDocument(builder)) {
        }
    } catch (const YAML::Exception& e) {
        if (const auto tab = indenting_tab(text, name, e.mark.line))
            throw ConfigError(tab->text() + ": indented with a tab; YAML is indented with spaces");
        const Location at{name, e.mark.line + 1, e.mark.column + 1};
        throw ConfigError(at.text() + ": " + e.msg);
    }
    Node root = builder.take();
    if (root.at.file.empty()) root.at = {name, 1, 1};
    return root;
}

Node load(const std::string& path) {
    std::error_code ignored;
    if (std::filesystem::is_directory(path, ignored)) {
        throw IoError(fmt::format("{}: is a folder, not a YAML file", path));
    }
    if (std::filesystem::is_character_file(path, ignored) || std::filesystem::is_block_file(path, ignored))
        throw IoError(fmt::format("{}: is a device, not a YAML file", path));
    std::ifstream file(path, std::ios::binary);
    if (!file) throw IoError(fmt::format("{}: cannot open file", path));
    std::ostringstream text;
    text << file.rdbuf();
    if (file.bad() || text.bad()) throw IoError(fmt::format("{}: cannot read file", path));
    return load_text(text.str(), path);
}

}  // namespace loom::config
