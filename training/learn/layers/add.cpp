// SPDX-License-Identifier: Apache-2.0
#include "training/learn/layers/add.hpp"

#include "training/learn/axpy.hpp"

namespace loom::learn {

void Add::backward(const Pass&, const Signal&, const Signal&, const Signal& grad_out, Signal* grad_in) {
    if (grad_in != nullptr) learn::add(grad_in->all().data(), grad_out.all().data(), grad_out.all().size());
}

void Add::describe(const Pass& pass, arch::ElementWork& work) const {
    work.forward.add = (sources_ - 1) * pass.steps * pass.batch * out.count();
    work.outputs = out.count();
}

}  // namespace loom::learn
