# SPDX-License-Identifier: Apache-2.0
# cmake -DSOURCE=tree -DOUT=file.cpp -P Commit.cmake: which sources a program is built from. The commit; with changes
# that are not committed a digest of these; empty outside a git tree. The file is touched only when it changes.
find_package(Git QUIET)
set(commit "")
if(Git_FOUND AND EXISTS "${SOURCE}/.git")
    execute_process(COMMAND "${GIT_EXECUTABLE}" rev-parse --short=12 HEAD WORKING_DIRECTORY "${SOURCE}"
        OUTPUT_VARIABLE commit OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
    execute_process(COMMAND "${GIT_EXECUTABLE}" diff HEAD WORKING_DIRECTORY "${SOURCE}"
        OUTPUT_VARIABLE changes ERROR_QUIET)
    if(commit AND changes)
        string(SHA1 changes "${changes}")
        string(SUBSTRING "${changes}" 0 8 changes)
        string(APPEND commit "+${changes}")
    endif()
endif()
file(CONFIGURE OUTPUT "${OUT}" CONTENT "// Made by cmake/Commit.cmake.
#include \"app/build_commit.hpp\"

const char* loom::app::build_commit() { return \"${commit}\"; }
")
