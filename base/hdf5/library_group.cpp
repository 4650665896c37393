// SPDX-License-Identifier: Apache-2.0
#include "base/hdf5/library_group.hpp"

#include <fmt/format.h>
#include <hdf5.h>

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "base/error.hpp"
#include "base/hdf5/filters.hpp"
#include "base/hdf5/handle.hpp"
#include "base/nearest.hpp"

namespace loom::hdf5 {
namespace {

constexpr std::uint64_t kMaxElements = std::uint64_t{1} << 31;
constexpr std::uint64_t kMaxTextBytes = std::uint64_t{1} << 28;
/// Above this size a dataset must be backed by a plausible amount of stored bytes.
constexpr std::uint64_t kTrustedBytes = std::uint64_t{1} << 24;
/// Deflate packs at most about 1032 : 1.
constexpr std::uint64_t kMaxPacking = 1100;

struct Session {
    Session(std::string p, std::vector<std::uint8_t> b, Handle f)
        : path(std::move(p)), bytes(std::move(b)), file(std::move(f)) {}
    std::string path;
    std::vector<std::uint8_t> bytes;  ///< what the library reads from
    Handle file;
    std::uint64_t elements = 0;  ///< read so far
};

struct Link {
    std::string name;
    bool hard;
};

herr_t collect(hid_t, const char* name, const H5L_info_t* info, void* out) noexcept {
    try {
        static_cast<std::vector<Link>*>(out)->push_back({name, info->type == H5L_TYPE_HARD});
        return 0;
    } catch (...) {
        return -1;
    }
}

Kind kind_of(H5T_class_t c) {
    if (c == H5T_INTEGER || c == H5T_FLOAT || c == H5T_ENUM) return Kind::Number;
    return c == H5T_STRING ? Kind::Text : Kind::Other;
}

}  // namespace

struct LibraryGroup::Impl {
    std::shared_ptr<Session> session;
    Handle group;
};

namespace {

/// One dataset, checked so far that it is safe to read.
struct Dataset {
    Handle set, type, space;
    std::vector<std::size_t> shape;
    std::size_t count = 1;
    std::size_t element_bytes = 0;
};

std::uint64_t chunk_bytes(hid_t plist, std::uint64_t element_bytes) {
    if (H5Pget_layout(plist) != H5D_CHUNKED) return 0;
    hsize_t dims[H5S_MAX_RANK];
    const int rank = H5Pget_chunk(plist, H5S_MAX_RANK, dims);
    std::uint64_t bytes = element_bytes;
    for (int i = 0; i < rank; ++i) {
        if (dims[i] > kMaxElements || bytes > (std::uint64_t{1} << 40)) return ~std::uint64_t{0};
        bytes *= dims[i];
    }
    return bytes;
}

/// Why the dataset must not be read, or an empty text.
std::string refusal(const Dataset& d) {
    if (!d.type || !d.space) return "is damaged";
    if (H5Sget_simple_extent_type(d.space.get()) == H5S_NULL) return "is an empty (null) dataset";
    const Handle plist(H5Dget_create_plist(d.set.get()), H5Pclose);
    if (!plist) return "is damaged";
    if (H5Pget_layout(plist.get()) == H5D_VIRTUAL || H5Pget_external_count(plist.get()) != 0) {
        return "keeps its data in another file; store it in the file itself";
    }
    if (d.count > kMaxElements) {
        return fmt::format("has more than 2^31 elements");
    }
    const std::uint64_t bytes = std::max<std::uint64_t>(std::uint64_t{d.count} * d.element_bytes,
                                                        chunk_bytes(plist.get(), d.element_bytes));
    const std::uint64_t stored = H5Dget_storage_size(d.set.get());
    if (bytes > kTrustedBytes && bytes / kMaxPacking > stored) {
        return fmt::format("claims {} bytes but only {} are stored; the file is damaged", bytes, stored);
    }
    // unless chunked, all is stored or (contiguous only) nothing; HDF5 itself reads on behind the end
    const H5D_layout_t layout = H5Pget_layout(plist.get());
    const bool unwritten = layout == H5D_CONTIGUOUS && stored == 0;
    if (layout != H5D_CHUNKED && !unwritten && stored < bytes) {
        return fmt::format("needs {} bytes but only {} are stored; the file is damaged", bytes, stored);
    }
    return unknown_filter(plist.get());
}

Dataset open_dataset(const LibraryGroup& g, hid_t group, Session& session, const std::string& key,
                     hid_t access = H5P_DEFAULT) {
    Handle set(H5Dopen2(group, key.c_str(), access), H5Dclose);
    if (!set) g.fail(key, "is not a readable dataset");
    Handle type(H5Dget_type(set.get()), H5Tclose);
    Handle space(H5Dget_space(set.get()), H5Sclose);
    Dataset d{std::move(set), std::move(type), std::move(space), {}, 1, 0};
    d.element_bytes = H5Tget_size(d.type.get());
    hsize_t dims[H5S_MAX_RANK];
    const int rank = H5Sget_simple_extent_dims(d.space.get(), dims, nullptr);
    for (int i = 0; i < rank; ++i) {
        d.shape.push_back(static_cast<std::size_t>(dims[i]));
        const bool fits = dims[i] == 0 || d.count <= kMaxElements / dims[i];
        d.count = fits ? d.count * static_cast<std::size_t>(dims[i]) : kMaxElements + 1;
    }
    const std::string why = refusal(d);
    if (!why.empty()) g.fail(key, why);
    session.elements += d.count;
    if (session.elements > kMaxElements) g.fail(key, "exceeds the limit of 2^31 elements in one file");
    return d;
}

/// How a matrix is opened that is read block of rows by block of rows: with a cache that holds the chunks of
/// a row, or a chunk is unpacked anew for every block that it is in.
hid_t row_cache(hid_t group, const std::string& key) {
    constexpr std::uint64_t kLeast = 1 << 20, kMost = 1 << 30;
    const hid_t access = H5Pcreate(H5P_DATASET_ACCESS);
    const Handle set(H5Dopen2(group, key.c_str(), H5P_DEFAULT), H5Dclose);
    const Handle plist(set ? H5Dget_create_plist(set.get()) : H5I_INVALID_HID, H5Pclose);
    const Handle type(set ? H5Dget_type(set.get()) : H5I_INVALID_HID, H5Tclose);
    const Handle space(set ? H5Dget_space(set.get()) : H5I_INVALID_HID, H5Sclose);
    hsize_t dims[H5S_MAX_RANK], chunk[H5S_MAX_RANK];
    if (!plist || !type || !space || H5Pget_layout(plist.get()) != H5D_CHUNKED ||
        H5Sget_simple_extent_dims(space.get(), dims, nullptr) != 2 ||
        H5Pget_chunk(plist.get(), H5S_MAX_RANK, chunk) != 2 || chunk[1] == 0)
        return access;
    const std::uint64_t bytes = chunk_bytes(plist.get(), H5Tget_size(type.get()));
    const std::uint64_t across = (dims[1] + chunk[1] - 1) / chunk[1];
    const std::uint64_t row = bytes < kMost && across < kMost / bytes ? across * bytes : kMost;
    // a prime well above the number of chunks, as HDF5 advises
    constexpr std::size_t kSlots = 99991;
    H5Pset_chunk_cache(access, kSlots, std::max({kLeast, row, std::min<std::uint64_t>(bytes, 4 * kMost)}),
                       1.0);
    return access;
}

Texts fixed_texts(const LibraryGroup& g, const std::string& key, const Dataset& d) {
    if (d.count != 0 && d.element_bytes > kMaxTextBytes / d.count) g.fail(key, "holds too much text");
    std::vector<char> raw(d.count * d.element_bytes);
    // read as it is: the memory type is the file's own
    if (H5Dread(d.set.get(), d.type.get(), H5S_ALL, H5S_ALL, H5P_DEFAULT, raw.data()) < 0) {
        g.fail(key, "cannot be read; the file is damaged");
    }
    const bool spaces = H5Tget_strpad(d.type.get()) == H5T_STR_SPACEPAD;
    Texts out{d.shape, {}};
    for (std::size_t i = 0; i < d.count; ++i) {
        const char* from = raw.data() + i * d.element_bytes;
        std::string s(from, std::find(from, from + d.element_bytes, '\0'));
        if (spaces) s.erase(s.find_last_not_of(' ') + 1);
        out.data.push_back(std::move(s));
    }
    return out;
}

/// Memory for the strings of one read, up to kMaxTextBytes; all of it is freed with the arena.
struct Arena {
    std::vector<std::unique_ptr<char[]>> blocks;
    std::size_t bytes = 0;
};

void* allocate(std::size_t bytes, void* arena) noexcept {
    auto& a = *static_cast<Arena*>(arena);
    if (bytes > kMaxTextBytes - a.bytes) return nullptr;
    try {
        a.blocks.push_back(std::make_unique<char[]>(bytes));
    } catch (...) {
        return nullptr;
    }
    a.bytes += bytes;
    return a.blocks.back().get();
}

void leave_to_arena(void*, void*) noexcept {}

Texts variable_texts(const LibraryGroup& g, const std::string& key, const Dataset& d) {
    Arena arena;
    const Handle plist(H5Pcreate(H5P_DATASET_XFER), H5Pclose);
    H5Pset_vlen_mem_manager(plist.get(), allocate, &arena, leave_to_arena, &arena);
    std::vector<char*> raw(d.count, nullptr);
    if (H5Dread(d.set.get(), d.type.get(), H5S_ALL, H5S_ALL, plist.get(), raw.data()) < 0) {
        g.fail(key, "cannot be read (damaged, or more than 2^28 bytes of text)");
    }
    Texts out{d.shape, {}};
    for (const char* s : raw) out.data.emplace_back(s != nullptr ? s : "");
    return out;
}

}  // namespace

LibraryGroup::LibraryGroup(std::shared_ptr<const Impl> impl, std::string where)
    : impl_(std::move(impl)), where_(std::move(where)) {
    std::vector<Link> links;
    hsize_t at = 0;
    if (H5Literate(impl_->group.get(), H5_INDEX_NAME, H5_ITER_INC, &at, collect, &links) < 0) {
        fail("cannot be listed; the file is damaged");
    }
    for (auto& l : links) {
        if (!l.hard) fail(l.name, "is a soft or external link; store the data itself");
        keys_.push_back(std::move(l.name));
    }
    std::sort(keys_.begin(), keys_.end());
}

bool LibraryGroup::has(const std::string& key) const {
    return std::binary_search(keys_.begin(), keys_.end(), key);
}

Kind LibraryGroup::kind(const std::string& key) const {
    if (!has(key)) return Kind::Other;
    const Handle object(H5Oopen(impl_->group.get(), key.c_str(), H5P_DEFAULT), H5Oclose);
    if (!object) fail(key, "cannot be opened; the file is damaged");
    const H5I_type_t type = H5Iget_type(object.get());
    if (type == H5I_GROUP) return Kind::Group;
    if (type != H5I_DATASET) return Kind::Other;
    const Handle element(H5Dget_type(object.get()), H5Tclose);
    return element ? kind_of(H5Tget_class(element.get())) : Kind::Other;
}

LibraryGroup LibraryGroup::group(const std::string& key, const std::string& where) const {
    if (kind(key) != Kind::Group) fail(has(key) ? "is not a group" : "is missing");
    Handle id(H5Gopen2(impl_->group.get(), key.c_str(), H5P_DEFAULT), H5Gclose);
    if (!id) fail(key, "cannot be opened; the file is damaged");
    return LibraryGroup(std::make_shared<Impl>(Impl{impl_->session, std::move(id)}), where);
}

Numbers LibraryGroup::numbers(const std::string& key) const {
    if (kind(key) != Kind::Number) fail(key, "must be a dataset of numbers");
    const Dataset d = open_dataset(*this, impl_->group.get(), *impl_->session, key);
    Numbers out{d.shape, std::vector<double>(d.count)};
    if (H5Dread(d.set.get(), H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, out.data.data()) < 0) {
        fail(key, "cannot be read; the file is damaged");
    }
    return out;
}

std::vector<std::size_t> LibraryGroup::shape(const std::string& key) const {
    if (kind(key) != Kind::Number) fail(key, "must be a dataset of numbers");
    const Handle set(H5Dopen2(impl_->group.get(), key.c_str(), H5P_DEFAULT), H5Dclose);
    const Handle space(set ? H5Dget_space(set.get()) : H5I_INVALID_HID, H5Sclose);
    if (!space) fail(key, "is damaged");
    hsize_t dims[H5S_MAX_RANK];
    const int rank = H5Sget_simple_extent_dims(space.get(), dims, nullptr);
    return std::vector<std::size_t>(dims, dims + std::max(rank, 0));
}

ReadBlock LibraryGroup::matrix(const std::string& key) const {
    if (kind(key) != Kind::Number) fail(key, "must be a dataset of numbers");
    const Handle access(row_cache(impl_->group.get(), key), H5Pclose);
    const auto d = std::make_shared<const Dataset>(
        open_dataset(*this, impl_->group.get(), *impl_->session, key, access.get()));
    if (d->shape.size() != 2) fail(key, "must be a matrix");
    return [d, self = *this, key](std::size_t row, std::size_t rows, std::size_t column, std::size_t columns,
                                  double* out) {
        const hsize_t start[2]{row, column}, count[2]{rows, columns};
        const Handle from(H5Scopy(d->space.get()), H5Sclose),
            to(H5Screate_simple(2, count, nullptr), H5Sclose);
        if (H5Sselect_hyperslab(from.get(), H5S_SELECT_SET, start, nullptr, count, nullptr) < 0 ||
            H5Dread(d->set.get(), H5T_NATIVE_DOUBLE, to.get(), from.get(), H5P_DEFAULT, out) < 0) {
            self.fail(key, "cannot be read; the file is damaged");
        }
    };
}

Texts LibraryGroup::texts(const std::string& key) const {
    if (kind(key) != Kind::Text) fail(key, "must be a string dataset");
    const Dataset d = open_dataset(*this, impl_->group.get(), *impl_->session, key);
    return H5Tis_variable_str(d.type.get()) > 0 ? variable_texts(*this, key, d) : fixed_texts(*this, key, d);
}

double LibraryGroup::attribute(const std::string& name, double fallback) const {
    if (H5Aexists(impl_->group.get(), name.c_str()) <= 0) return fallback;
    const Handle a(H5Aopen(impl_->group.get(), name.c_str(), H5P_DEFAULT), H5Aclose);
    const Handle space(H5Aget_space(a.get()), H5Sclose);
    double value = 0;
    if (H5Sget_simple_extent_npoints(space.get()) != 1 || H5Aread(a.get(), H5T_NATIVE_DOUBLE, &value) < 0) {
        fail("attribute '" + name + "' is not a number");
    }
    return value;
}

void LibraryGroup::fail(const std::string& problem) const {
    throw InputError(fmt::format("{}: {}: {}", impl_->session->path, where_, problem));
}

void LibraryGroup::fail(const std::string& key, const std::string& problem) const {
    fail(fmt::format("key {} {}", ::loom::quoted(key), problem));
}

namespace {

/// The signature is at the begin, or at 512, 1024, ... bytes.
bool is_hdf5(const std::vector<std::uint8_t>& bytes) {
    static constexpr std::uint8_t kSignature[] = {0x89, 'H', 'D', 'F', '\r', '\n', 0x1a, '\n'};
    for (std::size_t at = 0; at + sizeof kSignature <= bytes.size(); at = at == 0 ? 512 : 2 * at)
        if (std::memcmp(bytes.data() + at, kSignature, sizeof kSignature) == 0) return true;
    return false;
}

/// A file that is in memory; its bytes are ours, and are not copied: they outlive it.
Handle open_bytes(const std::string& path, std::vector<std::uint8_t>& bytes) {
    const Handle plist(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
    H5FD_file_image_callbacks_t ours{};
    ours.image_malloc = [](std::size_t, H5FD_file_image_op_t, void* b) { return b; };
    ours.image_memcpy = [](void* to, const void*, std::size_t, H5FD_file_image_op_t, void*) { return to; };
    ours.image_realloc = [](void*, std::size_t, H5FD_file_image_op_t, void*) -> void* { return nullptr; };
    ours.image_free = [](void*, H5FD_file_image_op_t, void*) -> herr_t { return 0; };
    ours.udata_copy = [](void* b) { return b; };
    ours.udata_free = [](void*) -> herr_t { return 0; };
    ours.udata = bytes.data();
    const bool set = H5Pset_fapl_core(plist.get(), std::size_t{1} << 16, false) >= 0 &&
                     H5Pset_file_image_callbacks(plist.get(), &ours) >= 0 &&
                     H5Pset_file_image(plist.get(), bytes.data(), bytes.size()) >= 0;
    const std::string name = path + " (in memory)";  // the library wants one that is not there
    return Handle(set ? H5Fopen(name.c_str(), H5F_ACC_RDONLY, plist.get()) : -1, H5Fclose);
}

}  // namespace

LibraryGroup open_with_library(const std::string& path, std::vector<std::uint8_t> bytes) {
    prepare_library();
    add_filters();
    if (!is_hdf5(bytes)) {
        throw InputError(fmt::format("{}: is not an HDF5 file; a NIR file was expected", path));
    }
    Handle file = open_bytes(path, bytes);
    if (!file) {
        throw InputError(fmt::format("{}: is a damaged or truncated HDF5 file; get a new copy", path));
    }
    auto session = std::make_shared<Session>(path, std::move(bytes), std::move(file));
    Handle root(H5Gopen2(session->file.get(), "/", H5P_DEFAULT), H5Gclose);
    if (!root) throw InputError(fmt::format("{}: is a damaged HDF5 file; get a new copy", path));
    return LibraryGroup(std::make_shared<LibraryGroup::Impl>(LibraryGroup::Impl{session, std::move(root)}),
                        "root group");
}

}  // namespace loom::hdf5
