# SPDX-License-Identifier: Apache-2.0
if(LOOM_SANITIZE)
    add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer)
    add_link_options(-fsanitize=address,undefined)
    set(CMAKE_CXX_FLAGS_DEBUG "-Og -g1")  # builds in a third of the time of -O2 -g
endif()
