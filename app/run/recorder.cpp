// SPDX-License-Identifier: Apache-2.0
#include "app/run/recorder.hpp"

#include <algorithm>
#include <array>

namespace loom::app {

std::vector<Signal> recorded_signals(const RunSpec& spec, const arch::Program& program, Step steps) {
    std::vector<Signal> out;
    for (std::uint16_t l = 0; l < program.layers.size(); ++l) {
        const auto& info = program.layers[l];
        if (info.is_input) continue;
        const std::size_t n = static_cast<std::size_t>(steps) * info.count;
        for (const Record what : spec.record) {
            if (what == Record::Packets || what == Record::Timesteps) continue;  // in files of their own
            Signal s{LayerId{l}, what, {}};
            if (what == Record::Spikes) {
                if (!info.fires) continue;
                if (spec.profile.of(info.name).multispike) {
                    s.values = std::vector<std::int32_t>(n);
                } else {
                    s.values = std::vector<std::uint8_t>(n);
                }
            } else {
                s.values = std::vector<double>(n);
            }
            out.push_back(std::move(s));
        }
    }
    return out;
}

Recorder::Recorder(const RunSpec& spec, const chip::ChipModel& model)
    : model_(model),
      signals_(recorded_signals(spec, model.program(), model.steps())),
      spikes_of_(model.program().layers.size(), -1) {
    for (std::size_t i = 0; i < signals_.size(); ++i) {
        if (signals_[i].what == Record::Spikes) spikes_of_[index(signals_[i].layer)] = static_cast<int>(i);
    }
}

void Recorder::begin_sample() {
    for (Signal& s : signals_) {
        std::visit([](auto& v) { std::fill(v.begin(), v.end(), 0); }, s.values);
    }
}

void Recorder::after_step(Step chip_step) {
    if (signals_.empty()) return;
    const auto steps = static_cast<std::int64_t>(model_.steps());
    const auto& layers = model_.program().layers;
    model_.for_each_spike([&](LayerId layer, std::uint32_t element, std::int64_t count) {
        const int i = spikes_of_[index(layer)];
        const std::int64_t t = model_.algorithmic_step(layer, chip_step);
        if (i < 0 || t < 0 || t >= steps) return;
        std::visit(
            [&](auto& v) {
                using T = typename std::decay_t<decltype(v)>::value_type;
                v[static_cast<std::size_t>(t) * layers[index(layer)].count + element] = static_cast<T>(count);
            },
            signals_[static_cast<std::size_t>(i)].values);
    });
    for (Signal& s : signals_) {
        const std::int64_t t = model_.algorithmic_step(s.layer, chip_step);
        if (s.what == Record::Spikes || t < 0 || t >= steps) continue;
        model_.read_layer(s.layer,
                          s.what == Record::Membrane ? chip::ChipModel::Quantity::Membrane
                                                     : chip::ChipModel::Quantity::Current,
                          scratch_);
        std::copy(scratch_.begin(), scratch_.end(),
                  std::get<std::vector<double>>(s.values).begin() +
                      static_cast<std::ptrdiff_t>(t * static_cast<std::int64_t>(scratch_.size())));
    }
}

RecordFile::RecordFile(const std::string& path, const std::vector<Signal>& layout,
                       const arch::Program& program, std::size_t samples, Step steps, double dt_seconds)
    : writer_(path, samples, steps, dt_seconds) {
    static constexpr std::array keys{"spikes", "membrane", "current"};
    using Kind = traces::NirDataWriter::Kind;
    for (const Signal& s : layout) {
        const auto& info = program.layers[index(s.layer)];
        const Kind kind = s.values.index() == 0   ? Kind::Spikes
                          : s.values.index() == 1 ? Kind::WideSpikes
                                                  : Kind::Real;
        number_.push_back(writer_.add(info.name, keys[static_cast<std::size_t>(s.what)], info.count, kind));
    }
}

void RecordFile::append(std::size_t sample, const std::vector<Signal>& signals) {
    for (std::size_t i = 0; i < signals.size(); ++i) {
        std::visit([&](const auto& v) { writer_.append(number_[i], sample, std::span(v)); },
                   signals[i].values);
    }
}

}  // namespace loom::app
