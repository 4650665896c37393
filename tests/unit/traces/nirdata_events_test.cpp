// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <hdf5.h>

#include <cmath>
#include <filesystem>

#include "base/error.hpp"
#include "traces/nirdata.hpp"

namespace loom::traces {
namespace {

/// One sample of two events of node 'n', with the attributes the format asks for.
std::string event_file(double idx, double time, double dt, double n_neurons) {
    const std::string path = (std::filesystem::path(::testing::TempDir()) /
                              (std::string("spikeloom_events_") +
                               ::testing::UnitTest::GetInstance()->current_test_info()->name() + ".h5"))
                                 .string();
    const hid_t file = H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    const hid_t links = H5Pcreate(H5P_LINK_CREATE);
    H5Pset_create_intermediate_group(links, 1);
    const hid_t group = H5Gcreate2(file, "nodes/n/observables/spikes", links, H5P_DEFAULT, H5P_DEFAULT);
    const hsize_t dims[2] = {1, 2};
    const hid_t space = H5Screate_simple(2, dims, nullptr), scalar = H5Screate(H5S_SCALAR);
    const double indices[2] = {idx, -1}, times[2] = {time, INFINITY};
    const auto dataset = [&](const char* name, const double* values) {
        const hid_t d = H5Dcreate2(group, name, H5T_IEEE_F64LE, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
        H5Dwrite(d, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values);
        H5Dclose(d);
    };
    const auto attribute = [&](const char* name, double value) {
        const hid_t a = H5Acreate2(group, name, H5T_IEEE_F64LE, scalar, H5P_DEFAULT, H5P_DEFAULT);
        H5Awrite(a, H5T_NATIVE_DOUBLE, &value);
        H5Aclose(a);
    };
    dataset("idx", indices);
    dataset("time", times);
    attribute("dt", dt);
    attribute("n_neurons", n_neurons);
    attribute("t_max", 5 * dt);
    H5Sclose(scalar);
    H5Sclose(space);
    H5Gclose(group);
    H5Pclose(links);
    H5Fclose(file);
    return path;
}

TEST(NirDataEvents, AttributesGiveTheGrid) {
    const Array a = read_nir_data(event_file(2, 3e-4, 1e-4, 7), "n");
    ASSERT_EQ(a.shape(), (std::vector<std::size_t>{1, 5, 7}));
    for (std::size_t i = 0; i < a.size(); ++i) EXPECT_EQ(a.at(i), i == 3 * 7 + 2 ? 1.0 : 0.0) << i;
}

TEST(NirDataEvents, HostileNumbersAreErrors) {
    for (const double bad : {static_cast<double>(NAN), static_cast<double>(INFINITY), 1e300, 0.5}) {
        EXPECT_THROW(read_nir_data(event_file(bad, 0, 1e-4, 7), "n"), InputError) << bad;
    }
    for (const double bad : {static_cast<double>(NAN), static_cast<double>(INFINITY), 1e300, -1.0}) {
        EXPECT_THROW(read_nir_data(event_file(2, bad, 1e-4, 7), "n"), InputError) << bad;
        EXPECT_THROW(read_nir_data(event_file(2, 0, 1e-4, bad), "n"), InputError) << bad;
    }
    for (const double bad : {static_cast<double>(NAN), 0.0, -1.0}) {
        EXPECT_THROW(read_nir_data(event_file(2, 0, bad, 7), "n"), InputError) << bad;
    }
    EXPECT_THROW(read_nir_data(event_file(7, 0, 1e-4, 7), "n"), InputError);
}

}  // namespace
}  // namespace loom::traces
