// SPDX-License-Identifier: LGPL-2.1-or-later
// The camera's side of the control channel: requests go in, actions come out. It has no socket and
// no clock; emulator.h has these.

#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "hw/emulator/card.h"
#include "hw/madv/emulator/faults.h"
#include "hw/madv/message.h"
#include "hw/madv/wire.h"

namespace sphere::madv_emulator {

using emulator::Card;
using Delay = std::chrono::microseconds;

/// The duration of a restart. It is shorter than a real camera's, for the tests.
constexpr Delay reboot_time = std::chrono::seconds(2);

/// The model of the camera.
enum class Model {
  mi_sphere,
  sj8_pro,  ///< a related camera, with which a whole session was published; for comparison
};

struct ControlSettings {
  Model model = Model::mi_sphere;
  /// Whether answers take as long as the related camera's; else no time.
  bool timing = false;
  /// The lens table in the camera's own format; empty for a camera without one.
  std::string lens_table;
  std::string serial = "MJXJ00000000EMUL";
  std::string ssid = "MJXJ-emulator";
  std::string password = "12345678";
  /// The token of the first session; each further one has the next number.
  int token = 1;
  std::vector<Fault> faults;
  /// A monotonic clock; the system's by default.
  std::function<Delay()> now;
};

/// An action that the owner must execute with its sockets, clock and scene.
struct Action {
  enum class Kind {
    send,             ///< `bytes` to `client`
    send_data,        ///< `bytes` to the data connection of `client`'s machine, then data_sent()
    cancel_data,      ///< the waiting bytes of its transfer, then transfer_cancelled()
    close,            ///< the connection of `client`
    reboot,           ///< closes everything, and opens it again after `delay`
    timer,            ///< call timer(`number`) after `delay`
    take_photo,       ///< to the file `bytes`, then photo_taken()
    start_recording,  ///< to the file `bytes`
    stop_recording,   ///< then recording_saved()
  };
  Kind kind;
  int client = 0;
  Delay delay{};
  std::string bytes;
  int number = 0;
};

struct Counters {
  int64_t connections = 0;
  int sessions_opened = 0;
  int sessions_closed = 0;
  int session_stops = 0;  ///< number of those that were ended by 258
  int refused = 0;
  int64_t requests = 0;
};

/// A line of the log of requests.
struct Asked {
  int64_t number;  ///< the first request is 0
  int client;
  int id;
  std::string param;  ///< its first 512 bytes
  /// The whole request as a log may show it, also at most 512 bytes.
  std::string redacted;
};
/// The number of requests in the log: the latest ones.
constexpr size_t most_asked = 4096;

/// The control channel of the emulated camera. More than twenty members, because any command may
/// read or change any part of the camera's state.
class Control {
 public:
  Control(ControlSettings settings, Card& card);

  void connected(int client);
  void disconnected(int client);
  /// To be called with bytes from a client. Answers all complete requests.
  void received(int client, std::string_view bytes);
  /// The same in steps, if not all answers can be sent at once: take() takes the bytes, and
  /// answer_next() answers one request, or returns false if there is none.
  void take(int client, std::string_view bytes);
  bool answer_next(int client);
  void timer(int number);
  /// The client that has the session.
  std::optional<int> holder() const { return holder_; }

  void photo_taken(const std::string& camera_path, bool done);
  /// To be called when all bytes of send_data are sent, or can't be sent because there is no data
  /// connection.
  void data_sent(int client);
  void data_failed(int client);
  void transfer_cancelled(int client, uint64_t sent);
  void recording_saved(const std::string& camera_path, bool done, int milliseconds);

  /// Events on the camera itself. Each client with a session is notified.
  void notify(int id, const std::string& more);
  void set_battery(int code);
  void set_card(int rval);
  void set_silent(bool silent) { silent_ = silent; }
  /// Removes all sessions, and ends recordings and photos.
  void restart();

  std::vector<Action> take_actions() { return std::exchange(actions_, {}); }
  const Counters& counters() const { return counters_; }
  const std::deque<Asked>& asked() const { return asked_; }
  /// The last position that was received: lat, lon, alt.
  const std::vector<std::string>& position() const { return position_; }
  const std::string& clock() const { return clock_; }

 private:
  struct Client {
    madv::Framer framer{64 << 10};
    bool known = false;         // 261 was received: the data port (8787) is open to it
    std::string folder;         // the folder that LS lists; ends in a slash
    std::string transfer_done;  // the notification when all bytes of its transfer are sent
  };
  struct Waiting {  // a new client, while the one with the session is asked
    int client;
    int timer;
  };

  void handle(int client, const madv::Message& request);
  bool has_session(int client) const { return holder_ == client; }
  /// Handles the request if a fault applies to it.
  bool faulty(int client, const madv::Message& request);
  void command(int client, const madv::Message& request);
  bool sister_command(int client, const madv::Message& request);
  bool file_command(int client, const madv::Message& request);
  void start_session(int client);
  void grant(int client);
  void close_session();
  void storage(int client);
  void settings(int client);
  void status(int client);
  void setting(int client, const madv::Message& request);
  void reset_settings();
  int refusal(int id) const;
  void take_photo(int client);
  void recording(int client, bool start);
  void get_file(int client, const madv::Message& request);

  int video_seconds_left() const;
  int photos_left() const;
  std::string left_fields() const;
  std::string card_fields() const;
  /// The message of the notification that a photo or a video was saved.
  std::string saved_fields(const std::string& camera_path) const;
  int64_t recorded_seconds() const;
  /// {"rval":...,"msg_id":...MORE}; `more` begins with a comma.
  void reply(int client, int id, int rval, const std::string& more = "", Delay extra = {});
  void send(int client, std::string bytes, Delay delay);
  Delay usual(int id) const;
  std::optional<Fault> fault(const FaultInfo& kind) const {
    return find_fault(settings_.faults, kind);
  }

  ControlSettings settings_;
  Card& card_;
  std::map<int, Client> clients_;
  std::optional<int> holder_;
  int token_ = 0;
  std::optional<Waiting> waiting_;
  int next_timer_ = 1;
  bool silent_ = false;
  bool happened_ = false;  // a fault that happens only once has happened
  int refusals_ = 0, busy_ = 0;

  int mode_ = 0;  // 0 video, 1 photo
  int working_mode_ = 0;
  Delay recording_since_{};
  int battery_ = 4;
  int card_rval_ = 0;
  std::map<int, int> values_;  // values of the settings, by command
  std::string clock_;
  std::vector<std::string> position_;
  std::string table_md5_;

  Counters counters_;
  std::deque<Asked> asked_;
  std::vector<Action> actions_;
};

}  // namespace sphere::madv_emulator
