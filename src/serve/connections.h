#pragma once
// The HTTP library's server with connections of our own. Those of the library (0.11, Debian 12) cannot say that a client has
// gone before something is written, let a request take as long as it likes, read a body to its end before it is refused as too
// large, and let connections that say nothing keep others waiting. Made by server.cpp. Thread rule: as httplib::Server's; a
// connection belongs to the thread that serves it, but for waiting_since(), evict() and evicted().
#include <httplib.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <functional>
#include <list>
#include <mutex>
#include <string>

namespace areason::serve {

struct ConnectionLimits {
  int most = 256;                        // at a time; one more, and the one that has said nothing for longest is closed
  std::size_t most_bytes = 64ull << 20;  // of a request's body
  double idle_seconds = 5;               // between requests
  double pause_seconds = 10;             // within a request
  double bytes_a_second = 4096;          // a request that comes in slower than this is given up
  double write_seconds = 60;             // that the client may take to accept something
};

// What a request says of its body that this server does not take: 413, 415, or 0.
int refused_body(const httplib::Request& request, std::size_t most_bytes);

class Connection final : public httplib::Stream {
 public:
  // `stop`: true ends all waiting.
  Connection(int socket, const ConnectionLimits& limits, std::function<bool()> stop);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection() override;

  // False: no request came in time.
  bool wait_for_request();
  // The body is not wanted: the library's reads of it fail at once, and the answer is the connection's last.
  void refuse_body() { refused_ = true; }
  // False: there may be bytes of an unread request in it.
  bool usable() const { return !refused_ && !broken_; }
  // The client has closed its end. One that only ends its own side (shutdown) and waits looks the same, and is taken for gone.
  bool gone() const;

  // When the client was last heard that is waited for now; 0 or less: it is not waited for.
  double waiting_since() const { return waiting_since_; }
  // Wakes the thread that has waited for the client since then, which closes the connection. False: it waits no more.
  bool evict(double since);
  bool evicted() const { return waiting_since_ == kEvicted; }

  bool is_readable() const override;
  bool is_writable() const override { return !gone(); }
  ssize_t read(char* to, std::size_t size) override;
  ssize_t write(const char* from, std::size_t size) override;
  void get_remote_ip_and_port(std::string& ip, int& port) const override;
  void get_local_ip_and_port(std::string& ip, int& port) const override;
  // The library refuses sockets whose number select() does not take; nothing here uses select().
  socket_t socket() const override { return INVALID_SOCKET; }

 private:
  static constexpr double kEvicted = -1;
  bool wait_readable(double seconds);
  ssize_t fill();
  void linger();

  const int socket_;
  const ConnectionLimits& limits_;
  const std::function<bool()> stop_;
  std::array<char, 16384> buffer_;
  std::size_t begin_ = 0, end_ = 0;  // of what was received and not read
  std::size_t received_ = 0;         // of this request
  double started_ = 0;               // this request
  double heard_ = 0;
  bool refused_ = false, broken_ = false;
  std::atomic<double> waiting_since_ = 0;
};

class HttpServer final : public httplib::Server {
 public:
  explicit HttpServer(const ConnectionLimits& limits);

 private:
  bool process_and_close_socket(socket_t socket) override;
  void enter(Connection& connection);
  void make_room();
  void leave(Connection& connection);

  const ConnectionLimits limits_;
  std::mutex mutex_;
  std::list<Connection*> open_;
};

}  // namespace areason::serve
