# cmake --install: the program with its manual, and the rooms as a library: headers, archives, the CMake package `bento` with a target
# bento::ROOM for each room, and bento.pc for those who publish onion services without CMake.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

install(TARGETS bentoctl)
foreach(section 1 5 7)
    file(GLOB pages CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/man/*.${section})
    install(FILES ${pages} DESTINATION ${CMAKE_INSTALL_MANDIR}/man${section})
endforeach()
install(FILES ${PROJECT_SOURCE_DIR}/README.md ${PROJECT_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/torrc.d DESTINATION ${CMAKE_INSTALL_DOCDIR}/examples)

# Everything but the program's own room.
get_property(rooms GLOBAL PROPERTY bento_rooms)
list(REMOVE_ITEM rooms cli)
list(TRANSFORM rooms PREPEND bento_)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/bento DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(TARGETS bento_options ${rooms} EXPORT bento INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})

set(package ${CMAKE_INSTALL_LIBDIR}/cmake/bento)
install(EXPORT bento NAMESPACE bento:: FILE bentoTargets.cmake DESTINATION ${package})
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/bentoConfig.cmake.in bentoConfig.cmake INSTALL_DESTINATION ${package})
write_basic_package_version_file(bentoConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/bentoConfig.cmake ${CMAKE_CURRENT_BINARY_DIR}/bentoConfigVersion.cmake DESTINATION ${package})

# The way from the .pc file to the prefix, so that an installed tree can be moved.
file(RELATIVE_PATH bento_up /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
configure_file(${CMAKE_CURRENT_LIST_DIR}/bento.pc.in bento.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/bento.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
