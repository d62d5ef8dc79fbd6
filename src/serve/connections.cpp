#include "serve/connections.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/clock.h"

namespace areason::serve {
namespace {

constexpr double kSlice = 0.2;                        // after which a waiting thread sees that the server stops
constexpr double kLinger = 1;                         // seconds that a client gets to read the answer to what it still sends
constexpr std::size_t kHeadAndFraming = 1ull << 20;   // bytes of a request beside its body
constexpr std::size_t kThreadsBeyondConnections = 8;  // for those that take the place of another

int poll_one(int socket, short events, double seconds) {
  pollfd one = {socket, events, 0};
  const int ready = ::poll(&one, 1, static_cast<int>(seconds * 1000));
  return ready > 0 ? one.revents : ready < 0 && errno != EINTR ? POLLERR : 0;
}

// A client whose machine or network went away without a word is noticed in about a minute.
void ask_for_signs_of_life(int socket) {
  const std::pair<int, int> options[] = {{TCP_KEEPIDLE, 30}, {TCP_KEEPINTVL, 10}, {TCP_KEEPCNT, 3}};
  const int yes = 1;
  ::setsockopt(socket, SOL_SOCKET, SO_KEEPALIVE, &yes, sizeof yes);
  for (const auto& [name, value] : options) ::setsockopt(socket, IPPROTO_TCP, name, &value, sizeof value);
}

using NameOfEnd = int (*)(int, sockaddr*, socklen_t*);

void address_of(int socket, NameOfEnd end, std::string& ip, int& port) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  auto* where = reinterpret_cast<sockaddr*>(&address);
  char host[NI_MAXHOST], service[NI_MAXSERV];
  if (end(socket, where, &size) != 0 ||
      ::getnameinfo(where, size, host, sizeof host, service, sizeof service, NI_NUMERICHOST | NI_NUMERICSERV) != 0)
    return;
  ip = host;
  port = std::atoi(service);
}

}  // namespace

int refused_body(const httplib::Request& request, std::size_t most_bytes) {
  if (request.get_header_value<std::uint64_t>("Content-Length") > most_bytes) return 413;
  // The library would unpack it without a limit.
  const std::string encoding = request.get_header_value("Content-Encoding");
  return encoding.empty() || encoding == "identity" ? 0 : 415;
}

Connection::Connection(int socket, const ConnectionLimits& limits, std::function<bool()> stop)
    : socket_(socket), limits_(limits), stop_(std::move(stop)), heard_(monotonic_seconds()) {
  ask_for_signs_of_life(socket);
}

Connection::~Connection() {
  if (refused_) linger();
  ::shutdown(socket_, SHUT_RDWR);
  ::close(socket_);
}

// Closing a socket that has unread bytes resets the connection, and the client may lose the answer.
void Connection::linger() {
  ::shutdown(socket_, SHUT_WR);
  for (const double end = monotonic_seconds() + kLinger; monotonic_seconds() < end && !stop_();) {
    if (poll_one(socket_, POLLIN, kSlice) != 0 && ::recv(socket_, buffer_.data(), buffer_.size(), MSG_DONTWAIT) <= 0) return;
  }
}

bool Connection::evict(double since) {
  if (!waiting_since_.compare_exchange_strong(since, kEvicted)) return false;
  ::shutdown(socket_, SHUT_RD);
  return true;
}

bool Connection::gone() const { return (poll_one(socket_, POLLRDHUP, 0) & (POLLRDHUP | POLLHUP | POLLERR)) != 0; }

bool Connection::is_readable() const { return begin_ != end_ || poll_one(socket_, POLLIN, 0) != 0; }

bool Connection::wait_readable(double seconds) {
  const double end = monotonic_seconds() + seconds;
  waiting_since_ = heard_;
  bool ready = false;
  for (double left = seconds; !ready && left > 0 && !stop_(); left = end - monotonic_seconds())
    ready = poll_one(socket_, POLLIN, std::min(left, kSlice)) != 0;
  double since = heard_;
  return waiting_since_.compare_exchange_strong(since, 0) && ready;  // not when it was evicted
}

bool Connection::wait_for_request() {
  const bool ready = begin_ != end_ || wait_readable(limits_.idle_seconds);
  started_ = monotonic_seconds();
  received_ = end_ - begin_;
  return ready;
}

// More bytes into the empty buffer; 0 at the end, -1 when there were none in time.
ssize_t Connection::fill() {
  const double now = monotonic_seconds();
  const double due = started_ + limits_.pause_seconds + static_cast<double>(received_) / limits_.bytes_a_second;
  broken_ = true;
  if (received_ > limits_.most_bytes + kHeadAndFraming || !wait_readable(std::min(limits_.pause_seconds, due - now))) return -1;
  const ssize_t got = ::recv(socket_, buffer_.data(), buffer_.size(), MSG_DONTWAIT);
  if (got <= 0) return got;
  broken_ = false;
  begin_ = 0;
  end_ = static_cast<std::size_t>(got);
  received_ += end_;
  heard_ = monotonic_seconds();
  return got;
}

ssize_t Connection::read(char* to, std::size_t size) {
  if (!usable()) return -1;
  if (begin_ == end_) {
    const ssize_t got = fill();
    if (got <= 0) return got;
  }
  const std::size_t count = std::min(size, end_ - begin_);
  std::memcpy(to, buffer_.data() + begin_, count);
  begin_ += count;
  return static_cast<ssize_t>(count);
}

ssize_t Connection::write(const char* from, std::size_t size) {
  for (const double end = monotonic_seconds() + limits_.write_seconds; monotonic_seconds() < end;) {
    const ssize_t sent = ::send(socket_, from, size, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent >= 0 || (errno != EAGAIN && errno != EINTR)) return sent;
    poll_one(socket_, POLLOUT, kSlice);
  }
  return -1;
}

void Connection::get_remote_ip_and_port(std::string& ip, int& port) const { address_of(socket_, ::getpeername, ip, port); }

void Connection::get_local_ip_and_port(std::string& ip, int& port) const { address_of(socket_, ::getsockname, ip, port); }

HttpServer::HttpServer(const ConnectionLimits& limits) : limits_(limits) {
  set_payload_max_length(limits.most_bytes);
  set_keep_alive_timeout(static_cast<time_t>(limits.idle_seconds));
  // A connection holds its thread.
  new_task_queue = [most = limits.most] {
    return new httplib::ThreadPool(static_cast<std::size_t>(most) + kThreadsBeyondConnections);
  };
  set_expect_100_continue_handler([most = limits.most_bytes](const httplib::Request& request, httplib::Response& response) {
    const int refused = refused_body(request, most);
    if (refused != 0) response.status = refused;
    return refused != 0 ? refused : 100;
  });
}

void HttpServer::enter(Connection& connection) {
  const std::lock_guard lock(mutex_);
  open_.push_back(&connection);
  const auto staying = std::count_if(open_.begin(), open_.end(), [](const Connection* c) { return !c->evicted(); });
  if (staying > limits_.most) make_room();
}

// Closes the connection that has been waited for longest. When all are being answered, none has to go.
void HttpServer::make_room() {
  for (;;) {
    Connection* quietest = nullptr;
    double since = 0;
    for (Connection* c : open_) {
      const double its = c->waiting_since();
      if (its > 0 && (quietest == nullptr || its < since)) quietest = c, since = its;
    }
    if (quietest == nullptr || quietest->evict(since)) return;
  }
}

void HttpServer::leave(Connection& connection) {
  const std::lock_guard lock(mutex_);
  open_.remove(&connection);
}

bool HttpServer::process_and_close_socket(socket_t socket) {
  Connection connection(socket, limits_, [this] { return svr_sock_ == INVALID_SOCKET; });
  enter(connection);
  const auto look_at = [&](httplib::Request& request) {
    // The library has no use for this function in a server. Ours says whether the client is still there.
    request.progress = [&connection](std::uint64_t, std::uint64_t) { return !connection.gone(); };
    if (refused_body(request, limits_.most_bytes) == 0) return;
    connection.refuse_body();
    request.headers.erase("Connection");
    request.set_header("Connection", "close");  // so that the answer says it too
  };
  bool going = true;
  for (std::size_t left = keep_alive_max_count_; going && left > 0 && connection.wait_for_request(); --left) {
    bool closed = false;
    going = process_request(connection, left == 1, closed, look_at) && !closed && connection.usable();
  }
  leave(connection);
  return going;
}

}  // namespace areason::serve
