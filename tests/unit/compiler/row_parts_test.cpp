// SPDX-License-Identifier: Apache-2.0
// Rows of a layer over several cores with arrays: how they are cut, that the checker follows partial sums to
// their neurons, and what cannot be cut.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "arch/psum_packets.hpp"
#include "base/error.hpp"
#include "compiler/compile.hpp"
#include "compiler/import/nir_reader.hpp"
#include "compiler/passes/row_parts.hpp"
#include "tests/support/core_kinds.hpp"

namespace loom::compiler {
namespace {

/// 128 x 128 cells of one bit, 14 columns per weight: 9 outputs of 128 rows in an array.
arch::ChipSpec cim_chip(std::uint64_t arrays, std::uint64_t side = 12) {
    arch::ChipSpec c{support::core_kinds()};
    c.noc.size = {side, side};
    c.core.axon_in.payload_bits = 8;
    c.core.axon_out.max_fanout_entries = 65536;
    c.core.kind = "cim";
    support::cim_of(c.core);
    support::cim_of(c.core).arrays = arrays;
    support::cim_of(c.core).input_bits = 16;
    support::cim_of(c.core).weights.weight_bits = 8;
    return c;
}

Mapping compile_on(const std::string& name, const arch::ChipSpec& c, std::uint64_t row_parts = 1,
                   std::uint64_t duplicate = 1) {
    MapSpec map;
    map.row_parts = row_parts;
    map.duplicate = duplicate;
    InputFormat image;
    image.analogue = true;
    image.exponent = 4;
    return compile(std::make_shared<NirModel>(
                       read_nir(std::string(LOOM_SOURCE_DIR) + "/tests/golden/digits/" + name + ".nir")),
                   Profile{}, c, map, image);
}

std::uint64_t senders(const Mapping& m) {
    std::uint64_t n = 0;
    for (const auto& core : m.program.cores) n += core.psums_out.size();
    return n;
}

TEST(RowChunks, FillARowBlockOrAreAsManyAsAskedFor) {
    std::vector<LoweredProjection> l(2);
    l[0].n_axons = 300;
    l[1].form = LoweredProjection::Form::Conv;
    l[1].conv.in_c = 40;
    l[1].conv.out_c = 2;
    l[1].conv.window = arch::square_window(3, 1, 1);
    l[1].conv.in_h = l[1].conv.in_w = l[1].conv.out_h = l[1].conv.out_w = 1;
    Slice s;
    s.extent = {2, 1, 1};
    s.c1 = 2;
    s.y1 = s.x1 = 1;
    const auto text = [&](std::uint64_t rows, std::uint64_t parts) {
        std::string out;
        for (const RowSpan& r : row_chunks(l, {0, 1}, s, rows, parts))
            out += std::to_string(r.projection) + ":" + std::to_string(r.first) + "-" +
                   std::to_string(r.last) + " ";
        return out;
    };
    EXPECT_EQ(text(128, 1), "0:0-128 0:128-256 0:256-300 1:0-14 1:14-28 1:28-40 ");
    EXPECT_EQ(text(4096, 1), "0:0-300 1:0-40 ");
    EXPECT_EQ(text(4096, 3), "0:0-100 0:100-200 0:200-300 1:0-14 1:14-28 1:28-40 ");
    EXPECT_EQ(text(5, 1).substr(0, 10), "0:0-5 0:5-") << "a kernel over several row blocks stays together";
    const auto parts = row_parts(s, row_chunks(l, {0, 1}, s, 128, 1), 4);
    ASSERT_EQ(parts.size(), 4u);  // 1, 2, 1, 2 of the chunks
    EXPECT_TRUE(parts[0].has_neurons);
    for (std::size_t i = 1; i < 4; ++i) EXPECT_FALSE(parts[i].has_neurons);
    EXPECT_EQ(parts[1].span(0).first, 128u);
    EXPECT_EQ(parts[1].span(0).last, 300u);
    EXPECT_TRUE(parts[1].span(1).empty());
    EXPECT_EQ(AxonMap(l[0], parts[1], 0).count(), 172u);
    EXPECT_EQ(AxonMap(l[1], parts[3], 1).count(), 26u);
    EXPECT_EQ(AxonMap(l[1], parts[0], 1).count(), 0u);
}

TEST(RowParts, OnlyWhenTheRowsDoNotFitACore) {
    // digits_conv: conv2 has 144 rows, fc 512: 4 row blocks
    EXPECT_EQ(senders(compile_on("digits_conv_q8", cim_chip(16))), 0u);
    EXPECT_EQ(senders(compile_on("digits_conv_q8", cim_chip(4))), 0u) << "cut over neurons as before";
    const Mapping two = compile_on("digits_conv_q8", cim_chip(2));  // fc: 2 slices of 2 parts
    EXPECT_EQ(senders(two), 2u);
    EXPECT_THAT(describe(two, cim_chip(2)),
                ::testing::AllOf(::testing::HasSubstr("lif3[5 partial sums to core "),
                                 ::testing::HasSubstr("(+ partial sums of core "),
                                 ::testing::HasSubstr("2 of them partial sums only")));
    const Mapping one = compile_on("digits_conv_q8", cim_chip(1));  // fc: 2 of 4; conv2: 4 of 126 + 18 rows
    EXPECT_EQ(senders(one), 2u * 3 + 4u * 1);
    for (const auto& core : one.program.cores) {
        EXPECT_LE(core.store, 1u);
        std::uint64_t packets = 0;
        for (const auto& g : core.psums_out) packets += arch::PsumPackets(cim_chip(1), 0).packets(g.count);
        EXPECT_EQ(core.fanout.row.size(), core.n_neurons + packets + 1);
    }
}

TEST(RowParts, EveryConnectionOnceHoweverTheRowsAreCut) {
    for (const std::string name : {"digits_conv_q8", "digits_mlp_q8"}) {
        const std::uint64_t want = check_program(compile_on(name, cim_chip(64)), Profile{}, cim_chip(64));
        for (const std::uint64_t parts : {2u, 3u, 7u, 1000u}) {
            for (const std::uint64_t duplicate : {1u, 3u}) {
                const arch::ChipSpec c = cim_chip(64, 20);
                const Mapping m = compile_on(name, c, parts, duplicate);
                EXPECT_GT(senders(m), 0u) << name << parts;
                EXPECT_EQ(check_program(m, Profile{}, c), want);
            }
        }
    }
}

TEST(RowParts, PartsOfASliceAreOnDifferentCoresWhenSlicesShareCores) {
    arch::ChipSpec c = cim_chip(64, 2);  // four cores, five slices
    const Mapping m = compile_on("digits_conv_q8", c, 2);
    EXPECT_EQ(senders(m), 2u);
    EXPECT_LE(m.program.cores.size(), 4u);
    for (const auto& core : m.program.cores) {
        for (const auto& in : core.psums_in) EXPECT_NE(in.from, core.endpoint);
    }
}

TEST(RowParts, EventRowArraysKeepTheirSums) {
    arch::ChipSpec c = cim_chip(1);
    support::cim_of(c.core).array.type = arch::CimType::SramDigital;
    support::cim_of(c.core).array.digital = arch::CimDigital::EventRow;
    support::cim_of(c.core).weights.encoding = arch::CimEncoding::TwosComplement;
    EXPECT_EQ(senders(compile_on("digits_mlp_q8", c, 2)), 0u);
    try {
        compile_on("digits_conv_q8", c);
        FAIL();
    } catch (const MappingError& e) {
        EXPECT_EQ(e.resource(), "arrays of a core");
        EXPECT_THAT(e.what(), ::testing::HasSubstr("event-row"));
    }
}

/// Says of every network that it may lose packets.
class Lossy final : public arch::NocShapes {
  public:
    arch::NocShape shape(const arch::NocSpec& spec) const override {
        arch::NocShape shape = arch::grid_shape(spec);
        shape.drops_packets = true;
        return shape;
    }
};

TEST(RowParts, NotOnNetworksThatLosePackets) {
    arch::ChipSpec c = cim_chip(1);
    c.noc.faults.loss = 0.01;
    EXPECT_EQ(senders(compile_on("digits_mlp_q8", c)), 0u);
    try {
        compile_on("digits_conv_q8", c);
        FAIL();
    } catch (const UnsupportedError& e) {
        EXPECT_THAT(e.what(), ::testing::HasSubstr("noc.faults.loss"));
    }
    c.noc.faults.loss = 0;
    const Lossy lossy;
    c.noc.shapes = &lossy;
    EXPECT_THROW(compile_on("digits_conv_q8", c), UnsupportedError);
}

TEST(RowParts, TheCheckerSeesDamage) {
    const arch::ChipSpec c = cim_chip(1);
    const auto broken = [&](auto damage) {
        Mapping m = compile_on("digits_conv_q8", c);
        std::size_t sender = 0, owner = 0;
        for (std::size_t i = 0; i < m.program.cores.size(); ++i) {
            if (!m.program.cores[i].psums_out.empty()) sender = i;
            if (!m.program.cores[i].psums_in.empty()) owner = i;
        }
        damage(m.program.cores[sender], m.program.cores[owner]);
        try {
            check_program(m, Profile{}, c);
        } catch (const InternalError& e) {
            return std::string(e.what());
        }
        return std::string("not seen");
    };
    using I = arch::CoreImage&;
    using ::testing::HasSubstr;
    EXPECT_EQ(broken([](I, I) {}), "not seen");
    EXPECT_THAT(broken([](I s, I) { s.fanout.entries[s.fanout.row[s.psums_out[0].row] + 1].axon += 1; }),
                HasSubstr("a packet of partial sums sent elsewhere"));
    EXPECT_THAT(broken([](I s, I) { s.fanout.entries[s.fanout.row[s.psums_out[0].row]].axon += 1; }),
                HasSubstr("does not expect"));
    EXPECT_THAT(broken([](I s, I) { s.fanout.entries[s.fanout.row[s.psums_out[0].row]].core = s.endpoint; }),
                HasSubstr("no other core"));
    EXPECT_THAT(broken([](I, I o) { o.psums_in.pop_back(); }), HasSubstr("mapping check"));
    EXPECT_THAT(broken([](I, I o) {
                    o.psums_in.push_back(o.psums_in.back());
                    o.psums_in.back().axon += static_cast<std::uint32_t>(
                        arch::PsumPackets(cim_chip(1), 0).packets(o.psums_in.back().count));
                }),
                HasSubstr("never come"));
    EXPECT_THAT(broken([](I, I o) { o.psums_in.back().count -= 1; }), HasSubstr("does not expect"));
    EXPECT_THAT(broken([](I, I o) { o.psums_in.back().neuron_first += 1; }), HasSubstr("of other neurons"));
    EXPECT_THAT(broken([](I s, I) { s.psums_out[0].start_step += 1; }), HasSubstr("of other neurons"));
    EXPECT_THAT(broken([](I s, I) { s.psums_out[0].first += 1; }), HasSubstr("mapping check"));
    EXPECT_THAT(broken([](I s, I) {
                    auto block = std::make_shared<arch::WeightBlock>(*s.axons[0].weights);
                    std::get<std::vector<std::int8_t>>(block->values)[3] += 1;
                    s.axons[0].weights = block;
                }),
                HasSubstr("delivered as"));
}

}  // namespace
}  // namespace loom::compiler
