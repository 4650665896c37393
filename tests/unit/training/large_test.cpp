// SPDX-License-Identifier: Apache-2.0
// Networks of the size that users train. LOOM_LONG=1 runs them; otherwise they are skipped.
#include <gmock/gmock.h>
#include <sys/resource.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "base/config/reader.hpp"
#include "tests/unit/training/random_work.hpp"
#include "training/accelerator/make_engine.hpp"
#include "training/price/pricing.hpp"

namespace loom::training {
namespace {

arch::LinearShape fc(std::size_t in, std::size_t out) {
    arch::LinearShape s;
    s.in_c = in;
    s.out_c = out;
    return s;
}

/// Convolutions 64, 128, 128 on 32 x 32 (strides stand for pooling), then 8192-1024-10.
std::vector<arch::LinearShape> vgg5() {
    return {conv_shape(32, 3, 64), conv_shape(32, 64, 128, 2), conv_shape(16, 128, 128, 2), fc(8192, 1024),
            fc(1024, 10)};
}
/// The convolutions of ResNet-18 for 32 x 32 images, in a chain.
std::vector<arch::LinearShape> resnet18() {
    std::vector<arch::LinearShape> s{conv_shape(32, 3, 64)};
    std::size_t side = 32, in = 64;
    for (const std::size_t out : {64U, 128U, 256U, 512U})
        for (int i = 0; i < 4; ++i) {
            const std::size_t stride = out != 64 && i == 0 ? 2 : 1;
            s.push_back(conv_shape(side, in, out, stride));
            side = (side - 1) / stride + 1;
            in = out;
        }
    s.push_back(fc(side * side * in, 10));
    return s;
}

void run(const char* what, const std::vector<arch::LinearShape>& shapes, std::size_t batch) {
    if (std::getenv("LOOM_LONG") == nullptr) GTEST_SKIP() << "LOOM_LONG=1 runs it";
    RandomWork r;
    r.batch = batch;
    r.spikes = 0.1;
    r.errors = 0.3;
    r.derivative = 0.3;
    const arch::TrainingWork work = random_chain(shapes, r);
    for (const char* name : {"sata", "h2learn", "mac_array"}) {
        const auto chip = config::read<arch::TrainingChip>(
            config::load_tree(std::string(LOOM_SOURCE_DIR "/configs/chips/") + name + ".yaml"));
        const auto engine = make_engine(chip);
        const auto start = std::chrono::steady_clock::now();
        engine->execute(work);
        const double seconds =
            std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
        const EngineRecord& e = engine->record();
        rusage usage{};
        getrusage(RUSAGE_SELF, &usage);
        std::printf("%s T 4 batch %zu on %s: block %llu, %.3g cycles, %.3g uJ; host %.1f s, %.2f GiB\n", what,
                    batch, name, static_cast<unsigned long long>(e.batch_block),
                    static_cast<double>(e.cycles), price(e, chip).total_pj * 1e-6, seconds,
                    static_cast<double>(usage.ru_maxrss) / 1024 / 1024);
        for (std::size_t p = 0; p < kPhases; ++p) {
            double cycles = 0, busy = 0, stalled = 0;
            for (const LayerRecord& l : e.layers) {
                cycles += static_cast<double>(l.phases[p].cycles);
                busy += static_cast<double>(l.phases[p].busy);
                stalled += static_cast<double>(l.phases[p].stalled_memory);
            }
            std::printf("    %-16s cycles %.3g, stalled %.3g, busy %.3g\n",
                        std::string(kPhaseNames[p]).c_str(), cycles, stalled, busy);
        }
        std::fflush(stdout);
        EXPECT_LT(seconds, 600);
    }
}

TEST(LargeTraining, Vgg5) {
    run("VGG-5", vgg5(), 16);
}
TEST(LargeTraining, ResNet18) {
    run("ResNet-18", resnet18(), 4);
}

}  // namespace
}  // namespace loom::training
