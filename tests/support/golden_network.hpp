// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <optional>
#include <string>
#include <utility>

#include "traces/npy.hpp"
#include "training/learn/layers/conv.hpp"
#include "training/learn/layers/dense.hpp"
#include "training/learn/layers/pool.hpp"
#include "training/learn/neurons/lif.hpp"
#include "training/learn/pulse_update.hpp"
#include "training/learn/trainer.hpp"

namespace loom::learn {

/// The networks of tests/golden/bptt with their initial weights: 64-128-10, or 3x3 convolution, pooling,
/// 128-10.
struct GoldenNetwork {
    bool conv = false;
    SurrogateSpec surrogate;
    Reset reset = Reset::Value;
    bool detach = true;
    OptimiserSpec optimiser;
    std::string algorithm = "bptt";
    std::optional<PulseSpec> pulses = std::nullopt;  ///< weights in cells that train in place

    static std::string folder() { return LOOM_SOURCE_DIR "/tests/golden/bptt/"; }

    std::unique_ptr<Trainer> make() const {
        const std::shared_ptr<const Surrogate> h = make_surrogate(surrogate);
        LifSpec lif;
        lif.reset = reset;
        auto network = std::make_unique<Network>(conv ? Shape{8, 8, 1} : Shape{1, 1, 64});
        std::uint32_t at = Network::kInput;
        const auto add = [&](std::unique_ptr<Layer> layer, const char* name) {
            layer->name = name;
            at = network->add(std::move(layer), {at});
        };
        if (conv) {
            add(std::make_unique<Conv>(learn::conv_shape({8, 8, 1}, 8, arch::square_window(3, 1, 1)), false),
                "w1");
            add(std::make_unique<Lif>(Shape{8, 8, 8}, lif, h), "lif1");
            add(std::make_unique<AveragePool>(Shape{8, 8, 8}, arch::square_window(2, 2), true), "pool");
            add(std::make_unique<Flatten>(Shape{4, 4, 8}), "flatten");
        } else {
            add(std::make_unique<Dense>(64, 128, false), "w1");
            add(std::make_unique<Lif>(Shape{1, 1, 128}, lif, h), "lif1");
        }
        add(std::make_unique<Dense>(128, 10, false), "w2");
        add(std::make_unique<Lif>(Shape{1, 1, 10}, lif, h), "lif2");
        // The initial weights of a network are the same in all its files.
        const std::string file = folder() + (conv ? "conv" : "mlp") + "_sigmoid_hard_detach.npz";
        for (const char* name : {"w1", "w2"}) {
            const traces::Array a = traces::read_npz(file, std::string(name) + "_init");
            std::vector<float> values(a.size());
            for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(a.at(i));
            network->find(name)->layer->import(0, values);
        }
        std::unique_ptr<Optimiser> update = make_optimiser(optimiser);
        if (pulses) {
            auto in_cells = std::make_unique<PulseUpdate>(std::move(update), *pulses);
            in_cells->program(*network);
            update = std::move(in_cells);
        }
        return std::make_unique<Trainer>(
            std::move(network), make_loss("mse_rate"), std::move(update),
            make_schedule({.algorithm = algorithm, .detach_reset = detach, .online = false}));
    }

    /// Minibatch k of 32 training images, the same at all 8 timesteps.
    static std::pair<Signal, std::vector<std::int64_t>> minibatch(std::size_t k) {
        static const traces::Array x = traces::read_npz(folder() + "digits_split.npz", "x_train");
        static const traces::Array y = traces::read_npz(folder() + "digits_split.npz", "y_train");
        std::pair<Signal, std::vector<std::int64_t>> batch{Signal(8, 32, 64), {}};
        batch.first.constant = true;
        for (std::size_t b = 0; b < 32; ++b) {
            batch.second.push_back(static_cast<std::int64_t>(y.at(32 * k + b)));
            for (std::size_t t = 0; t < 8; ++t)
                for (std::size_t i = 0; i < 64; ++i)
                    batch.first.at(t, b)[i] = static_cast<float>(x.at((32 * k + b) * 64 + i));
        }
        return batch;
    }

    /// Of the 360 test images.
    static std::size_t test_correct(Trainer& trainer) {
        const traces::Array x = traces::read_npz(folder() + "digits_split.npz", "x_test");
        const traces::Array y = traces::read_npz(folder() + "digits_split.npz", "y_test");
        Signal in(8, y.size(), 64);
        in.constant = true;
        std::vector<std::int64_t> labels(y.size());
        for (std::size_t b = 0; b < y.size(); ++b) {
            labels[b] = static_cast<std::int64_t>(y.at(b));
            for (std::size_t t = 0; t < 8; ++t)
                for (std::size_t i = 0; i < 64; ++i) in.at(t, b)[i] = static_cast<float>(x.at(b * 64 + i));
        }
        return trainer.evaluate(in, labels).correct;
    }
};

}  // namespace loom::learn
