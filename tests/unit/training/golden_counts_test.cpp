// SPDX-License-Identifier: Apache-2.0
// Operation counts of the golden cases: what engines execute equals op_counts of
// tests/golden/bptt/summary.json, with every sparsity on and off.
#include <gmock/gmock.h>

#include <fstream>

#include "base/json/json.hpp"
#include "tests/support/golden_network.hpp"
#include "tests/unit/training/chips.hpp"
#include "training/accelerator/make_engine.hpp"
#include "training/learn/work_recorder.hpp"

namespace loom::learn {
namespace {

using arch::ZeroRule;
using training::Phase;
using training::TrainingCounters;
using training::TrainingEvent;

const char* const kCases[] = {
    "mlp_sigmoid_hard_detach", "mlp_atan_hard_detach",      "mlp_triangle_hard_detach",
    "mlp_rect_hard_nodetach",  "mlp_sigmoid_hard_nodetach", "mlp_sigmoid_soft_detach",
    "mlp_atan_soft_nodetach",  "conv_sigmoid_hard_detach",  "conv_atan_hard_detach",
    "conv_atan_hard_nodetach", "conv_rect_hard_nodetach"};

class GoldenCounts : public ::testing::TestWithParam<const char*> {
  protected:
    Json op_counts() const {
        std::ifstream in(GoldenNetwork::folder() + "summary.json");
        return Json::parse(in)[GetParam()]["op_counts"];
    }
    bool conv() const { return std::string(GetParam()).starts_with("conv"); }
    arch::TrainingWork work() const {
        const std::string name = GetParam();
        const auto has = [&](const char* part) { return name.find(part) != std::string::npos; };
        GoldenNetwork golden;
        golden.conv = conv();
        golden.surrogate = has("sigmoid")    ? SurrogateSpec{"sigmoid", 4, {}}
                           : has("atan")     ? SurrogateSpec{"atan", 4, {}}
                           : has("triangle") ? SurrogateSpec{"triangle", {}, 1}
                                             : SurrogateSpec{"rect", {}, 0.5};
        golden.reset = has("soft") ? Reset::Subtract : Reset::Value;
        golden.detach = !has("nodetach");
        const auto t = golden.make();
        const auto [x, y] = GoldenNetwork::minibatch(0);
        t->step(x, y);
        return collect_work(*t);
    }
    static training::EngineRecord run(const arch::TrainingWork& work, arch::SparsityRules rules,
                                      bool through_pools = false) {
        arch::TrainingChip chip = training::test_chip();
        chip.schedule.spikes_through_pools = through_pools;
        chip.sparsity = rules;
        chip.schedule.reuse_constant_input = false;
        const auto engine = training::make_engine(chip);
        engine->execute(work);
        return engine->record();
    }
    static std::uint64_t count(const training::EngineRecord& r, const std::string& layer, Phase phase,
                               TrainingEvent e) {
        for (const training::LayerRecord& l : r.layers)
            if (l.name == layer) return l.phases[static_cast<std::size_t>(phase)].counts[e];
        ADD_FAILURE() << "no layer " << layer;
        return 0;
    }
    static std::uint64_t matrix(const training::EngineRecord& r, const std::string& layer, Phase phase) {
        return count(r, layer, phase, &TrainingCounters::ac) + count(r, layer, phase, &TrainingCounters::mac);
    }
};

TEST_P(GoldenCounts, EqualThoseOfTheCases) {
    const Json want = op_counts();
    const arch::TrainingWork w = work();
    for (const ZeroRule zero : {ZeroRule::Skip, ZeroRule::Gate}) {
        const auto none = run(w, {ZeroRule::Dense, ZeroRule::Dense, ZeroRule::Dense});
        const auto s = run(w, {zero, ZeroRule::Dense, ZeroRule::Dense});
        const auto sg = run(w, {zero, zero, ZeroRule::Dense});
        const auto sgh = run(w, {zero, zero, zero});
        EXPECT_EQ(matrix(none, "w1", Phase::Forward), want["fwd_l1_mac_dense"]);
        EXPECT_EQ(matrix(s, "w1", Phase::Forward), want["fwd_l1_mac_sparse"]);
        EXPECT_EQ(matrix(none, "w1", Phase::WeightGradient), want["wgrad_l1_mac_dense"]);
        EXPECT_EQ(matrix(s, "w1", Phase::WeightGradient), want["wgrad_l1_mac_sparse_x"]);
        EXPECT_EQ(matrix(sg, "w1", Phase::WeightGradient), want["wgrad_l1_mac_sparse_x_du"]);
        EXPECT_EQ(matrix(none, "w1", Phase::Backward), 0U);
        EXPECT_EQ(count(none, "w2", Phase::Backward, &TrainingCounters::mac), want["bwd_l2_mac_dense"]);
        EXPECT_EQ(count(sg, "w2", Phase::Backward, &TrainingCounters::mac), want["bwd_l2_mac_sparse_du"]);
        EXPECT_EQ(count(sgh, "w2", Phase::Backward, &TrainingCounters::mac), want["bwd_l2_mac_dual_sparse"]);
        if (conv()) {
            EXPECT_EQ(count(s, "w2", Phase::Forward, &TrainingCounters::mac),
                      want["fwd_l2_mac_sparse_pooled"]);
            EXPECT_EQ(count(s, "pool", Phase::Forward, &TrainingCounters::add), want["pool_add"]);
        }
        // Behind the pooling of spikes the cases count every spike by itself.
        const auto all = conv() ? run(w, {ZeroRule::Dense, ZeroRule::Dense, ZeroRule::Dense}, true) : none;
        const auto each = conv() ? run(w, {zero, ZeroRule::Dense, ZeroRule::Dense}, true) : s;
        const auto met = conv() ? run(w, {zero, zero, ZeroRule::Dense}, true) : sg;
        EXPECT_EQ(count(all, "w2", Phase::Forward, &TrainingCounters::ac), want["fwd_l2_ac_dense"]);
        EXPECT_EQ(count(each, "w2", Phase::Forward, &TrainingCounters::ac), want["fwd_l2_ac_sparse"]);
        EXPECT_EQ(count(all, "w2", Phase::WeightGradient, &TrainingCounters::ac), want["wgrad_l2_ac_dense"]);
        EXPECT_EQ(count(each, "w2", Phase::WeightGradient, &TrainingCounters::ac),
                  want["wgrad_l2_ac_sparse_s"]);
        EXPECT_EQ(count(met, "w2", Phase::WeightGradient, &TrainingCounters::ac),
                  want["wgrad_l2_ac_sparse_s_du"]);
        EXPECT_EQ(count(met, "w2", Phase::Backward, &TrainingCounters::mac), want["bwd_l2_mac_sparse_du"]);
        EXPECT_EQ(w.neurons[0].spikes.ones(), want["spikes_l1"]);
        EXPECT_EQ(w.neurons[1].spikes.ones(), want["spikes_l2"]);
        EXPECT_EQ(w.neurons[0].derivative.ones(), want["nonzero_h1"]);
        EXPECT_EQ(w.linear[0].input.ones(), w.steps * want["nonzero_x"].get<std::uint64_t>());
        for (const std::string l : {"1", "2"}) {
            EXPECT_EQ(count(sgh, "lif" + l, Phase::Forward, &TrainingCounters::compare),
                      want["lif_updates_l" + l]);
            EXPECT_EQ(count(sgh, "lif" + l, Phase::Backward, &TrainingCounters::error_write),
                      zero == ZeroRule::Skip ? want["nonzero_du" + l] : want["lif_updates_l" + l]);
        }
        EXPECT_EQ(count(sgh, "w1", Phase::WeightUpdate, &TrainingCounters::weight_write) +
                      count(sgh, "w2", Phase::WeightUpdate, &TrainingCounters::weight_write),
                  want["weights"]);
    }
}

INSTANTIATE_TEST_SUITE_P(Cases, GoldenCounts, ::testing::ValuesIn(kCases),
                         [](const auto& c) { return std::string(c.param); });

}  // namespace
}  // namespace loom::learn
