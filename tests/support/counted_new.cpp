// SPDX-License-Identifier: Apache-2.0
// Replaces the global operator new by one that counts.
#include "tests/support/counted_new.hpp"

#include <cstdlib>
#include <new>

namespace {

std::size_t calls = 0, bytes = 0;

void* counted(std::size_t n, std::size_t align) {
    ++calls;
    bytes += n;
    void* p =
        align == 0 ? std::malloc(n == 0 ? 1 : n) : std::aligned_alloc(align, (n + align - 1) / align * align);
    if (p == nullptr) throw std::bad_alloc();
    return p;
}

}  // namespace

namespace loom::testing {

std::size_t allocations() {
    return calls;
}
std::size_t allocated_bytes() {
    return bytes;
}

}  // namespace loom::testing

void* operator new(std::size_t n) {
    return counted(n, 0);
}
void* operator new(std::size_t n, std::align_val_t align) {
    return counted(n, static_cast<std::size_t>(align));
}
void operator delete(void* p) noexcept {
    std::free(p);
}
void operator delete(void* p, std::size_t) noexcept {
    std::free(p);
}
void operator delete(void* p, std::align_val_t) noexcept {
    std::free(p);
}
void operator delete(void* p, std::size_t, std::align_val_t) noexcept {
    std::free(p);
}
