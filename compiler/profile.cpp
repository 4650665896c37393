// SPDX-License-Identifier: Apache-2.0
#include "compiler/profile.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>

#include "base/key_error.hpp"
#include "base/nearest.hpp"

namespace loom::compiler {

namespace {
/// "; did you mean 'x'?", or nothing; signs are near to all others.
std::string near_one(const std::string& value, std::initializer_list<const char*> known) {
    const std::string s = suggestion(value, {known.begin(), known.end()});
    return value.size() > 2 && s.starts_with("; did") ? s : "";
}
}  // namespace

Profile preset_profile(const std::string& name) {
    Profile p;
    p.preset = name;
    if (name == "nir-euler" || name == "norse") return p;
    if (name == "snntorch") return p;
    if (name == "snntorch-subtract") {
        p.reset = "subtract_snn";
        return p;
    }
    if (name == "spikingjelly") {
        p.compare = ">=";
        return p;
    }
    if (name == "sinabs") {
        p.method = "jump";
        p.reset = "subtract";
        p.compare = ">=";
        p.multispike = true;
        p.if_dt = 1.0;
        p.clamp = true;
        p.v_min = -1.0;
        return p;
    }
    if (name == "spyx") {
        p.reset = "subtract";
        return p;
    }
    if (name == "lava") return p;
    throw KeyError("profile.preset",
                   fmt::format("unknown preset '{}' (known: nir-euler, snntorch, snntorch-subtract, norse, "
                               "spikingjelly, sinabs, spyx, lava){}",
                               name,
                               near_one(name, {"nir-euler", "snntorch", "snntorch-subtract", "norse",
                                               "spikingjelly", "sinabs", "spyx", "lava"})));
}

namespace {
void one_of(const char* key, const std::string& value, std::initializer_list<const char*> known) {
    if (std::any_of(known.begin(), known.end(), [&](const char* k) { return value == k; })) return;
    std::string list;
    for (const char* k : known) list += (list.empty() ? "" : ", ") + std::string(k);
    throw KeyError(fmt::format("profile.{}", key),
                   fmt::format("'{}' is not one of {}{}", value, list, near_one(value, known)));
}
}  // namespace

void check_profile(const Profile& p) {
    one_of("method", p.method, {"euler", "exp", "jump"});
    one_of("compare", p.compare, {">", ">="});
    one_of("reset", p.reset, {"value", "subtract", "subtract_snn"});
    one_of("cuba", p.cuba, {"seq", "par"});
}

}  // namespace loom::compiler
