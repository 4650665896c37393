// SPDX-License-Identifier: Apache-2.0
#include "sim/app/train_dump.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "sim/base/error.hpp"
#include "sim/hdf5/hdf5_writer.hpp"
#include "sim/learn/layers/dense.hpp"

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

/// Shape of a parameter in files: matrices and kernels keep their axes.
Shape3 file_shape(const learn::Layer& layer, const learn::Parameter& p) {
    const auto* linear = dynamic_cast<const learn::LinearLayer*>(&layer);
    if (p.name == "recurrent") return {layer.out.count(), layer.out.count()};
    if (linear == nullptr || p.name != "weight") return {p.value.size()};
    const arch::LinearShape s = linear->linear_shape();
    if (dynamic_cast<const learn::Dense*>(linear) != nullptr) return {s.out_c, s.in_c};
    return {s.out_c, s.in_c, s.kernel_h, s.kernel_w};
}

void put_parameters(hdf5::Writer& w, const std::string& group, learn::Layer& layer, bool gradients,
                    bool weights) {
    for (std::size_t p = 0; p < layer.parameters().size(); ++p) {
        const learn::Parameter& parameter = layer.parameters()[p];
        const Shape3 shape = file_shape(layer, parameter);
        const auto put = [&](const std::string& name, bool gradient) {
            w.numbers(group + "/" + name, shape, std::span<const float>(layer.exported(p, gradient)), true);
        };
        if (gradients) put("grad_" + parameter.name, true);
        if (weights) put(parameter.name, false);
    }
}

}  // namespace

void dump_step(const std::string& path, std::uint64_t step, const std::vector<Dump>& what,
               learn::Network& network) {
    const auto has = [&](Dump d) { return std::ranges::find(what, d) != what.end(); };
    hdf5::write_atomically(path, [&](hdf5::Writer& w) {
        for (learn::Network::Node& node : network.nodes()) {
            learn::Layer& layer = *node.layer;
            const std::string group = "step" + std::to_string(step) + "/" + hdf5::member_name(layer.name);
            put_parameters(w, group, layer, has(Dump::Gradients), has(Dump::Weights));
            const auto* neurons = dynamic_cast<const learn::NeuronLayer*>(&layer);
            if (neurons == nullptr) continue;
            if (has(Dump::Spikes)) put_spikes(w, group + "/spikes", node.out, layer.out, neurons->fires());
            if (has(Dump::Membranes)) put_signal(w, group + "/membrane", neurons->membranes(), layer.out);
            if (has(Dump::Gradients))
                put_signal(w, group + "/grad_membrane", neurons->membrane_gradients(), layer.out);
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
