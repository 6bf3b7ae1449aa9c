# Compiler cache, linker, warnings and sanitizers.

find_program(CCACHE ccache)
if(CCACHE)
  # Two checkouts of the same sources share their objects: paths are taken relative to the tree.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1
      CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime ${CCACHE})
endif()

find_program(MOLD mold)
if(MOLD)
  add_link_options(-fuse-ld=mold)
endif()

add_compile_options(-Wall -Wextra -Wpedantic -Wnon-virtual-dtor -Woverloaded-virtual -fno-omit-frame-pointer)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # Sibling calls: without them a coroutine that awaits finished ones in a loop grows the stack with each, below -O2.
  add_compile_options(-fpch-preprocess -foptimize-sibling-calls -Wno-missing-field-initializers -Wno-maybe-uninitialized -Wno-array-bounds)
else()
  # Deprecations are left to GCC: clang counts those inside libstdc++ (std::stable_sort) as ours.
  add_compile_options(-Wno-missing-field-initializers -Wno-missing-designated-field-initializers
                      -Wno-deprecated-declarations -Wzero-as-null-pointer-constant)
endif()
add_compile_definitions($<$<CONFIG:Debug>:_GLIBCXX_ASSERTIONS>)
# The same for every target, so that all share one precompiled header.
add_compile_definitions(SPDLOG_FMT_EXTERNAL SPDLOG_SHARED_LIB SPDLOG_COMPILED_LIB _LARGEFILE64_SOURCE)

if(POSTHASTE_SANITIZE)
  add_compile_options(-fsanitize=${POSTHASTE_SANITIZE} -fno-sanitize-recover=undefined)
  add_link_options(-fsanitize=${POSTHASTE_SANITIZE})
endif()

# clang-tidy before each compile: ninja knows which files and headers have changed since, and repeats only those.
if(POSTHASTE_TIDY)
  # Named after its contents, so that other rules are another command and check everything anew.
  file(SHA256 ${CMAKE_SOURCE_DIR}/.clang-tidy rules)
  configure_file(${CMAKE_SOURCE_DIR}/.clang-tidy ${CMAKE_BINARY_DIR}/rules-${rules} COPYONLY)
  set(CMAKE_CXX_CLANG_TIDY clang-tidy-19 --quiet --config-file=${CMAKE_BINARY_DIR}/rules-${rules})
endif()

find_package(Threads REQUIRED)
if(POSTHASTE_TESTS)
  enable_testing()
  find_package(GTest REQUIRED)
endif()
