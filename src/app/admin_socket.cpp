#include "app/admin_socket.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "app/command.h"
#include "base/log.h"
#include "base/strings.h"

namespace posthaste::app {

namespace {

constexpr std::size_t kMaxRequest = 256u << 20;  // a document with many credentials, a message to send
constexpr auto kTimeout = std::chrono::minutes(10);

// A frame is its length in decimal, a line end, and that many bytes.
void put(std::string& out, std::string_view part) { out += fmt::format("{}\n{}", part.size(), part); }

std::optional<std::string> take(std::string_view& in) {
  const auto end = in.find('\n');
  if (end == std::string_view::npos) return std::nullopt;
  const auto size = parse_int(in.substr(0, end));
  if (!size || *size < 0 || std::size_t(*size) > in.size() - end - 1) return std::nullopt;
  std::string part(in.substr(end + 1, std::size_t(*size)));
  in.remove_prefix(end + 1 + std::size_t(*size));
  return part;
}

std::string encode(const std::vector<std::string>& parts) {
  std::string body;
  for (const auto& part : parts) put(body, part);
  std::string out;
  put(out, body);
  return out;
}

// The parts of a whole frame, or nothing while it is incomplete.
std::optional<std::vector<std::string>> decode(std::string_view in) {
  const auto body = take(in);
  if (!body) return std::nullopt;
  std::vector<std::string> parts;
  std::string_view rest = *body;
  while (!rest.empty()) {
    auto part = take(rest);
    if (!part) return std::nullopt;
    parts.push_back(std::move(*part));
  }
  return parts;
}

class Socket {
 public:
  explicit Socket(int fd) : fd_(fd) {}
  ~Socket() {
    if (fd_ >= 0) ::close(fd_);
  }
  int fd() const { return fd_; }

 private:
  int fd_;
};

io::Task<Result<std::vector<std::string>>> read_request(io::Stream& stream) {
  std::string received;
  std::vector<char> block(64 * 1024);
  for (;;) {
    if (auto parts = decode(received)) co_return std::move(*parts);
    if (received.size() > kMaxRequest) co_return fail(ErrorKind::Limit, "The request is too large.");
    const auto got = co_await stream.read_some(block, 30s);
    if (!got) co_return std::unexpected(got.error());
    received.append(block.data(), *got);
  }
}

AdminAnswer run_command(std::vector<std::string> words, std::string input, Installation& installation) {
  AdminAnswer answer;
  Call call;
  call.input = std::move(input);
  CommandLine line;
  answer.status = line.execute(words, call, &installation);
  answer.out = std::move(call.out);
  answer.err = std::move(call.err);
  return answer;
}

io::Task<> serve(io::Stream stream, Installation* installation) {
  auto parts = co_await read_request(stream);
  if (!parts || parts->empty()) co_return;
  std::string input = std::move(parts->back());
  parts->pop_back();
  auto work = [words = std::move(*parts), input = std::move(input), installation] {
    return run_command(words, input, *installation);
  };
  const AdminAnswer answer = co_await installation->pool.run(std::move(work));
  const std::string reply = encode({std::to_string(answer.status), answer.out, answer.err});
  const auto written = co_await stream.write(reply, 30s);
  if (!written)
    log::warn("admin-socket", "the answer to a command could not be written", {{"error", written.error().text}});
}

}  // namespace

std::string admin_socket_path(const config::Config& config) { return config.posthaste.data_path + "/admin.sock"; }

Result<std::optional<AdminAnswer>> ask_admin_socket(const std::string& path, const AdminRequest& request) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return std::nullopt;
  std::memcpy(address.sun_path, path.data(), path.size());
  const Socket socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (socket.fd() < 0) return fail(ErrorKind::Unavailable, "No socket could be made.", std::strerror(errno));
  if (::connect(socket.fd(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    if (errno == ENOENT || errno == ECONNREFUSED || errno == ENOTDIR) return std::nullopt;
    return fail(
        ErrorKind::Unavailable,
        fmt::format(
            "The running instance cannot be asked at {}: {}. Run the command as the user that Posthaste runs as.", path,
            std::strerror(errno)));
  }
  const timeval timeout{std::chrono::seconds(kTimeout).count(), 0};
  setsockopt(socket.fd(), SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);

  auto words = request.words;
  words.push_back(request.input);
  const std::string frame = encode(words);
  for (std::string_view rest = frame; !rest.empty();) {
    const ssize_t sent = ::send(socket.fd(), rest.data(), rest.size(), MSG_NOSIGNAL);
    if (sent < 0)
      return fail(ErrorKind::Unavailable, "The running instance did not take the command.", std::strerror(errno));
    rest.remove_prefix(std::size_t(sent));
  }
  std::string received;
  char block[16384];
  for (;;) {
    if (auto parts = decode(received); parts && parts->size() == 3) {
      return AdminAnswer{int(parse_int((*parts)[0]).value_or(1)), std::move((*parts)[1]), std::move((*parts)[2])};
    }
    const ssize_t got = ::recv(socket.fd(), block, sizeof block, 0);
    if (got <= 0) return fail(ErrorKind::Unavailable, "The running instance ended before it answered.");
    received.append(block, std::size_t(got));
  }
}

Result<std::unique_ptr<io::Listener>> serve_admin_socket(Installation& installation) {
  auto serve_one = [&installation](io::Stream stream) { return serve(std::move(stream), &installation); };
  return io::Listener::open_unix(installation.runtime.at(0), admin_socket_path(installation.config), 0600, serve_one);
}

}  // namespace posthaste::app
