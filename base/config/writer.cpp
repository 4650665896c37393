// SPDX-License-Identifier: Apache-2.0
#include "base/config/writer.hpp"

#include <string>
#include <utility>

#include "base/config/quantity.hpp"

namespace loom::config {
namespace {

/// Descriptions take the members of a T&; this visitor only reads them.
class WriteVisitor final : public FieldVisitor {
  public:
    Node node = Node::make_map();

  protected:
    void member(std::string_view name, void* value, const ValueType& type, const Field& field) override {
        node.put(std::string(name), write_described(value, type, field));
    }
    /// Lists that most configurations do without: an empty one is left out.
    void list(std::string_view name, void* value, const ValueType& type, const void*,
              const Field& field) override {
        bool empty = true;
        type.each(value, [&](const std::string&, void*) { empty = false; });
        if (!empty) member(name, value, type, field);
    }
    void section(std::string_view name, void* value, const ValueType& type, const Field& field) override {
        if (void* content = type.content(value)) member(name, content, *type.item, field);
    }
};

std::string whole_number(const void* value, const ValueType& type, const Field& field) {
    const std::uint64_t bits = type.get(value);
    const bool is_signed = type.kind == ValueType::Kind::Signed;
    if (field.unit == Unit::None)
        return is_signed ? std::to_string(static_cast<std::int64_t>(bits)) : std::to_string(bits);
    return format_quantity(is_signed ? static_cast<double>(static_cast<std::int64_t>(bits)) : static_cast<double>(bits),
                           field.unit);
}

}  // namespace

Node write_described(const void* value, const ValueType& type, const Field& field) {
    using Kind = ValueType::Kind;
    void* object = const_cast<void*>(value);  // the tables take what they may change; nothing here changes it
    switch (type.kind) {
        case Kind::Bool: return Node::make_scalar(*static_cast<const bool*>(value) ? "true" : "false");
        case Kind::String: return Node::make_scalar(*static_cast<const std::string*>(value), true);
        case Kind::Double: return Node::make_scalar(format_quantity(*static_cast<const double*>(value), field.unit));
        case Kind::Price: return Node::make_scalar(format_price(*static_cast<const EnergyPrice*>(value)));
        case Kind::Unsigned:
        case Kind::Signed: return Node::make_scalar(whole_number(value, type, field));
        case Kind::Enum: return Node::make_scalar(std::string(type.names()[type.get(value)]));
        case Kind::Optional: {
            const void* content = type.content(object);
            return content != nullptr ? write_described(content, *type.item, field) : Node::make_null();
        }
        case Kind::Vector: {
            Node node = Node::make_sequence();
            type.each(object, [&](const std::string&, void* item) {
                node.sequence.push_back(write_described(item, *type.item, field));
            });
            return node;
        }
        case Kind::ShortList: {
            Node node = write_described(type.content(object), *type.item, field);
            return node.sequence.size() == 1 ? Node(node.sequence[0]) : node;
        }
        case Kind::Map: {
            Node node = Node::make_map();
            type.each(object, [&](const std::string& key, void* item) {
                node.put(key, write_described(item, *type.item, field));
            });
            return node;
        }
        case Kind::Struct: break;
    }
    WriteVisitor visitor;
    type.fields(visitor, object);
    return std::move(visitor.node);
}

}  // namespace loom::config
