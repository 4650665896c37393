// SPDX-License-Identifier: Apache-2.0
#include "traces/nirdata.hpp"

#include <fmt/format.h>
#include <hdf5.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/error.hpp"
#include "base/hdf5/handle.hpp"

namespace loom::traces {
namespace {

using hdf5::Handle;

constexpr hsize_t kChunkNeurons = 16384;

}  // namespace

struct NirDataWriter::Impl {
    struct Signal {
        Handle dataset;
        std::size_t neurons;
    };
    std::string path;
    std::size_t samples, steps;
    double dt;
    hid_t file = -1;
    std::vector<Signal> signals;

    hid_t need(hid_t id) const {
        if (id < 0) throw IoError(path + ": cannot be written (HDF5)");
        return id;
    }
    void need_ok(herr_t status) const {
        if (status < 0) throw IoError(path + ": cannot be written (HDF5)");
    }
    Handle group(hid_t parent, const std::string& name) const {
        if (H5Lexists(parent, name.c_str(), H5P_DEFAULT) > 0) {
            return Handle(need(H5Gopen2(parent, name.c_str(), H5P_DEFAULT)), H5Gclose);
        }
        const Handle plist(H5Pcreate(H5P_GROUP_CREATE), H5Pclose);
        H5Pset_obj_track_times(plist.get(), 0);
        return Handle(need(H5Gcreate2(parent, name.c_str(), H5P_DEFAULT, plist.get(), H5P_DEFAULT)), H5Gclose);
    }
    void attribute(hid_t object, const char* name, const std::string& value) const {
        const Handle type(H5Tcopy(H5T_C_S1), H5Tclose);
        H5Tset_size(type.get(), value.size());
        H5Tset_cset(type.get(), H5T_CSET_UTF8);
        const Handle space(H5Screate(H5S_SCALAR), H5Sclose);
        const Handle a(need(H5Acreate2(object, name, type.get(), space.get(), H5P_DEFAULT, H5P_DEFAULT)), H5Aclose);
        need_ok(H5Awrite(a.get(), type.get(), value.data()));
    }
    void write(std::size_t signal, std::size_t sample, hid_t type, const void* data,
               std::size_t count) const {
        const Signal& s = signals.at(signal);
        if (count != steps * s.neurons || sample >= samples)
            throw InternalError("a recorded sample of the wrong size");
        const hsize_t start[3] = {sample, 0, 0}, block[3] = {1, steps, s.neurons};
        const Handle space(H5Dget_space(s.dataset.get()), H5Sclose);
        need_ok(H5Sselect_hyperslab(space.get(), H5S_SELECT_SET, start, nullptr, block, nullptr));
        const Handle memory(H5Screate_simple(3, block, nullptr), H5Sclose);
        need_ok(H5Dwrite(s.dataset.get(), type, memory.get(), space.get(), H5P_DEFAULT, data));
    }
};

NirDataWriter::NirDataWriter(const std::string& path, std::size_t samples, std::size_t steps, double dt)
    : impl_(new Impl{path, samples, steps, dt, -1, {}}) {
    hdf5::prepare_library();
    const Handle plist(H5Pcreate(H5P_FILE_CREATE), H5Pclose);
    H5Pset_obj_track_times(plist.get(), 0);
    impl_->file = impl_->need(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, plist.get(), H5P_DEFAULT));
    const Handle root(H5Gopen2(impl_->file, "/", H5P_DEFAULT), H5Gclose);
    impl_->attribute(root.get(), "__type__", "NIRGraphData");
}

NirDataWriter::~NirDataWriter() {
    impl_->signals.clear();
    if (impl_->file >= 0) H5Fclose(impl_->file);
}

std::size_t NirDataWriter::add(const std::string& layer, const std::string& key, std::size_t neurons,
                               Kind kind) {
    // a nested layer "a/b" must not become a nested group
    std::string name = layer;
    std::replace(name.begin(), name.end(), '/', '.');
    const Handle nodes = impl_->group(impl_->file, "nodes");
    const bool is_new = H5Lexists(nodes.get(), name.c_str(), H5P_DEFAULT) <= 0;
    const Handle node = impl_->group(nodes.get(), name);
    if (is_new) impl_->attribute(node.get(), "__type__", "NIRNodeData");
    const Handle observables = impl_->group(node.get(), "observables");
    const Handle group = impl_->group(observables.get(), key);
    impl_->attribute(group.get(), "__type__", "TimeGriddedData");
    const hsize_t dims[3] = {impl_->samples, impl_->steps, neurons};
    const hsize_t chunk[3] = {1, std::max<hsize_t>(1, impl_->steps),
                              std::clamp<hsize_t>(neurons, 1, kChunkNeurons)};
    const Handle space(impl_->need(H5Screate_simple(3, dims, nullptr)), H5Sclose);
    const Handle plist(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
    H5Pset_obj_track_times(plist.get(), 0);
    if (impl_->samples * impl_->steps * neurons != 0) {
        H5Pset_chunk(plist.get(), 3, chunk);
        H5Pset_deflate(plist.get(), 4);
    }
    const hid_t type = kind == Kind::Spikes       ? H5T_STD_U8LE
                       : kind == Kind::WideSpikes ? H5T_STD_I32LE
                                                  : H5T_IEEE_F64LE;
    impl_->signals.push_back(
        {Handle(impl_->need(H5Dcreate2(group.get(), "data", type, space.get(), H5P_DEFAULT, plist.get(), H5P_DEFAULT)),
                H5Dclose),
         neurons});
    const Handle scalar(H5Screate(H5S_SCALAR), H5Sclose);
    const Handle a(impl_->need(H5Acreate2(group.get(), "dt", H5T_IEEE_F64LE, scalar.get(), H5P_DEFAULT, H5P_DEFAULT)),
                   H5Aclose);
    impl_->need_ok(H5Awrite(a.get(), H5T_NATIVE_DOUBLE, &impl_->dt));
    return impl_->signals.size() - 1;
}

void NirDataWriter::append(std::size_t signal, std::size_t sample, std::span<const std::uint8_t> v) {
    impl_->write(signal, sample, H5T_NATIVE_UINT8, v.data(), v.size());
}
void NirDataWriter::append(std::size_t signal, std::size_t sample, std::span<const std::int32_t> v) {
    impl_->write(signal, sample, H5T_NATIVE_INT32, v.data(), v.size());
}
void NirDataWriter::append(std::size_t signal, std::size_t sample, std::span<const double> v) {
    impl_->write(signal, sample, H5T_NATIVE_DOUBLE, v.data(), v.size());
}

void NirDataWriter::close() {
    impl_->signals.clear();
    const herr_t status = H5Fclose(std::exchange(impl_->file, -1));
    impl_->need_ok(status);
}

}  // namespace loom::traces
