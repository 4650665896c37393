# SPDX-License-Identifier: Apache-2.0
# Imported target SystemC::systemc. Debian's 2.3.4 is built as C++17; its ABI tag is chosen by
# SC_CPLUSPLUS, so C++20 users must ask for 201703L (docs/adr/0001).
find_path(SystemC_INCLUDE_DIR systemc.h PATH_SUFFIXES systemc HINTS $ENV{SYSTEMC_HOME}/include)
find_library(SystemC_LIBRARY systemc HINTS $ENV{SYSTEMC_HOME}/lib $ENV{SYSTEMC_HOME}/lib-linux64)
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(SystemC REQUIRED_VARS SystemC_LIBRARY SystemC_INCLUDE_DIR)
if(SystemC_FOUND AND NOT TARGET SystemC::systemc)
    add_library(SystemC::systemc UNKNOWN IMPORTED)
    set_target_properties(SystemC::systemc PROPERTIES
        IMPORTED_LOCATION "${SystemC_LIBRARY}"
        INTERFACE_INCLUDE_DIRECTORIES "${SystemC_INCLUDE_DIR}"
        INTERFACE_SYSTEM_INCLUDE_DIRECTORIES "${SystemC_INCLUDE_DIR}"
        INTERFACE_COMPILE_DEFINITIONS "SC_CPLUSPLUS=201703L")
endif()
