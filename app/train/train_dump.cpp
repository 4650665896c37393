// SPDX-License-Identifier: Apache-2.0
#include "app/train/train_dump.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "base/error.hpp"
#include "base/hdf5/hdf5_writer.hpp"
#include "training/learn/layers/dense.hpp"

namespace loom::app {
namespace {

using Shape3 = hdf5::Writer::Shape;

/// f(value) of every element, channel first.
template <class T, class F>
std::vector<T> channel_first(const learn::Signal& s, const learn::Shape& shape, F f) {
    const std::size_t n = s.count();
    std::vector<T> out(s.all().size());
    for (std::size_t row = 0; row * n < out.size(); ++row)
        for (std::size_t i = 0; i < n; ++i) out[row * n + shape.channel_first(i)] = f(s.all()[row * n + i]);
    return out;
}

void put_signal(hdf5::Writer& w, const std::string& path, const learn::Signal& s, const learn::Shape& shape) {
    w.numbers(path, {s.steps(), s.batch(), s.count()},
              std::span<const float>(channel_first<float>(s, shape, [](float v) { return v; })), true);
}

/// Integrators have none: all zero.
void put_spikes(hdf5::Writer& w, const std::string& path, const learn::Signal& s, const learn::Shape& shape,
                bool fires) {
    const auto bits = channel_first<std::uint8_t>(
        s, shape, [&](float v) { return static_cast<std::uint8_t>(fires && v != 0); });
    w.numbers(path, {s.steps(), s.batch(), s.count()}, std::span<const std::uint8_t>(bits), true);
}

/// Everything of one step.
struct Dumper {
    hdf5::Writer& w;
    const std::vector<Dump>& what;
    const learn::SignalRecorder* recorded;

    bool has(Dump d) const { return std::ranges::find(what, d) != what.end(); }

    void parameters(const std::string& group, learn::Layer& layer, std::size_t node) const {
        for (std::size_t p = 0; p < layer.parameters().size(); ++p) {
            learn::Parameter& parameter = layer.parameters()[p];
            const std::vector<std::size_t> axes = layer.file_shape(p);
            const Shape3 shape(axes.begin(), axes.end());
            const auto put = [&](const std::string& name, bool gradient) {
                w.numbers(group + "/" + name, shape, std::span<const float>(layer.exported(p, gradient)),
                          true);
            };
            if (has(Dump::Gradients)) {
                // Optimisers that ran at every timestep have used up the layer's own.
                const auto sum = recorded != nullptr ? recorded->gradient(node, p) : std::span<const float>{};
                std::ranges::copy(sum, parameter.grad.begin());
                put("grad_" + parameter.name, true);
            }
            if (has(Dump::Weights)) put(parameter.name, false);
        }
    }
    void neurons(const std::string& group, const learn::NeuronLayer& layer, const learn::Signal& spikes,
                 const learn::Signal& membranes, const learn::Signal& gradients) const {
        if (has(Dump::Spikes)) put_spikes(w, group + "/spikes", spikes, layer.out, layer.fires());
        if (has(Dump::Membranes)) put_signal(w, group + "/membrane", membranes, layer.out);
        if (has(Dump::Gradients)) put_signal(w, group + "/grad_membrane", gradients, layer.out);
    }
};

}  // namespace

void dump_step(const std::string& path, std::uint64_t step, const std::vector<Dump>& what,
               learn::Network& network, const learn::SignalRecorder* recorded) {
    hdf5::write_atomically(path, [&](hdf5::Writer& w) {
        const Dumper dumper{w, what, recorded};
        for (std::size_t i = 0; i < network.nodes().size(); ++i) {
            learn::Network::Node& node = network.nodes()[i];
            const std::string group =
                "step" + std::to_string(step) + "/" + hdf5::member_name(node.layer->name);
            dumper.parameters(group, *node.layer, i);
            const auto* neurons = dynamic_cast<const learn::NeuronLayer*>(node.layer.get());
            if (neurons == nullptr) continue;
            if (recorded != nullptr)
                dumper.neurons(group, *neurons, recorded->spikes(i), recorded->membranes(i),
                               recorded->membrane_gradients(i));
            else
                dumper.neurons(group, *neurons, node.out, neurons->membranes(),
                               neurons->membrane_gradients());
        }
    });
}

namespace {

/// Throws IoError unless a file of so many bytes has room. HDF5 does not survive a disk that becomes full
/// while it copies.
void check_room(const std::string& path, std::uint64_t bytes) {
    const int file = ::open(path.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0666);
    if (file < 0) throw IoError(path + ": cannot be written: " + std::strerror(errno));
    const int error = bytes != 0 && ::fallocate(file, 0, 0, static_cast<off_t>(bytes)) != 0 ? errno : 0;
    ::close(file);
    ::unlink(path.c_str());
    if (error != 0 && error != EOPNOTSUPP)
        throw IoError(fmt::format("{}: cannot be written: {} ({} bytes)", path, std::strerror(error), bytes));
}

}  // namespace

void join_dumps(const std::vector<std::string>& parts, const std::string& path) {
    std::uint64_t bytes = 0;
    for (const std::string& part : parts) {
        std::error_code none;
        const auto size = std::filesystem::file_size(part, none);
        bytes += none ? 0 : size;
    }
    check_room(path, bytes);
    hdf5::Writer w(path);
    for (const std::string& part : parts) w.copy_all(part);
    w.close();
}

}  // namespace loom::app
