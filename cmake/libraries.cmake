# Debian's libraries under one name each. README.md says what each is for.

find_package(PkgConfig REQUIRED)
find_package(Boost 1.74 REQUIRED)
find_package(OpenSSL 3 REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(CLI11 REQUIRED)
find_package(prometheus-cpp REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(ZLIB REQUIRED)
find_package(CURL 7.87 REQUIRED)

pkg_check_modules(SQLITE REQUIRED IMPORTED_TARGET sqlite3)
pkg_check_modules(MARIADB REQUIRED IMPORTED_TARGET libmariadb)
# Not through pkg-config: Debian's description asks for the development files of nettle and libevent, which nobody needs here.
find_library(UNBOUND_LIBRARY unbound REQUIRED)
find_path(UNBOUND_INCLUDE unbound.h REQUIRED)
add_library(Unbound::Unbound INTERFACE IMPORTED)
target_link_libraries(Unbound::Unbound INTERFACE ${UNBOUND_LIBRARY})
target_include_directories(Unbound::Unbound INTERFACE ${UNBOUND_INCLUDE})
pkg_check_modules(IDN2 REQUIRED IMPORTED_TARGET libidn2)
pkg_check_modules(SYSTEMD REQUIRED IMPORTED_TARGET libsystemd)
pkg_check_modules(CRYPT REQUIRED IMPORTED_TARGET libcrypt)
pkg_check_modules(GMIME REQUIRED IMPORTED_TARGET gmime-3.0)
# Its -D_LARGEFILE64_SOURCE means nothing on 64-bit systems, and would keep the precompiled header from being used.
set_target_properties(PkgConfig::GMIME PROPERTIES INTERFACE_COMPILE_OPTIONS "")
pkg_check_modules(GUMBO REQUIRED IMPORTED_TARGET gumbo)
