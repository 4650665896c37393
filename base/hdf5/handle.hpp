// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <hdf5.h>

#include <utility>

namespace loom::hdf5 {

/// Before the first call of the library: what it could not write (a full disk) must not end the program at
/// exit, when it tries once more; errors are ours to report.
inline void prepare_library() {
    static const bool once = H5dont_atexit() >= 0;
    static_cast<void>(once);
    H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
    H5PLset_loading_state(0);  // a file must not name code that is then loaded
}

/// Owns one HDF5 identifier of any kind.
class Handle {
  public:
    using Close = herr_t (*)(hid_t);
    Handle(hid_t id, Close close) : id_(id), close_(close) {}
    Handle(Handle&& o) noexcept : id_(std::exchange(o.id_, H5I_INVALID_HID)), close_(o.close_) {}
    Handle(const Handle&) = delete;
    Handle& operator=(const Handle&) = delete;
    Handle& operator=(Handle&&) = delete;
    ~Handle() {
        if (id_ >= 0) close_(id_);
    }
    hid_t get() const { return id_; }
    explicit operator bool() const { return id_ >= 0; }

  private:
    hid_t id_;
    Close close_;
};

}  // namespace loom::hdf5
