// SPDX-License-Identifier: Apache-2.0
#include "base/hdf5/hdf5_writer.hpp"

#include <hdf5.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "base/durable_file.hpp"
#include "base/error.hpp"
#include "base/hdf5/handle.hpp"

namespace loom::hdf5 {
namespace {

constexpr hsize_t kChunk = std::size_t{1} << 16;  ///< elements

[[noreturn]] void fail(const std::string& path) {
    const int reason = errno;  // of the system call that the library gave up on
    throw IoError(path + ": cannot be written (HDF5)" +
                  (reason == 0 ? std::string() : std::string(": ") + std::strerror(reason)));
}

std::vector<hsize_t> dimensions(const Writer::Shape& shape) {
    return {shape.begin(), shape.end()};
}

Handle space_of(const Writer::Shape& shape) {
    const std::vector<hsize_t> dims = dimensions(shape);
    return Handle(shape.empty() ? H5Screate(H5S_SCALAR)
                                : H5Screate_simple(static_cast<int>(dims.size()), dims.data(), nullptr),
                  H5Sclose);
}

/// Chunks of whole trailing axes, about kChunk elements.
std::vector<hsize_t> chunk_of(const Writer::Shape& shape) {
    std::vector<hsize_t> chunk(shape.size(), 1);
    hsize_t n = 1;
    for (std::size_t i = shape.size(); i-- > 0;) {
        chunk[i] = std::clamp<hsize_t>(shape[i], 1, std::max<hsize_t>(1, kChunk / n));
        n *= chunk[i];
        if (chunk[i] < shape[i]) break;
    }
    return chunk;
}

}  // namespace

struct Writer::Impl {
    std::string path;
    mutable hid_t file = -1;

    /// The file is not closed: the library does not survive closing what it could not write.
    [[noreturn]] void give_up() const {
        file = -1;
        fail(path);
    }
    void check(herr_t status) const {
        if (status < 0) give_up();
    }
    Handle links() const {
        Handle plist(H5Pcreate(H5P_LINK_CREATE), H5Pclose);
        check(H5Pset_create_intermediate_group(plist.get(), 1));
        check(H5Pset_char_encoding(plist.get(), H5T_CSET_UTF8));
        return plist;
    }
    void write(const std::string& name, const Shape& shape, hid_t stored, hid_t memory, const void* data,
               bool deflate) const {
        errno = 0;
        const Handle space = space_of(shape), link = links();
        const Handle plist(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
        check(H5Pset_obj_track_times(plist.get(), 0));
        const bool empty = std::ranges::find(shape, std::size_t{0}) != shape.end();
        if (deflate && !shape.empty() && !empty) {
            const std::vector<hsize_t> chunk = chunk_of(shape);
            check(H5Pset_chunk(plist.get(), static_cast<int>(chunk.size()), chunk.data()));
            check(H5Pset_deflate(plist.get(), 1));
        }
        const Handle set(
            H5Dcreate2(file, name.c_str(), stored, space.get(), link.get(), plist.get(), H5P_DEFAULT),
            H5Dclose);
        if (!set) give_up();
        if (!empty) check(H5Dwrite(set.get(), memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, data));
    }
};

Writer::Writer(const std::string& path) : impl_(new Impl{path, -1}) {
    prepare_library();
    errno = 0;
    const Handle plist(H5Pcreate(H5P_FILE_CREATE), H5Pclose);
    H5Pset_obj_track_times(plist.get(), 0);
    impl_->file = H5Fcreate(path.c_str(), H5F_ACC_TRUNC, plist.get(), H5P_DEFAULT);
    if (impl_->file < 0) fail(path);
}

Writer::~Writer() {
    if (impl_->file >= 0) H5Fclose(impl_->file);
}

void Writer::numbers(const std::string& path, const Shape& shape, std::span<const float> v, bool deflate) {
    impl_->write(path, shape, H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, v.data(), deflate);
}
void Writer::numbers(const std::string& path, const Shape& shape, std::span<const double> v, bool deflate) {
    impl_->write(path, shape, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, v.data(), deflate);
}
void Writer::numbers(const std::string& path, const Shape& shape, std::span<const std::int64_t> v,
                     bool deflate) {
    impl_->write(path, shape, H5T_STD_I64LE, H5T_NATIVE_INT64, v.data(), deflate);
}
void Writer::numbers(const std::string& path, const Shape& shape, std::span<const std::uint8_t> v,
                     bool deflate) {
    impl_->write(path, shape, H5T_STD_U8LE, H5T_NATIVE_UINT8, v.data(), deflate);
}

void Writer::text(const std::string& path, const std::string& value) {
    texts(path, {}, {value});
}

void Writer::texts(const std::string& path, const Shape& shape, const std::vector<std::string>& values) {
    const Handle type(H5Tcopy(H5T_C_S1), H5Tclose);
    impl_->check(H5Tset_size(type.get(), H5T_VARIABLE));
    impl_->check(H5Tset_cset(type.get(), H5T_CSET_UTF8));
    std::vector<const char*> raw;
    for (const std::string& v : values) raw.push_back(v.c_str());
    impl_->write(path, shape, type.get(), type.get(), raw.data(), false);
}

void Writer::copy_all(const std::string& file) {
    errno = 0;
    const Handle from(H5Fopen(file.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT), H5Fclose);
    H5G_info_t info;
    if (!from || H5Gget_info(from.get(), &info) < 0) throw IoError(file + ": cannot be read (HDF5)");
    std::vector<std::string> names;
    for (hsize_t i = 0; i < info.nlinks; ++i) {
        char name[256];
        const ssize_t n = H5Lget_name_by_idx(from.get(), "/", H5_INDEX_NAME, H5_ITER_INC, i, name,
                                             sizeof name, H5P_DEFAULT);
        if (n < 0 || n >= static_cast<ssize_t>(sizeof name)) fail(impl_->path);
        names.emplace_back(name);
    }
    std::ranges::sort(names, {}, [](const std::string& n) { return std::pair(n.size(), n); });
    for (const std::string& name : names)
        impl_->check(H5Ocopy(from.get(), name.c_str(), impl_->file, name.c_str(), H5P_DEFAULT, H5P_DEFAULT));
}

void Writer::close() {
    errno = 0;
    impl_->check(H5Fclose(std::exchange(impl_->file, -1)));
}

void write_atomically(const std::string& path, const std::function<void(Writer&)>& fill) {
    const std::string temporary = temporary_name(path);
    try {
        Writer w(temporary);
        fill(w);
        w.close();
        rename_durably(temporary, path);
    } catch (...) {
        std::error_code ignored;
        std::filesystem::remove(temporary, ignored);
        throw;
    }
}

std::string member_name(std::string name) {
    std::ranges::replace(name, '/', '.');
    return name;
}

}  // namespace loom::hdf5
