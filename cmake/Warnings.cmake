# SPDX-License-Identifier: Apache-2.0
add_library(loom_warnings INTERFACE)
target_compile_options(loom_warnings INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion
    -Wsign-conversion -Wold-style-cast -Wnon-virtual-dtor)
if(LOOM_WERROR)
    target_compile_options(loom_warnings INTERFACE -Werror)
endif()
