// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/compiler/import/nir_file_writer.hpp"

#include <hdf5.h>
#include <stdlib.h>

#include <array>
#include <filesystem>
#include <numeric>
#include <stdexcept>

namespace loom::test {
namespace {

hid_t need(hid_t id, const std::string& what) {
    if (id < 0) throw std::runtime_error("HDF5 refuses " + what);
    return id;
}

hid_t new_space(const Dims& dims) {
    const std::vector<hsize_t> d(dims.begin(), dims.end());
    return d.empty() ? H5Screate(H5S_SCALAR)
                     : H5Screate_simple(static_cast<int>(d.size()), d.data(), nullptr);
}

hid_t with_parents() {
    const hid_t plist = H5Pcreate(H5P_LINK_CREATE);
    H5Pset_create_intermediate_group(plist, 1);
    return plist;
}

hid_t text_type(std::size_t length) {
    const hid_t type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, length);
    return type;
}

}  // namespace

Hdf5Writer::Hdf5Writer(const std::string& path)
    : file_(need(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT), path)) {}

Hdf5Writer::~Hdf5Writer() {
    H5Fclose(file_);
}

void Hdf5Writer::group(const std::string& path) {
    const hid_t parents = with_parents();
    H5Gclose(need(H5Gcreate2(file_, path.c_str(), parents, H5P_DEFAULT, H5P_DEFAULT), path));
    H5Pclose(parents);
}

void Hdf5Writer::dataset(const std::string& path, const Dims& dims, std::int64_t file_type,
                         std::int64_t memory_type, const void* data, bool packed) {
    const hid_t parents = with_parents(), space = new_space(dims), layout = H5Pcreate(H5P_DATASET_CREATE);
    if (packed) {
        const std::vector<hsize_t> chunk(dims.begin(), dims.end());
        H5Pset_chunk(layout, static_cast<int>(chunk.size()), chunk.data());
        H5Pset_deflate(layout, 4);
    }
    const hid_t set =
        need(H5Dcreate2(file_, path.c_str(), file_type, space, parents, layout, H5P_DEFAULT), path);
    if (data != nullptr) need(H5Dwrite(set, memory_type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data), path);
    H5Dclose(set);
    H5Pclose(layout);
    H5Sclose(space);
    H5Pclose(parents);
}

void Hdf5Writer::reals(const std::string& path, const Dims& dims, const std::vector<double>& values) {
    dataset(path, dims, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, values.data());
}

void Hdf5Writer::packed_floats(const std::string& path, const Dims& dims, const std::vector<double>& values) {
    dataset(path, dims, H5T_IEEE_F32LE, H5T_NATIVE_DOUBLE, values.data(), true);
}

void Hdf5Writer::integers(const std::string& path, const Dims& dims,
                          const std::vector<std::int64_t>& values) {
    dataset(path, dims, H5T_STD_I64LE, H5T_NATIVE_INT64, values.data());
}

void Hdf5Writer::boolean(const std::string& path, bool value) {
    const hid_t type = H5Tenum_create(H5T_NATIVE_INT8);
    const std::int8_t off = 0, on = 1, stored = value ? on : off;
    H5Tenum_insert(type, "FALSE", &off);
    H5Tenum_insert(type, "TRUE", &on);
    dataset(path, {}, type, type, &stored);
    H5Tclose(type);
}

void Hdf5Writer::text(const std::string& path, const std::string& value) {
    texts(path, {}, {value});
}

void Hdf5Writer::fixed_text(const std::string& path, const std::string& value, std::size_t length) {
    const hid_t type = text_type(length);
    std::string padded = value;
    padded.resize(length, '\0');
    dataset(path, {}, type, type, padded.data());
    H5Tclose(type);
}

void Hdf5Writer::texts(const std::string& path, const Dims& dims, const std::vector<std::string>& values) {
    const hid_t type = text_type(H5T_VARIABLE);
    std::vector<const char*> raw;
    for (const auto& v : values) raw.push_back(v.c_str());
    dataset(path, dims, type, type, raw.data());
    H5Tclose(type);
}

void Hdf5Writer::unwritten(const std::string& path, const Dims& dims) {
    const std::vector<hsize_t> d(dims.begin(), dims.end()), chunk(dims.size(), 1);
    const hid_t parents = with_parents(), layout = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_chunk(layout, static_cast<int>(chunk.size()), chunk.data());
    const hid_t space = H5Screate_simple(static_cast<int>(d.size()), d.data(), nullptr);
    H5Dclose(
        need(H5Dcreate2(file_, path.c_str(), H5T_IEEE_F64LE, space, parents, layout, H5P_DEFAULT), path));
    H5Sclose(space);
    H5Pclose(layout);
    H5Pclose(parents);
}

void Hdf5Writer::soft_link(const std::string& path, const std::string& target) {
    need(H5Lcreate_soft(target.c_str(), file_, path.c_str(), H5P_DEFAULT, H5P_DEFAULT), path);
}

void Hdf5Writer::hard_link(const std::string& path, const std::string& target) {
    need(H5Lcreate_hard(file_, target.c_str(), file_, path.c_str(), H5P_DEFAULT, H5P_DEFAULT), path);
}

GraphWriter::Node& GraphWriter::Node::counting(const std::string& key, const Dims& dims) {
    std::vector<double> v(std::accumulate(dims.begin(), dims.end(), std::size_t{1}, std::multiplies<>()));
    std::iota(v.begin(), v.end(), 0.0);
    return reals(key, dims, v);
}

GraphWriter::Node GraphWriter::node(const std::string& name, const std::string& type) {
    const std::string path = path_ + "nodes/" + name + "/";
    h_.text(path + "type", type);
    return {h_, path};
}

GraphWriter& GraphWriter::edge(const std::string& from, const std::string& to) {
    ends_.push_back(from);
    ends_.push_back(to);
    return *this;
}

void GraphWriter::finish() {
    h_.text(path_ + "type", "NIRGraph");
    if (ends_.empty()) {
        h_.reals(path_ + "edges", {0}, {});
    } else {
        h_.texts(path_ + "edges", {ends_.size() / 2, 2}, ends_);
    }
}

TemporaryFile::TemporaryFile() {
    folder_ = (std::filesystem::temp_directory_path() / "loom_XXXXXX").string();
    if (mkdtemp(folder_.data()) == nullptr) throw std::runtime_error("no temporary folder");
    path_ = folder_ + "/net.nir";
}

TemporaryFile::~TemporaryFile() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
}

}  // namespace loom::test
