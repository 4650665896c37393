// SPDX-License-Identifier: Apache-2.0
#include "training/work/training_work.hpp"

namespace loom::arch {

NetworkLayout::NetworkLayout(const TrainingWork& work)
    : StepLayout(work),
      linear(work.linear.begin(), work.linear.end()),
      neurons(work.neurons.begin(), work.neurons.end()),
      elements(work.elements.begin(), work.elements.end()) {}

void ElementWork::add(const ElementWork& more) {
    forward += more.forward, backward += more.backward;
    forward_sums += more.forward_sums, forward_statistics += more.forward_statistics;
    backward_sums += more.backward_sums, backward_statistics += more.backward_statistics;
}

}  // namespace loom::arch
