// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <algorithm>
#include <cmath>
#include <functional>
#include <vector>

namespace loom::learn::reference {

/// Scalar reverse-mode differentiation in double: the brute force that the library's gradients are held
/// against.
class Tape {
  public:
    struct Node {
        double value = 0, grad = 0;
        int a = -1, b = -1;         ///< parents
        double by_a = 0, by_b = 0;  ///< derivatives
    };
    int add(double value, int a = -1, double by_a = 0, int b = -1, double by_b = 0) {
        nodes.push_back({value, 0, a, b, by_a, by_b});
        return static_cast<int>(nodes.size() - 1);
    }
    /// Gradients of everything with respect to the sum of what was seeded.
    void backward() {
        for (std::size_t i = nodes.size(); i-- > 0;) {
            const Node n = nodes[i];
            if (n.a >= 0) nodes[static_cast<std::size_t>(n.a)].grad += n.grad * n.by_a;
            if (n.b >= 0) nodes[static_cast<std::size_t>(n.b)].grad += n.grad * n.by_b;
        }
    }
    std::vector<Node> nodes;
    double margin = 1e9;  ///< smallest |membrane - threshold|: below it float32 may spike otherwise
};

/// The tape of the running test.
inline Tape& tape() {
    static Tape t;
    return t;
}

struct Var {
    int index = -1;
    Var() : Var(0.0) {}
    Var(double constant) : index(tape().add(constant)) {}  // NOLINT: constants mix with variables
    double value() const { return tape().nodes[static_cast<std::size_t>(index)].value; }
    double& grad() const { return tape().nodes[static_cast<std::size_t>(index)].grad; }
    static Var made(double value, Var a, double by_a) { return raw(tape().add(value, a.index, by_a)); }
    static Var made(double value, Var a, double by_a, Var b, double by_b) {
        return raw(tape().add(value, a.index, by_a, b.index, by_b));
    }

  private:
    struct Index {
        int i;
    };
    explicit Var(Index at) : index(at.i) {}
    static Var raw(int i) { return Var(Index{i}); }
};

inline Var operator+(Var a, Var b) {
    return Var::made(a.value() + b.value(), a, 1, b, 1);
}
inline Var operator-(Var a, Var b) {
    return Var::made(a.value() - b.value(), a, 1, b, -1);
}
inline Var operator*(Var a, Var b) {
    return Var::made(a.value() * b.value(), a, b.value(), b, a.value());
}
inline Var detach(Var a) {
    return {a.value()};
}
inline Var detach_if(bool yes, Var a) {
    return yes ? detach(a) : a;
}
inline Var inverse_root(Var a) {
    const double r = 1 / std::sqrt(a.value());
    return Var::made(r, a, -r * r * r / 2);
}
inline Var sigmoid(Var a) {
    const double q = 1 / (1 + std::exp(-a.value()));
    return Var::made(q, a, q * (1 - q));
}
/// Clipped to 0 ... 1.
inline Var clip(Var a) {
    const double v = a.value();
    return Var::made(std::clamp(v, 0.0, 1.0), a, v > 0 && v < 1 ? 1 : 0);
}

using Derivative = std::function<double(double)>;
/// [x >= 0], or [x > 0], with h for its derivative.
inline Var spike(Var x, bool at_threshold, const Derivative& h) {
    const double v = x.value();
    tape().margin = std::min(tape().margin, std::abs(v));
    return Var::made((at_threshold ? v >= 0 : v > 0) ? 1 : 0, x, h(v));
}
/// The same with a trained window: derivative 1/(2a) on |x| < a; by a: that of 1/2 + x/(2a).
inline Var window_spike(Var x, bool at_threshold, Var half) {
    const double v = x.value(), a = half.value();
    tape().margin = std::min({tape().margin, std::abs(v), std::abs(std::abs(v) - a)});
    const bool inside = std::abs(v) < a;
    return Var::made((at_threshold ? v >= 0 : v > 0) ? 1 : 0, x, inside ? 1 / (2 * a) : 0, half,
                     inside ? -v / (2 * a * a) : 0);
}

}  // namespace loom::learn::reference
