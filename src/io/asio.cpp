// Asio's non-template code, for the whole room.
#include "io/asio.h"

#include <boost/asio/impl/src.hpp>
