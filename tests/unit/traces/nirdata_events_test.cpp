// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <hdf5.h>

#include <cmath>
#include <filesystem>

#include "base/error.hpp"
#include "traces/nirdata.hpp"

namespace loom::traces {
namespace {

std::vector<std::string> unread_notes;

/// One sample of two events of node 'n', with the attributes the format asks for; dt 0: without one.
std::string event_file(double idx, double time, double dt, double n_neurons, double second = -1,
                       double t_max = 5e-4) {
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
    const double indices[2] = {idx, second}, times[2] = {time, second < 0 ? INFINITY : time};
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
    if (dt != 0) attribute("dt", dt);
    attribute("n_neurons", n_neurons);
    attribute("t_max", t_max);
    H5Sclose(scalar);
    H5Sclose(space);
    H5Gclose(group);
    H5Pclose(links);
    H5Fclose(file);
    return path;
}

TEST(NirDataEvents, AttributesGiveTheGrid) {
    const Array a = read_nir_data(event_file(2, 3e-4, 1e-4, 7), "n", 1e-4, unread_notes);
    ASSERT_EQ(a.shape(), (std::vector<std::size_t>{1, 5, 7}));
    for (std::size_t i = 0; i < a.size(); ++i) EXPECT_EQ(a.at(i), i == 3 * 7 + 2 ? 1.0 : 0.0) << i;
}

TEST(NirDataEvents, SecondsGoOntoTheGridOfTheRun) {
    const auto step = [](double time, double dt) {
        const Array a = read_nir_data(event_file(2, time, 0, 7), "n", dt, unread_notes);
        for (std::size_t i = 0; i < a.size(); ++i)
            if (a.at(i) != 0) return static_cast<int>(i / 7);
        return -1;
    };
    EXPECT_EQ(read_nir_data(event_file(2, 0, 0, 7), "n", 1e-4, unread_notes).shape()[1], 5u);
    EXPECT_EQ(read_nir_data(event_file(2, 0, 0, 7), "n", 5e-5, unread_notes).shape()[1], 10u);
    EXPECT_EQ(step(3e-4, 1e-4), 3);  // 2.9999999999999996 in float64
    EXPECT_EQ(step(3.9e-4, 1e-4), 3);
    EXPECT_EQ(step(static_cast<double>(3e-4F), 1e-4), 3);
    EXPECT_EQ(step(static_cast<double>(9e-4F), 1e-4), 9);
    EXPECT_EQ(step(3e-4, 1e-3), 0);
}

TEST(NirDataEvents, AnotherTimestepIsRefused) {
    try {
        read_nir_data(event_file(2, 3e-4, 1e-3, 7), "n", 1e-4, unread_notes);
        FAIL() << "accepted";
    } catch (const InputError& e) {
        EXPECT_NE(
            std::string(e.what()).find("attribute 'dt' is 0.001 s, but a timestep of the run, profile.dt, is "
                                       "0.0001 s"),
            std::string::npos)
            << e.what();
    }
    EXPECT_NO_THROW(
        read_nir_data(event_file(2, 3e-4, static_cast<double>(1e-4F), 7), "n", 1e-4, unread_notes));
}

TEST(NirDataEvents, EventsThatCoverOthersAreTold) {
    std::vector<std::string> notes;
    const Array a = read_nir_data(event_file(2, 3e-4, 0, 7, 2), "n", 1e-4, notes);
    EXPECT_EQ(a.at(3 * 7 + 2), 1.0);
    ASSERT_EQ(notes.size(), 1u);
    EXPECT_NE(notes[0].find("1 of the events"), std::string::npos) << notes[0];
    notes.clear();
    read_nir_data(event_file(2, 3e-4, 0, 7, 3), "n", 1e-4, notes);
    EXPECT_TRUE(notes.empty());
}

TEST(NirDataEvents, HostileNumbersAreErrors) {
    for (const double bad : {static_cast<double>(NAN), static_cast<double>(INFINITY), 1e300, 0.5}) {
        EXPECT_THROW(read_nir_data(event_file(bad, 0, 1e-4, 7), "n", 1e-4, unread_notes), InputError) << bad;
    }
    for (const double bad : {static_cast<double>(NAN), static_cast<double>(INFINITY), 1e300, -1.0}) {
        EXPECT_THROW(read_nir_data(event_file(2, bad, 1e-4, 7), "n", 1e-4, unread_notes), InputError) << bad;
        EXPECT_THROW(read_nir_data(event_file(2, 0, 1e-4, bad), "n", 1e-4, unread_notes), InputError) << bad;
    }
    for (const double bad : {static_cast<double>(NAN), 1e-3, -1.0}) {
        EXPECT_THROW(read_nir_data(event_file(2, 0, bad, 7), "n", 1e-4, unread_notes), InputError) << bad;
    }
    EXPECT_THROW(read_nir_data(event_file(7, 0, 1e-4, 7), "n", 1e-4, unread_notes), InputError);
}

}  // namespace
}  // namespace loom::traces
