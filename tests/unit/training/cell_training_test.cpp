// SPDX-License-Identifier: Apache-2.0
// A network that trains through the converters of its cells.
#include <gtest/gtest.h>

#include "tests/support/core_kinds.hpp"
#include "tests/unit/training/cim_chips.hpp"
#include "training/learn/layers/conv.hpp"
#include "training/learn/layers/pool.hpp"
#include "training/learn/neurons/lif.hpp"
#include "training/learn/work_recorder.hpp"
#include "training/many_core/cell_arithmetic.hpp"
#include "training/many_core/cim_arithmetic.hpp"
#include "training/many_core/make_many_core.hpp"

namespace loom::training {
namespace {

/// With steps that are pulses.
learn::GoldenNetwork golden_in(const arch::CimCoreSpec& spec) {
    learn::GoldenNetwork golden;
    golden.surrogate = {"triangle", {}, 1};
    golden.optimiser.kind = "adam", golden.optimiser.lr = 1e-2;
    golden.pulses = learn::pulse_spec(spec, spec.training, 1);
    return golden;
}

/// The golden mlp in cells, read through noisy converters.
class Trained {
  public:
    explicit Trained(const arch::CimCoreSpec& spec) {
        trainer_ = golden_in(spec).make();
        read_through_converters(trainer_->network(), cells(), spec, {}, 1);
    }
    learn::Trainer& trainer() { return *trainer_; }
    learn::PulseUpdate& cells() { return dynamic_cast<learn::PulseUpdate&>(trainer_->optimiser()); }
    void steps(std::size_t from, std::size_t to, StepExecutor* engine = nullptr) {
        for (std::size_t k = from; k < to; ++k) {
            const auto [x, y] = learn::GoldenNetwork::minibatch(k);
            trainer_->step(x, y);
            if (engine != nullptr) engine->execute(learn::collect_work(*trainer_));
        }
    }
    std::vector<std::vector<float>> weights() {
        std::vector<std::vector<float>> all;
        for (auto& [layer, p] : trainer_->network().parameters()) all.push_back(layer->parameters()[p].value);
        return all;
    }
    void take_state(Trained& from) {
        std::size_t key = 0;
        for (auto& [layer, p] : trainer_->network().parameters()) {
            std::vector<float>& to = layer->parameters()[p].value;
            to = from.trainer().network().parameters()[key].first->parameters()[p].value;
            const auto old_state = from.trainer().optimiser().state(key, to.size());
            const auto new_state = trainer_->optimiser().state(key, to.size());
            for (std::size_t s = 0; s < old_state.size(); ++s) *new_state[s] = *old_state[s];
            ++key;
        }
        trainer_->network().updated();
        trainer_->set_iteration(from.trainer().iteration());
    }

  private:
    std::unique_ptr<learn::Trainer> trainer_;
};

arch::ChipSpec noisy_chip() {
    arch::ChipSpec chip = cim_mesh(2);
    support::cim_of(chip.core).device.read_noise = 0.02;
    support::cim_of(chip.core).device.p_sa0 = support::cim_of(chip.core).device.p_sa1 = 0.002;
    support::cim_of(chip.core).write.sigma_c2c = 0.03;
    return chip;
}

TEST(CellTraining, ResumesWithTheSameBitsAndTheSameWear) {
    const arch::ChipSpec chip = noisy_chip();
    Trained whole(support::cim_of(chip.core)), first(support::cim_of(chip.core)),
        second(support::cim_of(chip.core)), timed(support::cim_of(chip.core));
    const auto e_whole = make_cim_training_engine(chip, {}), e_first = make_cim_training_engine(chip, {}),
               e_second = make_cim_training_engine(chip, {});
    whole.steps(0, 4, e_whole.get());
    first.steps(0, 2, e_first.get());
    second.take_state(first);
    e_second->resume(e_first->record());
    const auto most = [](const ManyCoreEngine& e) {
        return dynamic_cast<const CimArithmetic&>(e.arithmetic()).most_pulses();
    };
    EXPECT_EQ(most(*e_second), most(*e_first));
    second.steps(2, 4, e_second.get());
    EXPECT_EQ(whole.weights(), second.weights());
    EXPECT_EQ(most(*e_whole), most(*e_second));
    EXPECT_EQ(to_list(*e_whole->record().many_core), to_list(*e_second->record().many_core));
    EXPECT_GT(most(*e_whole)[1], 0U);
    timed.steps(0, 4);
    EXPECT_EQ(whole.weights(), timed.weights()) << "functional";
}

/// The engine times the reads that the values come from: those of spikes to the code, analogue inputs at
/// most.
TEST(CellTraining, CodesAreThoseThatTheEngineCounts) {
    const arch::ChipSpec chip = cim_mesh(1);
    Trained t(support::cim_of(chip.core));
    const auto engine = make_cim_training_engine(chip, {});
    t.steps(0, 3, engine.get());
    const auto codes = [&](const char* name) {
        const auto& layer = dynamic_cast<learn::LinearLayer&>(*t.trainer().network().find(name)->layer);
        return layer.arithmetic->forward_codes.codes;
    };
    const auto conversions = [&](std::uint32_t item) {
        return engine->arithmetic().array_counters(item, Phase::Forward)->conversions;
    };
    EXPECT_EQ(codes("w2"), conversions(2));
    EXPECT_GT(codes("w2"), 0U);
    EXPECT_LE(codes("w1"), conversions(0));
    EXPECT_GT(codes("w1"), conversions(0) / 8);
}

/// Spikes that meet on a row are planes, in the values as in the engine's times: pools that overlap, strides
/// and padding.
TEST(CellTraining, CodesBehindPoolsAreThoseThatTheEngineCounts) {
    using namespace learn;
    for (const std::size_t stride : {1U, 2U}) {
        const arch::ChipSpec chip = cim_mesh(2);
        auto network = std::make_unique<Network>(Shape{8, 8, 1});
        const auto add = [&](std::unique_ptr<Layer> layer, const char* name, std::uint32_t from) {
            layer->name = name;
            std::size_t k = 0;
            for (Parameter& p : layer->parameters())
                for (float& v : p.value) v = 0.25F * static_cast<float>(static_cast<int>(++k * 7919 % 9) - 3);
            return network->add(std::move(layer), {from});
        };
        const std::shared_ptr<const Surrogate> h = make_surrogate({"rect", {}, 0.5});
        auto first =
            std::make_unique<Conv>(learn::conv_shape({8, 8, 1}, 3, arch::square_window(3, 1, 1)), false);
        auto pool = std::make_unique<AveragePool>(first->out, arch::square_window(2, stride), true);
        auto second =
            std::make_unique<Conv>(learn::conv_shape(pool->out, 4, arch::square_window(2, 2, 1)), false);
        const Shape map = first->out, out = second->out;
        std::uint32_t at = add(std::move(first), "w1", Network::kInput);
        at = add(std::make_unique<Lif>(map, LifSpec{}, h), "lif1", at);
        at = add(std::move(pool), "pool", at);
        at = add(std::move(second), "w2", at);
        add(std::make_unique<Lif>(out, LifSpec{}, h), "lif2", at);
        auto pulses = std::make_unique<PulseUpdate>(
            make_optimiser({"sgd", 0.1}),
            pulse_spec(support::cim_of(chip.core), support::cim_of(chip.core).training, 1));
        pulses->program(*network);
        read_through_converters(*network, *pulses, support::cim_of(chip.core), {}, 1);
        Trainer trainer(std::move(network), make_loss("mse_rate"), std::move(pulses), Schedule{});
        Signal x(3, 2, 64);
        for (std::size_t i = 0; i < x.all().size(); ++i) x.all()[i] = i * 2654435761U % 5 < 2 ? 1.0F : 0.0F;
        trainer.step(x, std::vector<std::int64_t>{0, 1});
        const auto engine = make_cim_training_engine(chip, {});
        engine->execute(collect_work(trainer));
        const auto codes = [&](const char* name) {
            return dynamic_cast<LinearLayer&>(*trainer.network().find(name)->layer)
                .arithmetic->forward_codes.codes;
        };
        for (const auto& [name, item] : {std::pair{"w1", 0U}, std::pair{"w2", 3U}}) {
            EXPECT_EQ(codes(name), engine->arithmetic().array_counters(item, Phase::Forward)->conversions)
                << name << stride;
            EXPECT_GT(codes(name), 0U);
        }
    }
}

/// Converters that lose next to nothing train as float32 does; stuck cells, noise and few bits reach the
/// numbers.
TEST(CellTraining, ConvertersReachTheNumbers) {
    const auto loss = [](const arch::CimCoreSpec& spec) {
        Trained t(spec);
        t.steps(0, 44);
        const auto [x, y] = learn::GoldenNetwork::minibatch(0);
        return t.trainer().evaluate(x, y).loss;
    };
    arch::CimCoreSpec spec = support::cim_of(cim_mesh(1).core);
    spec.training.w_range = 4;
    spec.write.Pmax = 256;
    const auto ideal = golden_in(spec).make();
    for (std::size_t k = 0; k < 44; ++k) {
        const auto [x, y] = learn::GoldenNetwork::minibatch(k);
        ideal->step(x, y);
    }
    const auto [x, y] = learn::GoldenNetwork::minibatch(0);
    const double reference = ideal->evaluate(x, y).loss;
    spec.adc.fs = arch::CimFullScale::Fixed;  // 65 codes per cell level
    spec.adc.fs_value = 252;
    spec.adc.adc_bits = 14;
    const double fine = loss(spec);
    EXPECT_NEAR(fine, reference, 0.5 * reference);
    spec.adc.adc_bits = 2;
    EXPECT_GT(loss(spec), 1.5 * reference) << "few bits";
    spec.adc.adc_bits = 14;
    spec.device.read_noise = 0.3;
    EXPECT_GT(loss(spec), 1.5 * reference) << "noise";
    spec.device.read_noise = 0;
    spec.device.p_sa0 = spec.device.p_sa1 = 0.1;
    EXPECT_NE(loss(spec), fine) << "stuck cells";
}

}  // namespace
}  // namespace loom::training
