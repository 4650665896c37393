# SPDX-License-Identifier: Apache-2.0
# `cmake --install`: the program and what it reads (component runtime), and what a program of one's own is built
# from (component development). Nothing that is installed holds an absolute path: the tree can be moved.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(LOOM_SHARE "${CMAKE_INSTALL_DATADIR}/spikeloom")
set(LOOM_PACKAGE "${CMAKE_INSTALL_LIBDIR}/cmake/Spikeloom")

# Spikeloom::spikeloom is all libraries, Spikeloom::<part> one of them, Spikeloom::program the program.
add_library(loom_spikeloom INTERFACE)
target_link_libraries(loom_spikeloom INTERFACE loom_app)
target_compile_options(loom_spikeloom INTERFACE -ffp-contract=off)
get_property(libraries GLOBAL PROPERTY LOOM_LIBRARIES)
foreach(library IN LISTS libraries ITEMS loom_spikeloom)
    string(REGEX REPLACE "^loom_" "" part "${library}")
    set_target_properties(${library} PROPERTIES EXPORT_NAME "${part}")
    list(APPEND LOOM_COMPONENTS "${part}")
endforeach()
set_target_properties(spikeloom PROPERTIES EXPORT_NAME program)

install(TARGETS spikeloom EXPORT Spikeloom RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}" COMPONENT runtime)
install(TARGETS ${libraries} loom_spikeloom EXPORT Spikeloom
    ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}/spikeloom" COMPONENT development)
install(DIRECTORY base arch cores noc compiler traces sim training app
    DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/spikeloom" COMPONENT development FILES_MATCHING PATTERN "*.hpp")

# Run files name the digits' networks as seen from their own folder, so both keep their places.
install(DIRECTORY configs DESTINATION "${LOOM_SHARE}" COMPONENT runtime)
install(FILES tests/golden/digits/digits_conv_q8.nir tests/golden/digits/digits_mlp_q8.nir
    tests/golden/digits/digits_image_input.npz tests/golden/digits/digits_mlp_input.npz
    DESTINATION "${LOOM_SHARE}/tests/golden/digits" COMPONENT runtime)
install(FILES LICENSE README.md CHANGELOG.md DESTINATION "${CMAKE_INSTALL_DOCDIR}" COMPONENT runtime)

install(DIRECTORY man/ DESTINATION "${CMAKE_INSTALL_MANDIR}/man1" COMPONENT runtime FILES_MATCHING PATTERN "*.1")
install(FILES completion/spikeloom.bash RENAME spikeloom
    DESTINATION "${CMAKE_INSTALL_DATADIR}/bash-completion/completions" COMPONENT runtime)
install(FILES completion/_spikeloom DESTINATION "${CMAKE_INSTALL_DATADIR}/zsh/site-functions" COMPONENT runtime)
install(FILES completion/spikeloom.fish
    DESTINATION "${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d" COMPONENT runtime)

configure_package_config_file(cmake/SpikeloomConfig.cmake.in "${CMAKE_CURRENT_BINARY_DIR}/SpikeloomConfig.cmake"
    INSTALL_DESTINATION "${LOOM_PACKAGE}" PATH_VARS LOOM_SHARE)
write_basic_package_version_file("${CMAKE_CURRENT_BINARY_DIR}/SpikeloomConfigVersion.cmake"
    COMPATIBILITY SameMinorVersion)
install(EXPORT Spikeloom NAMESPACE Spikeloom:: FILE SpikeloomTargets.cmake
    DESTINATION "${LOOM_PACKAGE}" COMPONENT development)
install(FILES "${CMAKE_CURRENT_BINARY_DIR}/SpikeloomConfig.cmake"
    "${CMAKE_CURRENT_BINARY_DIR}/SpikeloomConfigVersion.cmake" cmake/FindSystemC.cmake cmake/FindSerialHDF5.cmake
    DESTINATION "${LOOM_PACKAGE}" COMPONENT development)

# A program in the build tree finds configs/ as an installed one does: under share/spikeloom beside it.
file(MAKE_DIRECTORY "${CMAKE_BINARY_DIR}/share")
file(RELATIVE_PATH tree "${CMAKE_BINARY_DIR}/share" "${PROJECT_SOURCE_DIR}")
file(CREATE_LINK "${tree}" "${CMAKE_BINARY_DIR}/share/spikeloom" SYMBOLIC)
