// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>

#include "base/described.hpp"

namespace loom::config {

/// For editors: `includes` allows `file:` in every map and `base:` at the root and requires no key,
/// as files may be parts of a whole. Without it the schema is that of a resolved configuration.
struct SchemaOptions {
    std::string title;
    bool includes = false;
};

/// The schema of a described type whose defaults are those of `value`; see json_schema.
std::string schema_of_described(const void* value, const ValueType& type, const SchemaOptions& options);

/// JSON Schema (draft-07) of a described struct; defaults are those of `value`.
template <class T>
std::string json_schema_of(const T& value, const SchemaOptions& options = {}) {
    return schema_of_described(&value, type_of<T>(), options);
}
/// JSON Schema (draft-07) of a described struct; defaults are those of T{}.
template <class T>
std::string json_schema(const SchemaOptions& options = {}) {
    return json_schema_of(T{}, options);
}

}  // namespace loom::config
