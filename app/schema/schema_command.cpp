// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "app/file_kinds.hpp"
#include "app/verb.hpp"

namespace loom::app {
namespace {

struct SchemaOptions {
    std::string kind;
};

std::vector<Option> options(SchemaOptions& o) {
    std::vector<std::string> names;
    for (const FileKind& kind : file_kinds()) names.emplace_back(kind.name);
    return {{"KIND", &o.kind, file_kind_names(), names}};
}

int schema(const SchemaOptions& o) {
    fmt::print("{}", file_kind(o.kind).schema({"spikeloom " + o.kind + " file", true}));
    return 0;
}

}  // namespace

Verb schema_verb() {
    return make_verb<SchemaOptions>("schema", "print the JSON schema of a kind of file", options, schema);
}

}  // namespace loom::app
