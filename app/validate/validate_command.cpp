// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "app/file_kinds.hpp"
#include "app/verb.hpp"

namespace loom::app {
namespace {

struct ValidateOptions {
    std::string file;
    std::vector<std::string> sets;
};

std::vector<Option> options(ValidateOptions& o) {
    return {{"FILE.yaml", &o.file, "file"}, set_option(o.sets)};
}

int validate(const ValidateOptions& o) {
    const FileKind& kind = kind_of_file(o.file);
    kind.validate(o.file, o.sets);
    fmt::print("{}: valid ({} file)\n", o.file, kind.name);
    return 0;
}

}  // namespace

Verb validate_verb() {
    return make_verb<ValidateOptions>("validate", "check a file: " + file_kind_names(), options, validate);
}

}  // namespace loom::app
