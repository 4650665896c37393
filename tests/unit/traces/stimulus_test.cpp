// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "base/error.hpp"
#include "traces/aer.hpp"
#include "traces/nirdata.hpp"
#include "traces/npy.hpp"
#include "traces/stimulus.hpp"

namespace loom::traces {
namespace {

const std::string kDigits = std::string(LOOM_SOURCE_DIR) + "/tests/golden/digits/";

std::string scratch(const std::string& name) {
    return (std::filesystem::path(::testing::TempDir()) / ("spikeloom_" + name)).string();
}
std::string text_file(const std::string& name, const std::string& text) {
    std::ofstream(scratch(name)) << text;
    return scratch(name);
}
NetworkSide inputs(std::size_t n) {
    return {{n}, 10, 1e-4};
}
std::vector<std::string> unread_notes;

std::string error_of(const std::function<void()>& f) {
    try {
        f();
    } catch (const Error& e) {
        return e.what();
    }
    return "accepted";
}

TEST(Aer, ReadsColumnsInAnyOrder) {
    const auto e =
        read_aer(text_file("a.csv", "# events\nstep, address ,sample,value\n0,5,1,2.5\n\n3,1,0,1 # late\n"));
    ASSERT_EQ(e.size(), 2u);
    EXPECT_EQ(e[0].address, 5u);
    EXPECT_EQ(e[0].sample, 1u);
    EXPECT_EQ(e[0].value, 2.5);
    EXPECT_EQ(e[1].step, 3u);
}

TEST(Aer, ErrorsHaveAPlace) {
    const auto message = [](const std::string& text) {
        const std::string path = text_file("b.csv", text);
        return error_of([&] { read_aer(path); }).substr(path.size());
    };
    EXPECT_EQ(message("stp,address\n"), ":1:1: unknown column 'stp'; did you mean 'step'?");
    EXPECT_EQ(message("step\n1\n"), ":1:1: expected a header line with the columns step and address");
    EXPECT_EQ(message("step,address\n1,2\n3\n"), ":3:1: 1 fields, the header has 2");
    EXPECT_EQ(message("step,address\n1, -2\n"), ":2:4: expected a whole number from 0 on, got '-2'");
    EXPECT_EQ(message("step,address,value\n1,2,nan\n"), ":2:5: expected a number, got 'nan'");
    EXPECT_EQ(message(""), ":1:1: expected a header line with the columns step and address");
}

TEST(NirData, RoundTripAndSameBytes) {
    const auto write = [](const std::string& path) {
        NirDataWriter w(path, 2, 3, 1e-4);
        const auto s = w.add("layer/one", "spikes", 2, NirDataWriter::Kind::Spikes);
        const auto v = w.add("layer/one", "membrane", 2, NirDataWriter::Kind::Real);
        for (std::size_t i = 0; i < 2; ++i) {
            const std::uint8_t z[] = {1, 0, 0, static_cast<std::uint8_t>(i), 1, 1};
            const double m[] = {0.5, 1, 2, 3, 4, static_cast<double>(i)};
            w.append(s, i, std::span<const std::uint8_t>(z));
            w.append(v, i, std::span<const double>(m));
        }
        w.close();
    };
    write(scratch("a.h5"));
    write(scratch("b.h5"));
    const auto bytes = [](const std::string& p) {
        std::ifstream in(p, std::ios::binary);
        return std::string(std::istreambuf_iterator<char>(in), {});
    };
    EXPECT_EQ(bytes(scratch("a.h5")), bytes(scratch("b.h5")));
    const Array z = read_nir_data(scratch("a.h5"), "layer/one", 1e-4, unread_notes);
    EXPECT_EQ(z.shape(), (std::vector<std::size_t>{2, 3, 2}));
    EXPECT_EQ(z.at(3), 0);
    EXPECT_EQ(z.at(9), 1);
    EXPECT_EQ(read_nir_data(scratch("a.h5"), "layer/one", 1e-4, unread_notes, "membrane").at(11), 1);
    EXPECT_THAT(error_of([] { read_nir_data(scratch("a.h5"), "layer/two", 1e-4, unread_notes); }),
                ::testing::HasSubstr("did you mean 'layer.one'?"));
    EXPECT_THROW(read_nir_data(text_file("c.h5", "hello"), "x", 1e-4, unread_notes), InputError);
}

StimulusSpec spec_of(Encoding e, std::uint64_t steps = 0) {
    StimulusSpec s;
    s.encoding = e;
    s.timesteps = steps;
    return s;
}

TEST(Stimulus, DigitsImages) {
    StimulusSpec spec = spec_of(Encoding::Constant, 8);
    spec.array = "image";
    spec.scale = 0.0625;
    spec.labels = "label";
    const auto s = Stimulus::load(spec, kDigits + "digits_image_input.npz", inputs(64));
    EXPECT_EQ(s.samples(), 360u);
    EXPECT_EQ(s.timesteps(), 8u);
    EXPECT_TRUE(s.constant());
    ASSERT_EQ(s.labels().size(), 360u);
    const Array image = read_npz(kDigits + "digits_image_input.npz", "image");
    SparseVector a, b;
    s.values(17, 0, a);
    s.values(17, 7, b);
    EXPECT_EQ(a, b);
    double sum = 0, want = 0;
    for (const auto& [i, v] : a) sum += v;
    for (std::size_t i = 0; i < 64; ++i) want += image.at(17 * 64 + i) * 0.0625;
    EXPECT_EQ(sum, want);
    EXPECT_GT(sum, 0);
}

TEST(Stimulus, DigitsSpikesArePacked) {
    StimulusSpec spec = spec_of(Encoding::Spikes);
    spec.array = "spikes";
    spec.packed = true;
    const auto s = Stimulus::load(spec, kDigits + "digits_mlp_input.npz", inputs(64));
    EXPECT_EQ(s.samples(), 360u);
    EXPECT_EQ(s.timesteps(), 16u);
    const Array packed = read_npz(kDigits + "digits_mlp_input.npz", "spikes");
    SparseVector v;
    for (const std::size_t sample : {0u, 11u, 359u}) {
        for (const std::size_t step : {0u, 15u}) {
            s.values(sample, step, v);
            std::vector<std::uint32_t> want, got;
            for (std::uint32_t i = 0; i < 64; ++i) {
                const auto byte = static_cast<unsigned>(packed.at((step * 360 + sample) * 8 + i / 8));
                if ((byte >> (7 - i % 8) & 1) != 0) want.push_back(i);
            }
            for (const auto& [i, x] : v) {
                got.push_back(i);
                EXPECT_EQ(x, 1.0);
            }
            EXPECT_EQ(got, want);
        }
    }
}

TEST(Stimulus, RandomEncodingsHaveTheirRatesAndNoMemory) {
    std::vector<double> rates(1000, 0.3);
    write_npy(scratch("r.npy"), Array::of({1, 1000}, rates));
    for (const Encoding e : {Encoding::Bernoulli, Encoding::Poisson}) {
        const auto s = Stimulus::load(spec_of(e, 100), scratch("r.npy"), inputs(1000));
        double sum = 0, square = 0;
        SparseVector v, again;
        for (std::size_t t = 0; t < 100; ++t) {
            s.values(0, t, v);
            for (const auto& [i, x] : v) {
                sum += x;
                square += x * x;
            }
        }
        // 1e5 draws: 6 sigma of the mean
        const double n = 1e5, variance = e == Encoding::Bernoulli ? 0.3 * 0.7 : 0.3;
        EXPECT_NEAR(sum / n, 0.3, 6 * std::sqrt(variance / n));
        EXPECT_NEAR(square / n, variance + 0.09, 0.02);
        s.values(0, 7, v);
        s.values(0, 3, again);
        s.values(0, 7, again);
        EXPECT_EQ(v, again);
        StimulusSpec other = spec_of(e, 100);
        other.seed = 2;
        Stimulus::load(other, scratch("r.npy"), inputs(1000)).values(0, 7, again);
        EXPECT_NE(v, again);
    }
}

TEST(Stimulus, EventsKeepSilentSamplesAndStepsThatAreAskedFor) {
    const std::string path = text_file("e.csv", "\xef\xbb\xbfsample,step,address\n0,1,2\n1,0,0\n");
    StimulusSpec spec = spec_of(Encoding::Spikes);
    const auto found = Stimulus::load(spec, path, inputs(3));
    EXPECT_EQ(found.samples(), 2u);
    EXPECT_EQ(found.timesteps(), 2u);
    ASSERT_EQ(found.notes().size(), 1u);
    EXPECT_EQ(
        found.notes()[0].substr(path.size()),
        ": 2 samples of 2 timesteps, up to the last event; input.samples and input.timesteps keep silent "
        "ones behind it");
    spec.samples = 5;
    spec.timesteps = 7;
    const auto asked = Stimulus::load(spec, path, inputs(3));
    EXPECT_EQ(asked.samples(), 5u);
    EXPECT_EQ(asked.timesteps(), 7u);
    EXPECT_TRUE(asked.notes().empty());
    SparseVector v;
    asked.values(4, 6, v);
    EXPECT_TRUE(v.empty());
    asked.values(0, 1, v);
    EXPECT_EQ(v.size(), 1u);
    spec.samples = 1;
    EXPECT_EQ(error_of([&] { Stimulus::load(spec, path, inputs(3)); }).substr(path.size()),
              ": sample 1 has events, input.samples is 1");
    spec.samples.reset();
    const std::string empty = text_file("f.csv", "sample,step,address\n");
    EXPECT_THAT(error_of([&] { Stimulus::load(spec, empty, inputs(3)); }),
                ::testing::HasSubstr("there are no samples"));
}

TEST(Stimulus, EitherOrderOfAxesWhenItIsSaid) {
    write_npy(scratch("o.npy"), Array::of({2, 3, 1}, {1, 0, 0, 0, 1, 1}));
    StimulusSpec spec = spec_of(Encoding::Spikes);
    const auto steps = Stimulus::load(spec, scratch("o.npy"), inputs(1));
    spec.order = AxisOrder::SamplesFirst;
    const auto samples = Stimulus::load(spec, scratch("o.npy"), inputs(1));
    EXPECT_EQ(steps.samples(), 3u);
    EXPECT_EQ(samples.samples(), 2u);
    SparseVector a, b;
    for (std::size_t i = 0; i < 2; ++i)
        for (std::size_t k = 0; k < 3; ++k) {
            steps.values(k, i, a);
            samples.values(i, k, b);
            EXPECT_EQ(a, b);
        }
    spec.encoding = Encoding::Constant;
    spec.timesteps = 1;
    EXPECT_THAT(error_of([&] { Stimulus::load(spec, scratch("o.npy"), inputs(3)); }),
                ::testing::HasSubstr("input.order is for arrays of spikes"));
}

TEST(Stimulus, GradedSpikesAreTold) {
    write_npy(scratch("g.npy"), Array::of({1, 1, 3}, {255, 0, 255}));
    StimulusSpec spec = spec_of(Encoding::Spikes);
    EXPECT_EQ(Stimulus::load(spec, scratch("g.npy"), inputs(3)).notes().size(), 1u);
    spec.scale = 1.0 / 255;
    EXPECT_TRUE(Stimulus::load(spec, scratch("g.npy"), inputs(3)).notes().empty());
}

TEST(Stimulus, Refused) {
    write_npy(scratch("x.npy"), Array::of({2, 3}, {0, 1, 2, 3, 4, 5}));
    const auto message = [](StimulusSpec s, std::size_t n) {
        const std::string path = scratch("x.npy");
        return error_of([&] { Stimulus::load(s, path, inputs(n)); }).substr(path.size() + 2);
    };
    EXPECT_EQ(
        message(spec_of(Encoding::Constant, 4), 5),
        "a sample has 3 values, shape [3]; the network's input has 5, shape [5] ([samples, ...] = [2, 3])");
    EXPECT_EQ(message(spec_of(Encoding::Constant), 3), "input.timesteps: required for this encoding");
    EXPECT_EQ(message(spec_of(Encoding::Spikes, 9), 1),
              "input.timesteps is 9, the array has 2 ([timesteps, samples, ...] = [2, 3])");
    StimulusSpec negative = spec_of(Encoding::Bernoulli, 4);
    negative.scale = -1;
    EXPECT_EQ(message(negative, 3), "value 1 times input.scale is -1; a rate must be from 0 to 100");
    write_npy(scratch("n.npy"), Array::of({1, 1}, {NAN}));
    EXPECT_THROW(Stimulus::load(spec_of(Encoding::Constant, 1), scratch("n.npy"), inputs(1)), InputError);
    EXPECT_EQ(error_of([] { Stimulus::load(spec_of(Encoding::Constant, 1), "x.jpg", inputs(1)); }),
              "x.jpg: unknown kind of file; expected .npy, .npz, .h5, .hdf5, .nird or .csv");
}

}  // namespace
}  // namespace loom::traces
