# SPDX-License-Identifier: Apache-2.0
# Imported target loom_hdf5: the C library of HDF5 without MPI. CMake's own FindHDF5 asks a C compiler, which a
# C++ project that uses the installed package need not have enabled.
find_path(SerialHDF5_INCLUDE_DIR hdf5.h PATH_SUFFIXES hdf5/serial HINTS $ENV{HDF5_ROOT}/include)
find_library(SerialHDF5_LIBRARY hdf5 PATH_SUFFIXES hdf5/serial HINTS $ENV{HDF5_ROOT}/lib)
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(SerialHDF5 REQUIRED_VARS SerialHDF5_LIBRARY SerialHDF5_INCLUDE_DIR)
mark_as_advanced(SerialHDF5_INCLUDE_DIR SerialHDF5_LIBRARY)
if(SerialHDF5_FOUND AND NOT TARGET loom_hdf5)
    add_library(loom_hdf5 UNKNOWN IMPORTED)
    set_target_properties(loom_hdf5 PROPERTIES
        IMPORTED_LOCATION "${SerialHDF5_LIBRARY}"
        INTERFACE_INCLUDE_DIRECTORIES "${SerialHDF5_INCLUDE_DIR}"
        INTERFACE_SYSTEM_INCLUDE_DIRECTORIES "${SerialHDF5_INCLUDE_DIR}")
endif()
