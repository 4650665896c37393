// SPDX-License-Identifier: Apache-2.0
#include "app/train/train_checkpoint.hpp"

#include <fmt/format.h>

#include "app/train/train_record.hpp"
#include "base/error.hpp"
#include "base/key_error.hpp"
#include "base/hdf5/hdf5_file.hpp"
#include "base/hdf5/hdf5_writer.hpp"
#include "base/sha1.hpp"

namespace loom::app {
namespace {



/// Calls f(name, values) for everything that changes in training: parameters, optimiser, norms.
template <class F>
void each_tensor(learn::Trainer& trainer, F f) {
    std::size_t key = 0;
    for (auto& [layer, p] : trainer.network().parameters()) {
        std::vector<float>& value = layer->parameters()[p].value;
        f(fmt::format("parameters/{}", key), std::span<float>(value));
        std::size_t k = 0;
        for (std::vector<float>* s : trainer.optimiser().state(key, value.size()))
            f(fmt::format("optimiser/{}_{}", key, k++), std::span<float>(*s));
        ++key;
    }
    std::size_t node = 0;
    for (learn::Network::Node& n : trainer.network().nodes()) {
        std::size_t k = 0;
        for (const std::span<float> b : n.layer->buffers()) f(fmt::format("buffers/{}_{}", node, k++), b);
        ++node;
    }
}

/// A digest of everything in a checkpoint, in a fixed order: HDF5 does not notice changed bytes.
class Fingerprint {
  public:
    void add(std::string_view bytes) { digest_ = sha1_hex(digest_.append(bytes)); }
    void add(std::span<const float> v) {
        add(std::string_view(reinterpret_cast<const char*>(v.data()), v.size_bytes()));
    }
    const std::string& text() const { return digest_; }

  private:
    std::string digest_;
};

std::string shown(const config::Node* node) {
    if (node == nullptr || node->is_null()) return "nothing";
    if (node->is_scalar()) return node->scalar;
    if (node->is_sequence()) return fmt::format("a list of {}", node->sequence.size());
    return node->describe();
}

/// The first key whose values differ, with both values.
struct Difference {
    std::string key, values;
};
std::optional<Difference> difference(const config::Node& a, const config::Node& b, const std::string& path) {
    if (config::same_value(a, b)) return std::nullopt;
    const auto below = [&](const std::string& key, const config::Node* x,
                           const config::Node* y) -> std::optional<Difference> {
        const std::string at = path.empty() ? key : path + "." + key;
        if (x != nullptr && y != nullptr) return difference(*x, *y, at);
        return Difference{at, fmt::format("is {} in the checkpoint, now {}", shown(x), shown(y))};
    };
    if (a.is_map() && b.is_map()) {
        for (const auto& e : a.map)
            if (auto d = below(e.key, &e.value, b.find(e.key))) return d;
        for (const auto& e : b.map)
            if (a.find(e.key) == nullptr) return below(e.key, nullptr, &e.value);
    }
    if (a.is_sequence() && b.is_sequence() && a.sequence.size() == b.sequence.size())
        for (std::size_t i = 0; i < a.sequence.size(); ++i)
            if (auto d = below(std::to_string(i), &a.sequence[i], &b.sequence[i])) return d;
    return Difference{path, fmt::format("is {} in the checkpoint, now {}", shown(&a), shown(&b))};
}

void take(const hdf5::Group& group, const std::string& key, std::span<float> into) {
    const hdf5::Numbers n = group.numbers(key);
    if (n.data.size() != into.size()) group.fail(key, "has another size than the network");
    for (std::size_t i = 0; i < into.size(); ++i) into[i] = static_cast<float>(n.data[i]);
}

}  // namespace

config::Node checkpoint_key(config::Node resolved, const std::string& fidelity) {
    config::Node* train = resolved.find("train");
    for (const char* key : {"steps", "epochs", "checkpoint"}) train->erase(key);
    resolved.put("fidelity", config::Node::make_scalar(fidelity));
    return resolved;
}

void save_checkpoint(const std::string& path, const config::Node& key, const TrainState& state,
                     learn::Trainer& trainer) {
    hdf5::write_atomically(path, [&](hdf5::Writer& w) {
        Fingerprint print;
        const std::string configuration = config::emit(key);
        w.text("configuration", configuration);
        Json j = state.to_json();
        j["iteration"] = trainer.iteration();
        j["executed"] = record_to_json(state.executed);
        const std::string text = j.dump();
        w.text("state", text);
        print.add(configuration), print.add(text);
        each_tensor(trainer, [&](const std::string& name, std::span<float> v) {
            w.numbers(name, {v.size()}, std::span<const float>(v));
            print.add(v);
        });
        w.text("fingerprint", print.text());
    });
}

TrainState load_checkpoint(const std::string& path, const config::Node& key, learn::Trainer& trainer) {
    const hdf5::Group root = hdf5::open(path);
    for (const char* name : {"configuration", "state", "parameters", "fingerprint"})
        if (!root.has(name)) root.fail(name, "is missing; this is no checkpoint");
    const config::Node made_with = config::load_text(root.text("configuration"), path);
    if (const auto d = difference(made_with, config::load_text(config::emit(key), path), ""))
        throw KeyError(d->key, d->values + "; --resume continues the same training only (" + path + ")");
    const hdf5::Group groups[] = {root.group("parameters", "parameters"),
                                  root.has("optimiser") ? root.group("optimiser", "optimiser") : root,
                                  root.has("buffers") ? root.group("buffers", "buffers") : root};
    Fingerprint print;
    print.add(root.text("configuration")), print.add(root.text("state"));
    each_tensor(trainer, [&](const std::string& name, std::span<float> v) {
        const std::size_t slash = name.find('/');
        const std::size_t g = name[0] == 'p' ? 0 : name[0] == 'o' ? 1 : 2;
        take(groups[g], name.substr(slash + 1), v);
        print.add(v);
    });
    if (print.text() != root.text("fingerprint"))
        root.fail("fingerprint", "does not match the contents; the checkpoint is damaged");
    trainer.network().updated();
    try {
        const Json j = Json::parse(root.text("state"));
        TrainState state = TrainState::from_json(j);
        state.executed = record_from_json(j.at("executed"));
        trainer.set_iteration(j.at("iteration").get<std::uint64_t>());
        return state;
    } catch (const JsonError&) {
        root.fail("state", "is damaged");
    }
}

}  // namespace loom::app
