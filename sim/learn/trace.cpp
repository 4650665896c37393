// SPDX-License-Identifier: Apache-2.0
#include "sim/learn/trace.hpp"

namespace loom::learn {

const Signal& presynaptic(const Pass& pass, const Signal& in, float leak, Signal& trace) {
    if (!pass.rules.traces) return in;
    std::vector<float> last(pass.batch * in.count());
    if (pass.first > 0 && trace.steps() > 0)
        for (std::size_t b = 0; b < pass.batch; ++b) {
            const auto row = trace.at(trace.steps() - 1, b);
            std::copy(row.begin(), row.end(), last.begin() + static_cast<std::ptrdiff_t>(b * in.count()));
        }
    trace.resize(pass.steps, pass.batch, in.count());
    for (std::size_t t = 0; t < pass.steps; ++t)
        for (std::size_t b = 0; b < pass.batch; ++b) {
            const std::span<const float> x = in.at(t, b);
            const std::span<float> a = trace.at(t, b);
            float* carried = last.data() + b * in.count();
            for (std::size_t i = 0; i < x.size(); ++i) carried[i] = a[i] = leak * carried[i] + x[i];
        }
    return trace;
}

}  // namespace loom::learn
