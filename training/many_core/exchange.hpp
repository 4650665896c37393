// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "training/many_core/cores_at_work.hpp"

namespace loom::training {

/// Parameters of which several cores have a copy: kernels of convolutions, and what all neurons of a
/// population share. Before an update gradients go from the copies to the owner, after it new values come
/// back; each in a step of the chip, if there is any.
class Exchange {
  public:
    explicit Exchange(const CoresAtWork& at) : at_(at) {}
    void gather() { move_kernels(true), move_parameters(true); }
    void spread() { move_kernels(false), move_parameters(false); }

  private:
    void move_kernels(bool gradients);
    void move_parameters(bool gradients);

    CoresAtWork at_;
};

}  // namespace loom::training
