# room(NAME FOLDER USES rooms... LINKS libraries... TESTS_LINK libraries...)
#
# One library per folder of src/. A room sees its own headers and those of the rooms that it uses, and no others: each
# room's include path holds nothing but a link to its folder, so an include that goes up does not build.
# Files ending in _test.cpp become the program NAME_test, registered with ctest. Files testing_*.cpp become the library
# NAME_testing, helpers for the room's own tests and for those of rooms that name it: room(... TESTS_LINK NAME_testing).
function(room name folder)
  cmake_parse_arguments(ROOM "" "" "USES;LINKS;TESTS_LINK" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${folder}/*.cpp)
  set(tests ${sources})
  list(FILTER tests INCLUDE REGEX "_test\\.cpp$")
  set(helpers ${sources})
  list(FILTER helpers INCLUDE REGEX "/testing_[^/]*\\.cpp$")
  set(benches ${sources})
  list(FILTER benches INCLUDE REGEX "_bench\\.cpp$")
  list(FILTER sources EXCLUDE REGEX "(_(test|bench|fuzz)|/testing_[^/]*)\\.cpp$")

  set(path ${CMAKE_BINARY_DIR}/rooms/${name})
  get_filename_component(parent ${folder} DIRECTORY)
  file(MAKE_DIRECTORY ${path}/${parent})
  file(CREATE_LINK ${CMAKE_CURRENT_SOURCE_DIR}/${folder} ${path}/${folder} SYMBOLIC)

  if(sources)
    add_library(${name} STATIC ${sources})
    target_include_directories(${name} PUBLIC ${path})
    target_link_libraries(${name} PUBLIC ${ROOM_USES} fmt::fmt PRIVATE ${ROOM_LINKS} Threads::Threads)
    if(NOT name STREQUAL base)
      target_precompile_headers(${name} REUSE_FROM base)
    endif()
  else()
    add_library(${name} INTERFACE)
    target_include_directories(${name} INTERFACE ${path})
    target_link_libraries(${name} INTERFACE ${ROOM_USES} fmt::fmt)
  endif()

  if(POSTHASTE_TESTS AND helpers)
    add_library(${name}_testing STATIC ${helpers})
    target_link_libraries(${name}_testing PUBLIC ${name} PRIVATE ${ROOM_LINKS})
    target_precompile_headers(${name}_testing REUSE_FROM base)
    list(APPEND ROOM_TESTS_LINK ${name}_testing)
  endif()

  if(POSTHASTE_TESTS AND benches)
    add_executable(${name}_bench EXCLUDE_FROM_ALL ${benches})
    target_link_libraries(${name}_bench PRIVATE ${name} ${ROOM_LINKS} ${ROOM_TESTS_LINK})
    target_precompile_headers(${name}_bench REUSE_FROM base)
  endif()

  if(POSTHASTE_TESTS AND tests)
    add_executable(${name}_test ${tests})
    target_link_libraries(${name}_test PRIVATE ${name} ${ROOM_LINKS} ${ROOM_TESTS_LINK} GTest::gtest_main GTest::gmock)
    set_target_properties(${name}_test PROPERTIES CXX_CLANG_TIDY "")  # gtest's macros are most of what it would find
    target_precompile_headers(${name}_test REUSE_FROM base)
    add_test(NAME ${name} COMMAND ${name}_test)
    set_tests_properties(${name} PROPERTIES TIMEOUT 300)
  endif()
endfunction()
