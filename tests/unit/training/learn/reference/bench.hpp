// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <gtest/gtest.h>

#include <map>
#include <random>

#include "tests/unit/training/learn/reference/neurons.hpp"
#include "tests/unit/training/learn/reference/surrogates.hpp"
#include "training/learn/layers/add.hpp"
#include "training/learn/layers/conv.hpp"
#include "training/learn/layers/dense.hpp"
#include "training/learn/layers/max_pool.hpp"
#include "training/learn/layers/pool.hpp"
#include "training/learn/network.hpp"
#include "training/learn/norms/batch_norm.hpp"
#include "training/learn/norms/tdbn.hpp"

namespace loom::learn::reference {

/// Random numbers that are the same everywhere.
class Random {
  public:
    explicit Random(unsigned seed) : engine_(seed) {}
    double between(double low, double high) {
        return low + (high - low) * static_cast<double>(engine_()) * 0x1p-32;
    }
    std::size_t of(std::size_t first, std::size_t last) { return first + engine_() % (last - first + 1); }
    bool coin() { return of(0, 1) == 1; }
    void fill(std::span<float> v, double low, double high) {
        for (float& x : v) x = static_cast<float>(between(low, high));
    }

  private:
    std::mt19937 engine_;
};

/// A random network, built twice: of library layers and of scalars on a tape. check() compares outputs and
/// all gradients of a random linear function of the outputs.
class Bench {
  public:
    Bench(unsigned seed, const Shape& input, const TimeRules& rules = {})
        : random(seed), rules_(rules), network(input), sizes{random.of(1, 5), random.of(1, 3)} {
        tape() = {};
        signal.resize(sizes.steps, sizes.batch, input.count());
        random.fill(signal.all(), -0.3, 1);
    }

    std::uint32_t dense(std::vector<std::uint32_t> from, std::size_t inputs, std::size_t outputs,
                        double scale, std::optional<double> leak = {}) {
        auto layer = std::make_unique<Dense>(inputs, outputs, random.coin());
        if (leak) layer->trace_leak = static_cast<float>(*leak);
        const auto p = variables(*layer, -scale / 2, scale);
        return add(std::move(layer), std::move(from), [=, this](const Values& x) {
            return reference::dense(sizes, x, p[0], p.size() > 1 ? p[1] : Weights{}, outputs, leak);
        });
    }
    /// Random windows with stride, dilation and padding of their own along each axis; groups where channels
    /// divide.
    std::uint32_t conv(std::vector<std::uint32_t> from, const Shape& in, std::size_t channels, double scale,
                       bool may_have_bias = true) {
        arch::LinearShape shape = conv_shape(in, channels, {axis(in.height), axis(in.width)});
        for (const std::size_t groups : {2U, 3U, 4U})
            if (in.channels % groups == 0 && channels % groups == 0 && random.coin()) shape.groups = groups;
        auto layer = std::make_unique<Conv>(shape, may_have_bias && random.coin());
        const auto p = variables(*layer, -scale / 2, scale);
        const ConvSizes g{in, layer->out, shape.window, shape.groups};
        return add(std::move(layer), std::move(from), [=, this](const Values& x) {
            return reference::conv(sizes, x, g, p[0], p.size() > 1 ? p[1] : Weights{});
        });
    }
    /// Mean, sum or largest of windows that may overlap.
    std::uint32_t pool(std::uint32_t from, const Shape& in) {
        const std::size_t kind = random.of(0, 2);
        arch::Window window{axis(in.height, false), axis(in.width, false)};
        if (random.coin()) window = arch::square_window(2, 2);
        std::unique_ptr<Layer> layer;
        if (kind == 2)
            layer = std::make_unique<MaxPool>(in, window);
        else
            layer = std::make_unique<AveragePool>(in, window, kind == 0);
        const Shape out = layer->out;
        const double factor = kind == 0 ? 1.0 / static_cast<double>(window.taps()) : 1.0;
        return add(std::move(layer), {from}, [=, this](const Values& x) {
            return reference::pool(sizes, x, in, out, window, kind == 2, factor);
        });
    }
    std::uint32_t flatten(std::uint32_t from, const Shape& in) {
        return add(std::make_unique<Flatten>(in), {from},
                   [=, this](const Values& x) { return reference::flatten(sizes, x, in); });
    }
    std::uint32_t sum_of(std::vector<std::uint32_t> from, const Shape& shape) {
        const std::size_t n = from.size();
        return add(std::make_unique<Add>(shape, n), std::move(from), [](const Values& x) { return x; });
    }
    std::uint32_t norm(std::uint32_t from, const Shape& shape, bool over_time) {
        std::unique_ptr<Norm> layer;
        if (over_time)
            layer = std::make_unique<TdBatchNorm>(shape, 0.7F, 1.5F, NormSpec{.epsilon = 1e-3F});
        else
            layer = std::make_unique<BatchNorm>(shape, NormSpec{.epsilon = 1e-3F});
        const double scale = over_time ? static_cast<double>(0.7F * 1.5F) : 1;
        const auto p = variables(*layer, 0.3, 1.2);
        return add(std::move(layer), {from}, [=, this](const Values& x) {
            return reference::norm(sizes, x, shape.channels, over_time ? sizes.steps : 1, scale,
                                   static_cast<double>(1e-3F), p[0], p[1]);
        });
    }
    std::uint32_t neurons(std::uint32_t from, const Shape& shape, const NeuronSpec& spec,
                          std::optional<Known> surrogate = {}) {
        const auto all = known_surrogates();
        const Known known = surrogate ? *surrogate : all[random.of(0, all.size() - 1)];
        auto layer = make_neurons(shape, spec, known.spec);
        NeuronParameters p;
        const auto v = variables(*layer, -0.5, 0.5);
        for (std::size_t k = 0; k < v.size(); ++k) {
            const std::string& name = layer->parameters()[k].name;
            if (name == "recurrent") p.recurrent = v[k];
            if (name == "leak") p.leak = v[k][0];
            if (name == "window") p.window = v[k][0];
        }
        const std::size_t layer_index = scalars_.size();
        return add(std::move(layer), {from}, [=, this](const Values& x) {
            if (known.spec.kind == "dsr") return rate_neurons(sizes, x, spec.lif);
            Neurons n(spec, p, watched(known), rules_, sizes);
            Values spikes = n.run(x);
            membranes_.emplace(layer_index, n.u);
            return spikes;
        });
    }
    /// False when a membrane lies so near a threshold (or a surrogate's edge) that float32 may decide
    /// otherwise.
    bool check(double bound = 1e-5);

    Random random;

  private:
    /// A window that fits so many inputs.
    arch::WindowAxis axis(std::size_t inputs, bool spread = true) {
        arch::WindowAxis a;
        a.kernel = random.of(1, std::min<std::size_t>(3, inputs));
        a.stride = random.of(1, 2);
        a.before = a.after = random.of(0, a.kernel - 1);
        if (spread && random.coin()) a.dilation = 2;
        if (spread && random.coin()) a.after = random.of(0, a.kernel);  // `same` has another cell there
        while (!a.fits(inputs)) a.dilation = 1, ++a.after;
        return a;
    }
    Derivative watched(const Known& known) {
        return [known](double x) {
            if (known.edge >= 0) tape().margin = std::min(tape().margin, std::abs(std::abs(x) - known.edge));
            return known.h(x);
        };
    }
    std::vector<Weights> variables(Layer& layer, double low, double high) {
        std::vector<Weights> all;
        for (std::size_t p = 0; p < layer.parameters().size(); ++p) {
            std::vector<float> values(layer.parameters()[p].value.size());
            const bool narrow = layer.parameters()[p].name == "window";
            random.fill(values, narrow ? 0.4 : low, narrow ? 0.9 : high);
            layer.import(p, values);
            all.emplace_back();
            for (const float v : layer.exported(p, false)) all.back().emplace_back(static_cast<double>(v));
        }
        parameters_.insert(parameters_.end(), all.begin(), all.end());
        return all;
    }
    std::uint32_t add(std::unique_ptr<Layer> layer, std::vector<std::uint32_t> from,
                      std::function<Values(const Values&)> reference) {
        layer->name = "layer" + std::to_string(scalars_.size());
        scalars_.push_back(std::move(reference));
        return network.add(std::move(layer), std::move(from));
    }
    Values scalar_outputs();
    void compare_outputs(const Values& want);
    void pull_membranes();
    void compare_gradients(double bound);

    TimeRules rules_;
    std::vector<std::function<Values(const Values&)>> scalars_;
    std::vector<Weights> parameters_;
    std::map<std::size_t, Values> membranes_;  ///< by layer

  public:
    Network network;
    Sizes sizes;
    Signal signal;
};

inline Values Bench::scalar_outputs() {
    Values input = zeros(sizes, signal.count());
    each(sizes, [&](std::size_t t, std::size_t b) {
        for (std::size_t i = 0; i < signal.count(); ++i)
            input[t][b][i] = Var(static_cast<double>(signal.at(t, b)[i]));
    });
    std::vector<Values> outputs;
    for (std::size_t k = 0; k < scalars_.size(); ++k) {
        std::vector<Values> sources;
        for (const std::uint32_t s : network.nodes()[k].sources)
            sources.push_back(s == Network::kInput ? input : outputs[s]);
        outputs.push_back(scalars_[k](sum(sizes, sources)));
    }
    return outputs.back();
}

inline void Bench::compare_outputs(const Values& want) {
    const Signal& got = network.output();
    each(sizes, [&](std::size_t t, std::size_t b) {
        for (std::size_t i = 0; i < got.count(); ++i)
            EXPECT_NEAR(static_cast<double>(got.at(t, b)[i]), want[t][b][i].value(), 2e-5)
                << "output " << t << b << i;
    });
}

/// A random linear function of all membranes is part of the loss.
inline void Bench::pull_membranes() {
    for (auto& [k, u] : membranes_) {
        Signal& extra = dynamic_cast<NeuronLayer&>(*network.nodes()[k].layer).extra_gradient;
        extra.resize(sizes.steps, sizes.batch, network.nodes()[k].layer->out.count());
        random.fill(extra.all(), -0.5, 0.5);
        each(sizes, [&, &values = u](std::size_t t, std::size_t b) {
            for (std::size_t i = 0; i < extra.count(); ++i)
                values[t][b][i].grad() += static_cast<double>(extra.at(t, b)[i]);
        });
    }
}

inline void Bench::compare_gradients(double bound) {
    std::size_t k = 0;
    for (auto& [layer, p] : network.parameters()) {
        const Weights& want = parameters_[k++];
        const auto got = layer->exported(p, true);
        ASSERT_EQ(got.size(), want.size());
        double largest = 0.1;  // a surrogate near its edge is a small difference of numbers of size 1
        for (const Var& v : want) largest = std::max(largest, std::abs(v.grad()));
        for (std::size_t i = 0; i < got.size(); ++i)
            EXPECT_NEAR(static_cast<double>(got[i]), want[i].grad(), bound * largest)
                << layer->name << "." << layer->parameters()[p].name << "[" << i << "]";
    }
}

inline bool Bench::check(double bound) {
    const Values want = scalar_outputs();
    if (tape().margin < 1e-5) return false;
    Pass pass;
    pass.steps = sizes.steps, pass.batch = sizes.batch, pass.rules = rules_;
    network.forward(pass, signal);
    compare_outputs(want);
    Signal& grad = network.output_gradient();
    random.fill(grad.all(), -1, 1);
    each(sizes, [&](std::size_t t, std::size_t b) {
        for (std::size_t i = 0; i < grad.count(); ++i)
            want[t][b][i].grad() += static_cast<double>(grad.at(t, b)[i]);
    });
    if (random.coin()) pull_membranes();
    tape().backward();
    network.backward(pass);
    compare_gradients(bound);
    return true;
}

}  // namespace loom::learn::reference
