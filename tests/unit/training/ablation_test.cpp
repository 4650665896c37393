// SPDX-License-Identifier: Apache-2.0
// What each sparsity gains on the golden networks, on every shipped engine. LOOM_LONG=1 prints the table.
#include <gmock/gmock.h>

#include <cstdio>
#include <cstdlib>

#include "base/config/reader.hpp"
#include "tests/support/golden_network.hpp"
#include "training/accelerator/ann.hpp"
#include "training/accelerator/make_engine.hpp"
#include "training/learn/work_recorder.hpp"
#include "training/price/pricing.hpp"

namespace loom::training {
namespace {

using arch::SparsityRules;
using arch::ZeroRule;

constexpr ZeroRule D = ZeroRule::Dense, S = ZeroRule::Skip;
struct Row {
    const char* name;
    SparsityRules rules;
};
const Row kRows[] = {{"none", {D, D, D}}, {"s", {S, D, D}}, {"s+g", {S, S, D}}, {"s+g+h", {S, S, S}}};

arch::TrainingWork golden(bool conv) {
    learn::GoldenNetwork g;
    g.conv = conv;
    g.surrogate = {"rect", {}, 0.5};
    g.detach = false;
    const auto trainer = g.make();
    const auto [x, y] = learn::GoldenNetwork::minibatch(0);
    trainer->step(x, y);
    return learn::collect_work(*trainer);
}

TEST(TrainingAblation, EachSparsityGainsCyclesAndEnergy) {
    const bool print = std::getenv("LOOM_LONG") != nullptr;
    for (const bool conv : {false, true}) {
        const arch::TrainingWork work = golden(conv);
        for (const char* name : {"sata", "h2learn", "mac_array"}) {
            auto chip = config::read<arch::TrainingChip>(
                config::load_tree(std::string(LOOM_SOURCE_DIR "/configs/chips/") + name + ".yaml"));
            std::uint64_t cycles = 0, operations = 0;
            double energy = 0;
            const bool plain = chip.kind == "mac_array";
            const auto step = [&](const arch::TrainingWork& w, const char* row) {
                const auto engine = make_engine(chip);
                engine->execute(w);
                const EngineRecord first = engine->record();
                engine->execute(w);  // the second step: weights are where they stay
                const EngineRecord& r = engine->record();
                const std::uint64_t now = r.cycles - first.cycles;
                std::uint64_t ops = 0;
                for (const LayerRecord& l : first.layers)
                    for (const PhaseRecord& p : l.phases) ops += p.counts.ac + p.counts.mac;
                const Pricing total = price(r, chip), before = price(first, chip);
                const double pj = total.total_pj - before.total_pj, compute = [&] {
                    double sum = 0;
                    for (std::size_t p = 0; p < kPhases; ++p)
                        sum += total.phase(static_cast<Phase>(p), Level::Compute) -
                               before.phase(static_cast<Phase>(p), Level::Compute);
                    return sum;
                }();
                if (print)
                    std::printf("| %s_rect | %s | %s | %llu | %llu | %.3f | %.3f | %.3f |\n",
                                conv ? "conv" : "mlp", name, row, static_cast<unsigned long long>(now),
                                static_cast<unsigned long long>(ops), compute * 1e-6,
                                (total.dynamic_pj - before.dynamic_pj) * 1e-6, pj * 1e-6);
                return std::tuple{now, ops, pj};
            };
            if (plain) {
                step(work, "none");
                step(ann_of(work), "ANN");
                continue;
            }
            for (const Row& row : kRows) {
                chip.sparsity = row.rules;
                const auto [now, ops, pj] = step(work, row.name);
                if (cycles != 0) {
                    EXPECT_LT(ops, operations) << name << " " << row.name;
                    EXPECT_LE(now, cycles + cycles / 100) << name << " " << row.name;
                    EXPECT_LT(pj, energy) << name << " " << row.name;
                }
                cycles = now, operations = ops, energy = pj;
            }
        }
    }
}

}  // namespace
}  // namespace loom::training
