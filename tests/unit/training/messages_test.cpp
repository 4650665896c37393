// SPDX-License-Identifier: Apache-2.0
// What packets say during training comes out of them as it went in, and no meaning is taken for another.
#include "training/many_core/messages.hpp"

#include <gtest/gtest.h>

namespace loom::training {
namespace {

TEST(TrainingMessages, InputsAndErrors) {
    for (const std::uint32_t feed : {0U, 1U, kMessageTags - 1})
        for (const std::size_t element : {std::size_t{0}, std::size_t{7}, std::size_t{0xffffffff}})
            for (const std::size_t pair : {std::size_t{0}, std::size_t{1}, std::size_t{1} << 40}) {
                for (const bool zero : {false, true}) {
                    const Packet p = InputMessage{feed, element, pair, zero}.encode();
                    const InputMessage m = InputMessage::decode(p);
                    EXPECT_EQ(meaning_of(p), Meaning::Input);
                    EXPECT_EQ(m.feed, feed);
                    EXPECT_EQ(m.element, element);
                    EXPECT_EQ(m.pair, pair);
                    EXPECT_EQ(m.zero, zero);
                }
                const Packet p = ErrorMessage{feed, element, pair}.encode();
                const ErrorMessage m = ErrorMessage::decode(p);
                EXPECT_EQ(meaning_of(p), Meaning::Error);
                EXPECT_EQ(m.feed, feed);
                EXPECT_EQ(m.element, element);
                EXPECT_EQ(m.pair, pair);
            }
}

TEST(TrainingMessages, Values) {
    for (const std::uint64_t values : {1U, 16U, 70000U}) {
        for (const auto what : {KernelMessage::What::Gradients, KernelMessage::What::Weights}) {
            const Packet p = KernelMessage{40000, what, values}.encode();
            const KernelMessage m = KernelMessage::decode(p);
            EXPECT_EQ(meaning_of(p), Meaning::Kernel);
            EXPECT_EQ(m.feed, 40000U);
            EXPECT_EQ(m.what, what);
            EXPECT_EQ(m.values, values);
        }
        for (const auto what : {ItemMessage::What::Sums, ItemMessage::What::Results}) {
            const Packet p = ItemMessage{40000, what, values}.encode();
            const ItemMessage m = ItemMessage::decode(p);
            EXPECT_EQ(meaning_of(p), Meaning::Item);
            EXPECT_EQ(m.item, 40000U);
            EXPECT_EQ(m.what, what);
            EXPECT_EQ(m.values, values);
        }
    }
}

}  // namespace
}  // namespace loom::training
