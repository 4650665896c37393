# SPDX-License-Identifier: Apache-2.0
add_library(loom_warnings INTERFACE)
target_compile_options(loom_warnings INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion
    -Wsign-conversion -Wold-style-cast -Wnon-virtual-dtor)
# GCC 12 sees overlaps in std::string and copies beyond its end that are not there (GCC bugs 105651, 105329).
target_compile_options(loom_warnings INTERFACE "$<$<CXX_COMPILER_ID:GNU>:-Wno-restrict;-Wno-array-bounds>")
# ccache and precompiled headers of GCC: the preprocessed text names the header instead of holding it.
target_compile_options(loom_warnings INTERFACE $<$<CXX_COMPILER_ID:GNU>:-fpch-preprocess>)
# A group of files is one to the compiler, which takes its parts for headers.
target_compile_options(loom_warnings INTERFACE $<$<CXX_COMPILER_ID:GNU>:-Wno-subobject-linkage>)
if(LOOM_WERROR)
    target_compile_options(loom_warnings INTERFACE -Werror)
endif()
