// SPDX-License-Identifier: LGPL-2.1-or-later

#include "hw/madv/session.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <memory>

namespace sphere::madv {

namespace {

// After this time without an acknowledgement of sent bytes, the connection is half-open,
// independent of the request's own timeout.
constexpr int unacknowledged_ms = 9000;
// The same with keep-alive packets of TCP, because no other request is sent during a request that
// may take a minute.
constexpr int probe_after_s = 4, probe_interval_s = 2;

// The time for the last bytes at the end of the session: an orderly end, or after an error. In the
// first case, the camera has mostly had stop_session_timeout for them already.
constexpr Duration linger_in_order = std::chrono::milliseconds(100);
constexpr Duration linger_after_failure = std::chrono::milliseconds(300);

Time now() { return Time(g_get_monotonic_time()); }

std::string address_text(GSocketAddress* address) {
  if (!G_IS_INET_SOCKET_ADDRESS(address)) return {};
  GInetAddress* inet = g_inet_socket_address_get_address(G_INET_SOCKET_ADDRESS(address));
  return GString_(g_inet_address_to_string(inet)).get();
}

bool is_loopback(GSocketAddress* address) {
  return G_IS_INET_SOCKET_ADDRESS(address) &&
         g_inet_address_get_is_loopback(
             g_inet_socket_address_get_address(G_INET_SOCKET_ADDRESS(address)));
}

Failure over_failure() { return {Failure::Reason::stopped, "the session is over"}; }

Failure connect_failure(const Uri& uri, const GError* error, bool timed_out, Duration timeout) {
  const std::string where = uri.host + ":" + std::to_string(uri.port);
  if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED) && !timed_out) return over_failure();
  if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CONNECTION_REFUSED))
    return {Failure::Reason::not_there, "there is a device at " + uri.host +
                                            ", but it does not listen on port " +
                                            std::to_string(uri.port) +
                                            "; wait until the Wi-Fi light of the camera has "
                                            "stopped blinking, and check that this is its address"};
  std::string how = error ? error->message : "no reason given";
  if (timed_out || g_error_matches(error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT))
    how = "no answer within " + in_seconds(timeout);
  return {Failure::Reason::unreachable, "no camera at " + where + " (" + how +
                                            "); switch the camera's Wi-Fi on, and connect this "
                                            "machine to the network whose name begins with MJXJ-"};
}

/// Waits until `end`, in g_get_monotonic_time(), at most.
ObjectRef<GSocketConnection> connect_to(GSocketAddress* address, gint64 end,
                                        GCancellable* cancellable, GError** error) {
  const ObjectRef<GSocket> socket(g_socket_new(g_socket_address_get_family(address),
                                               G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, error));
  if (!socket) return {};
  g_socket_set_blocking(socket.get(), FALSE);
  g_autoptr(GError) begun = nullptr;
  if (!g_socket_connect(socket.get(), address, cancellable, &begun)) {
    if (!g_error_matches(begun, G_IO_ERROR, G_IO_ERROR_PENDING)) {
      g_propagate_error(error, g_steal_pointer(&begun));
      return {};
    }
    // GLib counts whole milliseconds, and leaves out the rest.
    const gint64 left = std::max<gint64>(end - g_get_monotonic_time(), 0) + 999;
    if (!g_socket_condition_timed_wait(socket.get(), G_IO_OUT, left, cancellable, error) ||
        !g_socket_check_connect_result(socket.get(), error))
      return {};
  }
  return ObjectRef<GSocketConnection>(g_socket_connection_factory_create_connection(socket.get()));
}

}  // namespace

/// The objects of a connection; used only in the session's thread.
class Session::Loop {
 public:
  Loop(Session& session, ObjectRef<GSocketConnection> connection, CoreSettings settings)
      : session_(session),
        connection_(std::move(connection)),
        socket_(g_socket_connection_get_socket(connection_.get())),
        core_(std::move(settings)) {
    // Whoever is told an answer may read the state that it brought.
    core_.watch_state([this](const CameraState& state) { publish(state); });
    publish(core_.state());
    g_socket_set_blocking(socket_, FALSE);
    g_socket_set_option(socket_, IPPROTO_TCP, TCP_NODELAY, 1, nullptr);
    g_socket_set_option(socket_, IPPROTO_TCP, TCP_USER_TIMEOUT, unacknowledged_ms, nullptr);
    g_socket_set_keepalive(socket_, TRUE);
    g_socket_set_option(socket_, IPPROTO_TCP, TCP_KEEPIDLE, probe_after_s, nullptr);
    g_socket_set_option(socket_, IPPROTO_TCP, TCP_KEEPINTVL, probe_interval_s, nullptr);
  }

  void run() {
    core_.start(now());
    while (!core_.ended()) {
      handle_events();
      open_data();
      flush();
      wait();
    }
    handle_events();
    close();
  }

 private:
  void publish(const CameraState& state) {
    const Lock lock(session_.mutex_);
    session_.state_ = state;
  }

  void handle_events() {
    {
      const Lock lock(session_.mutex_);
      session_.stats_ = core_.stats();
    }
    // A handler may cause further events.
    for (std::vector<Event> events = core_.take_events(); !events.empty();
         events = core_.take_events())
      for (const Event& event : events) handle(event);
  }

  void handle(const Event& event) {
    if (event.kind == Event::Kind::ended) {
      // Sent after the connection is closed, so that the receiver may connect again.
      last_ = event;
      return;
    }
    session_.handler_(event);
  }

  // Each transfer has its own connection.
  void open_data() {
    const unsigned wanted = core_.transfers().connection_wanted();
    if (wanted == data_for_) return;
    data_.reset();
    data_for_ = wanted;
    if (wanted) connect_data();
  }

  void connect_data() {
    g_autoptr(GSocketAddress) remote = g_socket_get_remote_address(socket_, nullptr);
    if (!G_IS_INET_SOCKET_ADDRESS(remote)) {
      lose_data();
      return;
    }
    GInetAddress* inet = g_inet_socket_address_get_address(G_INET_SOCKET_ADDRESS(remote));
    g_autoptr(GSocketAddress) address =
        g_inet_socket_address_new(inet, session_.options_.uri.data_port);
    data_.reset(g_socket_new(g_inet_address_get_family(inet), G_SOCKET_TYPE_STREAM,
                             G_SOCKET_PROTOCOL_TCP, nullptr));
    if (!data_) {
      lose_data();
      return;
    }
    g_socket_set_blocking(data_.get(), FALSE);
    g_autoptr(GError) error = nullptr;
    data_connected_ = g_socket_connect(data_.get(), address, nullptr, &error);
    if (data_connected_)
      core_.transfers().data_ready(now());
    else if (!g_error_matches(error, G_IO_ERROR, G_IO_ERROR_PENDING))
      lose_data();
  }

  void lose_data() {
    data_.reset();
    core_.transfers().data_closed(now());
  }

  void flush() {
    while (!core_.output().empty()) {
      const std::string& output = core_.output();
      g_autoptr(GError) error = nullptr;
      const gssize sent = g_socket_send(socket_, output.data(), output.size(), nullptr, &error);
      if (sent > 0) {
        core_.output_sent(static_cast<size_t>(sent));
      } else if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK)) {
        return;
      } else {
        core_.output_sent(output.size());
        core_.connection_lost(now());
        return;
      }
    }
  }

  void wait() {
    std::array<GPollFD, 3> fds{};
    guint count = 0;
    const auto add = [&](int fd, int events) {
      fds[count] = {fd, static_cast<gushort>(events), 0};
      return &fds[count++];
    };
    GPollFD* const woken = add(session_.wake_, G_IO_IN);
    GPollFD* const control =
        add(g_socket_get_fd(socket_), core_.output().empty() ? G_IO_IN : G_IO_IN | G_IO_OUT);
    const int data_events = !data_connected_                     ? G_IO_OUT
                            : core_.transfers().output().empty() ? G_IO_IN
                                                                 : G_IO_IN | G_IO_OUT;
    GPollFD* const data = data_ ? add(g_socket_get_fd(data_.get()), data_events) : nullptr;

    int timeout = -1;
    if (const std::optional<Time> due = core_.deadline()) {
      const auto left = std::max(*due - now(), Duration::zero());
      timeout = static_cast<int>(std::min<int64_t>((left.count() + 999) / 1000, 60000));
    }
    g_poll(fds.data(), count, timeout);

    if (woken->revents) run_tasks();
    // Bytes come before what the camera says about them: if it says that a transfer has failed,
    // what had arrived until then is not to be transferred again. Its messages wait for one chunk
    // at most.
    bool more_data = false;
    // A task may have begun another transfer, which gets a connection of its own.
    const bool is_current = data_for_ == core_.transfers().connection_wanted();
    if (data && data_ && is_current && data->revents) {
      if (!data_connected_)
        data_arrived();
      else if (data->revents & G_IO_OUT)
        send_data();
      if (data_ && data_connected_ && data->revents & ~G_IO_OUT) more_data = receive_data();
    }
    if (!more_data && control->revents & (G_IO_IN | G_IO_HUP | G_IO_ERR)) receive();
    core_.advance(now());
  }

  void run_tasks() {
    uint64_t count = 0;
    // The value does not matter; it only has to be read.
    (void)!read(session_.wake_, &count, sizeof count);
    std::vector<Task> tasks;
    bool stop_wanted;
    {
      const Lock lock(session_.mutex_);
      tasks.swap(session_.tasks_);
      stop_wanted = session_.stop_wanted_;
    }
    for (const Task& task : tasks) task.run(core_, now());
    if (stop_wanted) core_.finish(now());
  }

  void receive() {
    // Reads one buffer in each turn, so that a camera that sends without an end does not delay the
    // loop's deadlines.
    g_autoptr(GError) error = nullptr;
    const gssize got = g_socket_receive(socket_, buffer_.data(), buffer_.size(), nullptr, &error);
    if (got > 0)
      core_.received({buffer_.data(), static_cast<size_t>(got)}, now());
    else if (got == 0 || !g_error_matches(error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK))
      core_.connection_lost(now());
  }

  void data_arrived() {
    if (!g_socket_check_connect_result(data_.get(), nullptr)) {
      lose_data();
      return;
    }
    data_connected_ = true;
    core_.transfers().data_ready(now());
  }

  void send_data() {
    const std::string& output = core_.transfers().output();
    g_autoptr(GError) error = nullptr;
    const gssize sent = g_socket_send(data_.get(), output.data(), output.size(), nullptr, &error);
    if (sent > 0)
      core_.transfers().output_sent(static_cast<size_t>(sent), now());
    else if (!g_error_matches(error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK))
      lose_data();
  }

  /// Reads one buffer; whether there may be more.
  bool receive_data() {
    g_autoptr(GError) error = nullptr;
    const gssize got =
        g_socket_receive(data_.get(), buffer_.data(), buffer_.size(), nullptr, &error);
    if (got > 0)
      core_.data_received({buffer_.data(), static_cast<size_t>(got)}, now());
    else if (got == 0 || !g_error_matches(error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK))
      lose_data();
    return got == static_cast<gssize>(buffer_.size());
  }

  // The last bytes must arrive. If a socket is closed with unread bytes, the connection is reset,
  // and the camera may not get the request that ends the session.
  void close() {
    data_.reset();
    const bool failed = last_ && last_->failure;
    const bool nothing_due = core_.stop_session_answered() || !core_.stop_session_sent();
    const Time until = now() + (nothing_due ? Duration::zero()
                                : failed    ? linger_after_failure
                                            : linger_in_order);
    bool shut = false;
    while (now() < until) {
      const std::string& output = core_.output();
      if (!shut && output.empty()) {
        shut = true;
        if (!g_socket_shutdown(socket_, FALSE, TRUE, nullptr)) break;
      }
      GPollFD fd = {g_socket_get_fd(socket_),
                    static_cast<gushort>(shut ? G_IO_IN : G_IO_IN | G_IO_OUT), 0};
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - now());
      if (g_poll(&fd, 1, static_cast<int>(std::max<int64_t>(left.count(), 0))) <= 0) break;
      if (fd.revents & (G_IO_ERR | G_IO_NVAL)) break;
      if (fd.revents & G_IO_OUT) {
        const gssize sent = g_socket_send(socket_, output.data(), output.size(), nullptr, nullptr);
        if (sent < 0) break;
        core_.output_sent(static_cast<size_t>(sent));
      }
      if (fd.revents & (G_IO_IN | G_IO_HUP)) {
        const gssize got =
            g_socket_receive(socket_, buffer_.data(), buffer_.size(), nullptr, nullptr);
        if (got <= 0) break;
      }
    }
    connection_.reset();
    if (last_) session_.end_with(*last_);
  }

  Session& session_;
  ObjectRef<GSocketConnection> connection_;
  GSocket* const socket_;
  ObjectRef<GSocket> data_;
  unsigned data_for_ = 0;  // the transfer of this connection
  bool data_connected_ = false;
  std::optional<Event> last_;
  std::array<char, 65536> buffer_;
  SessionCore core_;
};

Session::Session(SessionOptions options, Handler handler)
    : options_(std::move(options)),
      handler_(std::move(handler)),
      connecting_(g_cancellable_new()),
      wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

Session::~Session() {
  stop();
  ::close(wake_);
}

void Session::start() {
  const Lock lock(join_mutex_);
  if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
}

void Session::request_stop() {
  {
    const Lock lock(mutex_);
    stop_wanted_ = true;
  }
  g_cancellable_cancel(connecting_.get());
  wake();
}

void Session::stop() {
  request_stop();
  const Lock lock(join_mutex_);
  if (thread_.joinable()) thread_.join();
}

CameraState Session::state() const {
  const Lock lock(mutex_);
  return state_;
}

hw::CameraStats Session::stats() const {
  const Lock lock(mutex_);
  return stats_;
}

void Session::wake() {
  const uint64_t one = 1;
  (void)!write(wake_, &one, sizeof one);
}

void Session::post(Task task) {
  std::optional<Failure> refused;
  {
    const Lock lock(mutex_);
    if (over_)
      refused = why_ended_.value_or(over_failure());
    else if (tasks_.size() >= ControlChannel::max_waiting)
      refused = Failure(Failure::Reason::refused, ControlChannel::too_many_waiting);
    else
      tasks_.push_back(std::move(task));
  }
  if (!refused)
    wake();
  else
    task.refuse(*refused);
}

void Session::request(Request request, ReplyHandler handler) {
  post({[request, handler](SessionCore& core, Time time) { core.request(request, handler, time); },
        [handler](const Failure& why) {
          if (handler) handler({nullptr, why});
        }});
}

unsigned Session::start_transfer(std::function<void(FileTransfers&, unsigned, Time)> start,
                                 TransferDone done) {
  unsigned number;
  {
    const Lock lock(mutex_);
    number = ++last_transfer_;
  }
  post({[number, start = std::move(start)](SessionCore& core, Time time) {
          start(core.transfers(), number, time);
        },
        [done = std::move(done)](const Failure& why) {
          if (done) done(failed(why.message));
        }});
  return number;
}

template <typename Transfer>
unsigned Session::start_file(Transfer transfer,
                             void (FileTransfers::*function)(unsigned, Transfer, Time)) {
  const TransferDone done = transfer.done;
  return start_transfer([transfer = std::move(transfer), function](
                            FileTransfers& transfers, unsigned number,
                            Time time) { (transfers.*function)(number, transfer, time); },
                        done);
}

unsigned Session::get_file(Download download) {
  return start_file(std::move(download), &FileTransfers::get);
}

unsigned Session::put_file(Upload upload) {
  return start_file(std::move(upload), &FileTransfers::put);
}

unsigned Session::get_thumbnail(ThumbnailRequest thumbnail) {
  const auto refused = [done = thumbnail.done](const Status& status) { done(status.error()); };
  return start_transfer(
      [thumbnail = std::move(thumbnail)](FileTransfers& transfers, unsigned number, Time time) {
        transfers.get_thumbnail(number, thumbnail, time);
      },
      refused);
}

void Session::cancel_transfer(unsigned number) {
  post({[number](SessionCore& core, Time time) { core.transfers().cancel(number, time); },
        [](const Failure&) {}});
}

/// Not by GSocketClient: that of GLib 2.74 leaves a main context with a descriptor behind after
/// each attempt that fails late, so that hours without the camera would use up all descriptors.
ObjectRef<GSocketConnection> Session::connect(std::optional<Failure>& failure) {
  struct Attempt {
    GCancellable* cancellable = nullptr;
    bool answered = false, timed_out = false;
    ObjectRef<GSocketAddress> address;
    GError* error = nullptr;
  } attempt;
  attempt.cancellable = connecting_.get();
  const Uri& uri = options_.uri;
  const gint64 timeout = std::max<int64_t>(
      1000,
      std::chrono::duration_cast<std::chrono::microseconds>(options_.connect_timeout).count());
  const gint64 end = g_get_monotonic_time() + timeout;
  // A name may have several addresses; the timeout is for all of them together. This thread waits
  // with its own main context.
  const std::unique_ptr<GMainContext, Call<g_main_context_unref>> context(g_main_context_new());
  g_main_context_push_thread_default(context.get());
  GSource* timer = g_timeout_source_new(static_cast<guint>(timeout / 1000));
  g_source_set_callback(
      timer,
      +[](gpointer data) -> gboolean {
        auto* a = static_cast<Attempt*>(data);
        a->timed_out = true;
        g_cancellable_cancel(a->cancellable);
        return G_SOURCE_REMOVE;
      },
      &attempt, nullptr);
  g_source_attach(timer, context.get());
  const ObjectRef<GSocketConnectable> name(g_network_address_new(uri.host.c_str(), uri.port));
  const ObjectRef<GSocketAddressEnumerator> addresses(g_socket_connectable_enumerate(name.get()));
  ObjectRef<GSocketConnection> connection;
  g_autoptr(GError) error = nullptr;
  while (!connection && !attempt.timed_out && !g_cancellable_is_cancelled(connecting_.get())) {
    attempt.answered = false;
    g_socket_address_enumerator_next_async(
        addresses.get(), connecting_.get(),
        +[](GObject* source, GAsyncResult* result, gpointer data) {
          auto* a = static_cast<Attempt*>(data);
          g_clear_error(&a->error);
          a->address.reset(g_socket_address_enumerator_next_finish(
              G_SOCKET_ADDRESS_ENUMERATOR(source), result, &a->error));
          a->answered = true;
        },
        &attempt);
    while (!attempt.answered) g_main_context_iteration(context.get(), TRUE);
    if (!attempt.address) break;
    g_clear_error(&error);
    connection = connect_to(attempt.address.get(), end, connecting_.get(), &error);
    attempt.timed_out =
        attempt.timed_out || g_error_matches(error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  }
  g_source_destroy(timer);
  g_source_unref(timer);
  g_main_context_pop_thread_default(context.get());
  if (!error) error = std::exchange(attempt.error, nullptr);
  g_clear_error(&attempt.error);
  if (!connection && !error) g_cancellable_set_error_if_cancelled(connecting_.get(), &error);
  if (!connection)
    failure = connect_failure(uri, error, attempt.timed_out, options_.connect_timeout);
  return connection;
}

void Session::run() {
  const hw::CameraThread thread;
  std::optional<Failure> failure;
  ObjectRef<GSocketConnection> connection = connect(failure);

  if (connection) {
    GSocket* socket = g_socket_connection_get_socket(connection.get());
    g_autoptr(GSocketAddress) local = g_socket_get_local_address(socket, nullptr);
    CoreSettings settings = options_.core;
    settings.client_address = address_text(local);
    settings.pacing =
        options_.pacing.value_or(is_loopback(local) ? Duration::zero() : settings.pacing);
    settings.clock = camera_clock;
    settings.generic_clock = generic_clock;
    const TableCache cache(options_.table_folder);
    const auto may_store = [this] {
      return !options_.may_store_tables || options_.may_store_tables();
    };
    const auto keep = [cache, may_store](const std::string& md5, std::string_view table) {
      remember_table(md5, table);
      if (!may_store()) return;
      // A failure is not an error: without the cache, each process fetches the table again.
      (void)cache.store(md5, table);
      // If consent was withdrawn in the meantime, the stored tables were removed, perhaps before
      // this one was written.
      if (!may_store()) cache.forget(md5);
    };
    settings.keep_table = keep;
    settings.known_table = [cache, may_store, keep](const std::string& md5) {
      auto table = may_store() ? cache.load(md5) : std::nullopt;
      if (table) return table;
      table = remembered_table(md5);
      if (table) keep(md5, *table);
      return table;
    };
    Loop(*this, std::move(connection), std::move(settings)).run();
  } else {
    Event event{Event::Kind::ended, nullptr, {}, {}};
    if (failure->reason != Failure::Reason::stopped) event.failure = failure;
    end_with(event);
  }
  std::vector<Task> late;
  Failure why;
  {
    const Lock lock(mutex_);
    over_ = true;
    why = why_ended_.value_or(over_failure());
    late.swap(tasks_);
  }
  for (const Task& task : late) task.refuse(why);
}

void Session::end_with(const Event& event) {
  {
    const Lock lock(mutex_);
    why_ended_ = event.failure;
  }
  handler_(event);
}

}  // namespace sphere::madv
