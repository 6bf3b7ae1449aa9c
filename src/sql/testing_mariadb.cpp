#include "sql/testing_mariadb.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <sstream>
#include <thread>

#include "base/random.h"

namespace posthaste::sql::testing {

namespace {

constexpr auto kStartTimeout = 60s;
constexpr std::string_view kUser = "posthaste", kPassword = "test";

std::filesystem::path fresh_folder() {
  const auto path = std::filesystem::temp_directory_path() / ("posthaste-test-" + random_hex(12));
  std::filesystem::create_directory(path);
  std::filesystem::permissions(path, std::filesystem::perms::owner_all);
  return path;
}

// Bound and released again: another program might take it in between, and the start would fail loudly.
int free_port() {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  const bool bound = bind(socket, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
                     getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size) == 0;
  close(socket);
  if (!bound) throw std::runtime_error("no free port on the loopback interface");
  return ntohs(address.sin_port);
}

// Output goes to the end of the file `log`. The child dies with this program, however that ends.
pid_t spawn(const std::vector<std::string>& words, const std::string& log) {
  std::vector<char*> arguments;
  for (const auto& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child < 0) throw std::runtime_error("fork failed");
  if (child > 0) return child;

  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(1);
  const int out = open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  dup2(out, STDOUT_FILENO);
  dup2(out, STDERR_FILENO);
  execvp(arguments[0], arguments.data());
  _exit(127);
}

}  // namespace

MariaDb& MariaDb::shared() {
  static MariaDb server(false);
  return server;
}

MariaDb& MariaDb::second() {
  static MariaDb server(false);
  server.restart();
  return server;
}

MariaDb& MariaDb::durable() {
  static MariaDb server(true);
  return server;
}

MariaDb::MariaDb(bool durable) : durable_(durable), folder_(fresh_folder()), port_(free_port()) {
  try {
    install();
    start();
    wait_until_ready();
  } catch (...) {
    stop();
    throw;
  }
}

MariaDb::~MariaDb() { stop(); }

void MariaDb::install() {
  const pid_t pid = spawn({"mariadb-install-db", "--no-defaults", "--datadir=" + (folder_ / "data").string(),
                           "--auth-root-authentication-method=normal", "--skip-test-db", "--skip-name-resolve",
                           "--innodb-log-file-size=32M", geteuid() == 0 ? "--user=root" : "--verbose"},
                          folder_ / "log");
  int status = 0;
  waitpid(pid, &status, 0);
  if (status != 0) throw std::runtime_error("mariadb-install-db failed:\n" + log());
}

void MariaDb::start() {
  std::ofstream(folder_ / "init.sql") << fmt::format(
      "CREATE USER IF NOT EXISTS '{0}'@'%' IDENTIFIED BY '{1}';\n"
      "GRANT ALL PRIVILEGES ON *.* TO '{0}'@'%' WITH GRANT OPTION;\n",
      kUser, kPassword);
  std::vector<std::string> words = {"mariadbd",
                                    "--no-defaults",
                                    "--datadir=" + (folder_ / "data").string(),
                                    "--socket=" + (folder_ / "socket").string(),
                                    "--pid-file=" + (folder_ / "pid").string(),
                                    "--init-file=" + (folder_ / "init.sql").string(),
                                    "--bind-address=127.0.0.1",
                                    "--port=" + std::to_string(port_),
                                    "--innodb-buffer-pool-size=64M",
                                    "--innodb-log-file-size=32M",
                                    "--skip-log-bin",
                                    "--innodb-flush-log-at-trx-commit=1",
                                    "--skip-name-resolve"};
  if (!durable_) words.insert(words.end(), {"--innodb-flush-method=nosync", "--skip-innodb-doublewrite"});
  if (geteuid() == 0) words.push_back("--user=root");
  pid_ = spawn(words, folder_ / "log");
}

void MariaDb::wait_until_ready() {
  const auto deadline = std::chrono::steady_clock::now() + kStartTimeout;
  for (;;) {
    int status = 0;
    if (waitpid(pid_, &status, WNOHANG) == pid_) {
      pid_ = 0;
      throw std::runtime_error("mariadbd ended:\n" + log());
    }
    try {
      connect();
      return;
    } catch (const Failure&) {
      if (std::chrono::steady_clock::now() > deadline) throw std::runtime_error("mariadbd does not answer:\n" + log());
    }
    std::this_thread::sleep_for(50ms);
  }
}

void MariaDb::crash() {
  if (pid_ <= 0) return;
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
  pid_ = 0;
}

void MariaDb::restart() {
  if (pid_ > 0) return;
  start();
  wait_until_ready();
}

void MariaDb::stop() noexcept {
  crash();                  // nothing in it is needed again: no orderly shutdown, which writes all pages
  std::error_code ignored;  // a folder left behind does no harm
  std::filesystem::remove_all(folder_, ignored);
}

std::string MariaDb::log() const {
  std::ostringstream text;
  text << std::ifstream(folder_ / "log").rdbuf();
  return std::move(text).str();
}

MariaDbOptions MariaDb::options(const std::string& database) const {
  MariaDbOptions options;
  options.host = "127.0.0.1";
  options.port = port_;
  options.username = kUser;
  options.password = kPassword;
  options.database = database;
  return options;
}

std::unique_ptr<Connection> MariaDb::connect(const std::string& database) const {
  return open_mariadb(options(database));
}

std::string MariaDb::create_database(const std::string& prefix) {
  const std::string name = fmt::format("{}{}", prefix, ++databases_);
  connect()->run(fmt::format("CREATE DATABASE `{}` CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci", name));
  return name;
}

Folder::Folder() : path_(fresh_folder()) {}

Folder::~Folder() {
  std::error_code ignored;  // a folder left behind does no harm
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace posthaste::sql::testing
