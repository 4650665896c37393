// SPDX-License-Identifier: Apache-2.0
#include "training/many_core/training_target.hpp"

#include "base/error.hpp"
#include "sim/report/area_report.hpp"
#include "training/accelerator/ann.hpp"
#include "training/accelerator/make_engine.hpp"
#include "training/many_core/cell_arithmetic.hpp"
#include "training/many_core/cim_reads.hpp"
#include "training/many_core/engine_area.hpp"
#include "training/many_core/make_many_core.hpp"
#include "training/many_core/price_chip.hpp"

namespace loom::training {
namespace {

class EngineTarget final : public TrainingTarget {
  public:
    explicit EngineTarget(const arch::TrainingChip& chip) : chip_(chip) {
        check_training_prices(chip_);
        stats::check_area(chip_.energy, "energy");
        make_engine(chip_);
    }
    const std::string& name() const override { return chip_.name; }
    double clock_period() const override { return chip_.clock_period; }
    std::unique_ptr<StepExecutor> engine() const override { return make_engine(chip_); }
    Pricing price(const EngineRecord& record) const override { return training::price(record, chip_); }
    Json area() const override { return engine_area_json(chip_); }
    arch::TrainingWork ann(const arch::TrainingWork& snn) const override { return ann_of(snn); }
    bool starts_warm() const override { return false; }

  private:
    arch::TrainingChip chip_;
};

class ManyCoreTarget final : public TrainingTarget {
  public:
    explicit ManyCoreTarget(const arch::ChipSpec& chip) : chip_(chip) {
        if (chip_.training_energy.actions.empty())
            throw ConfigError(
                "training_energy: missing; training on the cores of a chip needs prices of what their lanes "
                "and "
                "buffers do, e.g. {file: ../energy/training_mesh45.yaml}");
        widths_ = widths_of(many_core()->arithmetic().room());
    }
    const std::string& name() const override { return chip_.name; }
    double clock_period() const override { return chip_.clock.period; }
    std::unique_ptr<StepExecutor> engine() const override { return many_core(); }
    Pricing price(const EngineRecord& record) const override {
        return training::price(record, chip_, widths_);
    }
    Json area() const override { return many_core_area_json(chip_); }
    arch::TrainingWork ann(const arch::TrainingWork& snn) const override {
        return ann_of(snn, Rectifiers::Populations);
    }
    bool starts_warm() const override { return true; }
    const arch::CimCoreSpec* cells() const override { return chip_.kind(0).own<arch::CimCoreSpec>(); }

    void equip(learn::Network& network, const learn::PulseUpdate& pulses, std::uint64_t seed) const override {
        if (cells() == nullptr) return;
        for (const learn::Network::Node& node : network.nodes()) {
            if (const auto* layer = dynamic_cast<const learn::LinearLayer*>(node.layer.get()))
                check_cell_matrix(layer->linear_shape(), layer->name);
            for (const learn::Parameter& p : node.layer->parameters())
                if (p.name == "recurrent")
                    throw UnsupportedError("training in arrays: " + node.layer->name +
                                           ".recurrent has no cells; train it on cores with near-memory "
                                           "weights (chip.core.kind) or on a training engine");
        }
        if (cells()->training.arithmetic == arch::CimProducts::Converters)
            read_through_converters(network, pulses, *cells(), chip_.training_sparsity, seed);
    }

  private:
    std::unique_ptr<ManyCoreEngine> many_core() const {
        return make_many_core_training_engine(chip_, chip_.training_sparsity);
    }
    arch::ChipSpec chip_;
    arch::TrainingBits widths_;
};

}  // namespace

std::unique_ptr<TrainingTarget> make_target(const arch::TrainingChip& chip) {
    return std::make_unique<EngineTarget>(chip);
}
std::unique_ptr<TrainingTarget> make_target(const arch::ChipSpec& chip) {
    return std::make_unique<ManyCoreTarget>(chip);
}

}  // namespace loom::training
