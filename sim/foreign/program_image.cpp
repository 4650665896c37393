// SPDX-License-Identifier: Apache-2.0
#include "sim/foreign/program_image.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

static_assert(std::endian::native == std::endian::little, "images are little-endian");

namespace loom::foreign {

ProgramImage::ProgramImage(arch::Program& program) {
    std::vector<std::uint32_t> words{kMagic, 0};
    std::vector<std::size_t> offset_at;
    for (arch::CoreImage& core : program.cores) {
        for (arch::AxonGroup& group : core.axons) {
            if (!group.weights) continue;
            auto own = std::make_shared<arch::WeightBlock>(*group.weights);
            group.weights = own;
            Part part;
            std::uint32_t bits = 0;
            std::visit(
                [&](auto& values) {
                    bits = static_cast<std::uint32_t>(sizeof values[0] * 8);
                    part.data = reinterpret_cast<std::uint8_t*>(values.data());
                    part.size = values.size() * sizeof values[0];
                },
                own->values);
            parts_.push_back(part);
            ++words[1];
            words.insert(words.end(),
                         {index(core.endpoint), group.first, group.count, group.neuron_first, bits});
            offset_at.push_back(words.size());
            words.insert(words.end(), {0, static_cast<std::uint32_t>(part.size)});
        }
    }
    size_ = words.size() * sizeof words[0];
    for (std::size_t i = 0; i < parts_.size(); ++i) {
        size_ = (size_ + 7) / 8 * 8;
        parts_[i].at = size_;
        words[offset_at[i]] = static_cast<std::uint32_t>(size_);
        size_ += parts_[i].size;
    }
    table_.resize(words.size() * sizeof words[0]);
    std::memcpy(table_.data(), words.data(), table_.size());
}

/// The weights that byte `at` is of, or nullptr.
const ProgramImage::Part* ProgramImage::part_at(std::uint64_t at) const {
    const auto next = std::upper_bound(parts_.begin(), parts_.end(), at,
                                       [](std::uint64_t a, const Part& p) { return a < p.at; });
    if (next == parts_.begin()) return nullptr;
    const Part& part = *(next - 1);
    return at - part.at < part.size ? &part : nullptr;
}

bool ProgramImage::read(std::uint64_t at, std::span<std::uint8_t> bytes) const {
    if (at > size_ || bytes.size() > size_ - at) return false;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        const std::uint64_t a = at + i;
        const Part* part = part_at(a);
        bytes[i] = a < table_.size() ? table_[a]
                   : part == nullptr ? std::uint8_t{0}
                                     : part->data[a - part->at];
    }
    return true;
}

bool ProgramImage::write(std::uint64_t at, std::span<const std::uint8_t> bytes) {
    if (at > size_ || bytes.size() > size_ - at) return false;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        if (part_at(at + i) == nullptr) return false;
    }
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        const Part* part = part_at(at + i);
        part->data[at + i - part->at] = bytes[i];
    }
    return true;
}

}  // namespace loom::foreign
