# SPDX-License-Identifier: Apache-2.0
# Headers that most files include are read once for each set of options, not once a file (docs/reference/performance.md
# has what it saves). A file still includes what it uses: -DLOOM_PCH=OFF builds the same.
option(LOOM_PCH "precompile the headers that most files include" ON)

set(LOOM_PCH_HEADERS <algorithm> <array> <bit> <cmath> <cstdint> <functional> <map> <memory> <optional> <span> <string>
    <string_view> <utility> <vector> <fmt/format.h>)

# loom_pch(name "options" "more headers" libraries...): a set for targets that are compiled with these options.
function(loom_pch name options headers)
    if(NOT LOOM_PCH)
        return()
    endif()
    set(source "${CMAKE_BINARY_DIR}/pch/${name}.cpp")
    if(NOT EXISTS "${source}")
        file(WRITE "${source}" "// A set of precompiled headers needs a target, and a target a source.\n")
    endif()
    add_library(${name} OBJECT "${source}")
    target_compile_options(${name} PRIVATE ${options})
    target_link_libraries(${name} PRIVATE loom_warnings fmt::fmt ${ARGN})
    target_precompile_headers(${name} PRIVATE ${LOOM_PCH_HEADERS} ${headers})
endfunction()

# loom_use_pch(target set): the target's files are compiled with the set.
function(loom_use_pch target name)
    if(LOOM_PCH)
        target_precompile_headers(${target} REUSE_FROM ${name})
    endif()
endfunction()
