// SPDX-License-Identifier: LGPL-2.1-or-later
// The camera's side of the control channel: requests go in, actions come out. It has no socket and
// no clock; emulator.h has these.

#pragma once

#include <glib.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gst/sphere/base/gobject.h"
#include "hw/emulator/card.h"
#include "hw/madv/emulator/faults.h"
#include "hw/madv/emulator/shot.h"
#include "hw/madv/emulator/sister.h"
#include "hw/madv/message.h"
#include "hw/madv/wire.h"

namespace sphere::madv_emulator {

using emulator::Card;
using Delay = std::chrono::microseconds;

/// The duration of a restart. It is shorter than a real camera's, for the tests.
constexpr Delay reboot_time = std::chrono::seconds(2);
/// The duration of a restart of its Wi-Fi.
constexpr Delay wifi_restart_time = std::chrono::seconds(1);
/// The time after which a Wi-Fi that was switched off is on again: clients have no other way to
/// switch it on.
constexpr Delay wifi_off_time = std::chrono::seconds(5);

/// The firmware of the camera, as in a published photo; and a later one, as in another photo. The
/// vendor's client uses HTTPS only with the later one.
inline constexpr const char* firmware_version = "1.3.97.85.5.13333";
inline constexpr const char* secure_firmware_version = "1.3.107.115.5.18497";

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
  std::string firmware = firmware_version;
  /// The token of the first session; each further one has the next number.
  int token = 1;
  std::vector<Fault> faults;
  /// A monotonic clock; the system's by default.
  std::function<Delay()> now;
};

/// An action that the owner must execute with its sockets, clock and scene.
struct Action {
  /// A part of a file on the card. It is not read into memory as a whole.
  struct FilePart {
    std::shared_ptr<const Descriptor> file;
    uint64_t offset = 0, count = 0;
  };
  enum class Kind {
    send,         ///< `bytes` to `client`
    send_data,    ///< `bytes` or `part` to the data port of `client`'s machine, then data_sent()
    cancel_data,  ///< the waiting bytes of its transfer, then transfer_cancelled()
    close,        ///< the connection of `client`
    reboot,       ///< when all is sent: closes everything, and opens it again after `delay`
    timer,        ///< call timer(`number`) after `delay`
    take_photo,   ///< to the file `bytes`, as `shot` says, then photo_taken()
    start_recording,   ///< to the file `bytes`, as `shot` says
    stop_recording,    ///< then recording_saved()
    abandon_recording  ///< without a notification
  };
  Kind kind;
  int client = 0;
  Delay delay{};
  std::string bytes;
  int number = 0;
  Shot shot{};
  FilePart part{};
};

struct Counters {
  int64_t connections = 0;
  int sessions_opened = 0;
  int sessions_closed = 0;
  int session_stops = 0;  ///< number of those that were ended by 258
  int refused = 0;
  int64_t requests = 0;
  int marks = 0;
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
  /// With the number of the bytes, and their MD5.
  void data_sent(int client, uint64_t count, const std::string& md5);
  void data_failed(int client);
  void transfer_cancelled(int client, uint64_t sent);
  /// Whether bytes on the data port belong to an upload of this client; and what to do with them.
  bool is_uploading(int client) const;
  void data_received(int client, std::string_view bytes);
  void recording_saved(const std::string& camera_path, bool done, int milliseconds);
  /// A file of a recording that goes on.
  void segment_saved(const std::string& camera_path, bool done);
  std::string next_video_path() const;
  /// The value of a setting; 0 if there is none.
  int setting_value(int id) const;
  /// The words of the sister camera's size of photos or videos: those of the photo that is being
  /// taken, or of the present mode.
  std::string sister_size() const;

  /// Events on the camera itself. Each client with a session is notified.
  void notify(int id, const std::string& more);
  void set_battery(int code);
  void set_card(int rval);
  void set_silent(bool silent) { silent_ = silent; }
  /// The shutter button: starts what is chosen, or ends it.
  void press_button();
  /// A setting is changed on the camera. False if it has no such value.
  bool change_setting(int id, int value);
  /// It is too hot: it says so, and is off for some time.
  void overheat();
  /// Removes all sessions, and ends recordings and photos.
  void restart();
  /// restart(), and the action that goes with it.
  void reboot(Delay pause);

  void set_fault(const Fault& fault);
  /// Null: all of them.
  void clear_fault(const FaultInfo* kind);
  std::optional<Fault> fault(const FaultInfo& kind) const;
  std::vector<Fault> active_faults() const;

  std::vector<Action> take_actions() { return std::exchange(actions_, {}); }
  const Counters& counters() const { return counters_; }
  const std::deque<Asked>& asked() const { return asked_; }
  /// The last position that was received: lat, lon, alt.
  const std::vector<std::string>& position() const { return position_; }
  const std::string& clock() const { return clock_; }

 private:
  struct Upload {
    std::string path;
    uint64_t size = 0, received = 0;
    std::string md5;
    int file_type = 0;
    std::unique_ptr<GChecksum, Call<g_checksum_free>> checksum;
  };
  struct Client {
    madv::Framer framer{64 << 10};
    bool known = false;        // 261 was received: the data port (8787) is open to it
    bool dead = false;         // half-open: it is not answered any more
    std::string folder;        // the folder that LS lists; ends in a slash
    bool is_fetching = false;  // a file is sent to it, and it is told when that is done
    std::optional<Upload> upload;
  };
  struct Waiting {  // a new client, while the one with the session is asked
    int client;
    int timer;
  };
  struct ActiveFault {
    Fault fault;
    int64_t since_request;
    Delay since;
    int used = 0;
    bool over = false;  // a fault that happens only once has happened
  };
  /// What is being taken. There is none while the camera is idle.
  struct Series {
    const ShotKind* kind = nullptr;
    Shot shot;
    int wanted = 1;  // photos; 0: until it is ended
    int taken = 0;
    Delay since{};          // the start of a recording
    Delay due{};            // when the next photo is taken
    bool in_photo = false;  // a photo is being taken now
    bool ending = false;    // after this photo
  };

  void handle(int client, const madv::Message& request);
  void answer(int client, const madv::Message& request);
  bool has_session(int client) const { return holder_ == client; }
  /// Handles the request if a fault applies to it.
  bool faulty(int client, const madv::Message& request);
  bool is_due(const FaultInfo& kind);
  bool is_within(const FaultInfo& kind);
  /// A fault that is due, and happens only once.
  bool happens(const FaultInfo& kind);
  ActiveFault* active(const FaultInfo& kind);
  /// Calls what it does when its time has come, also without a request.
  void watch_fault(const ActiveFault& fault);
  void command(int client, const madv::Message& request);
  void sister_command(int client, const madv::Message& request);
  void sister_setting(int client, const madv::Message& request);
  void sister_capture(int client, int id);
  void sister_recording_saved();
  void sister_photo_taken(const std::string& camera_path, bool done);
  void sister_list(int client, const std::string& options);
  /// A notification of the sister camera; `more` begins with a comma.
  void sister_notify(const std::string& type, const std::string& more = "", Delay delay = {});
  bool file_command(int client, const madv::Message& request);
  bool capture_command(int client, const madv::Message& request);
  bool state_command(int client, const madv::Message& request);
  bool power_command(int client, const madv::Message& request);
  bool remote_command(int client, const madv::Message& request);
  bool works_in_standby(const madv::Message& request) const;
  void start_session(int client);
  void grant(int client);
  void close_session();

  std::string settings_fields() const;
  std::string status_fields() const;
  std::string storage_fields() const;
  std::string mode_fields() const;
  void storage(int client);
  void setting(int client, const madv::Message& request);
  bool takes(int id, const std::string& param) const;
  void store_setting(int id, int value);
  void reset_settings(bool kept_ones);
  void format(int client, const std::string& param);
  /// The value that 4365 tells.
  int told_value(int id) const;
  int refusal(int id) const;

  int working_mode() const;
  bool is_recording() const { return series_ && !series_->kind->is_photo(); }
  const ShotKind& chosen() const { return *chosen_[static_cast<size_t>(mode())]; }
  madv::CameraMode mode() const;
  void choose(int setting, bool on);
  /// Without a client, the button was pressed.
  void start(std::optional<int> client, const ShotKind& kind, const std::string& param);
  Series& begin(const ShotKind& kind);
  void next_photo();
  void stop_photos();
  void finish_series();
  void end_recording();
  void tell_progress(int count);

  void get_file(int client, const madv::Message& request);
  void get_thumbnail(int client, const madv::Message& request);
  void put_file(int client, const madv::Message& request);
  void end_upload(int client, bool good);
  std::optional<std::string> thumbnail_of(const std::string& path, const std::string& type) const;
  std::string told_md5(std::string md5) const;

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
  /// Calls it later, unless the camera restarts in the meantime.
  int after(Delay delay, std::function<void()> function);
  void watch_idle();
  void act_on_idle();
  Delay usual(int id) const;

  ControlSettings settings_;
  Card& card_;
  std::map<int, Client> clients_;
  std::optional<int> holder_;
  int token_ = 0;
  std::optional<Waiting> waiting_;
  int next_timer_ = 1;
  std::map<int, std::function<void()>> timers_;
  bool silent_ = false;
  std::vector<ActiveFault> faults_;

  bool standby_ = false;
  Delay last_active_{};  // time of the last command, or of the end of what it started
  std::optional<Series> series_;
  int series_timer_ = 0;
  std::array<const ShotKind*, 2> chosen_;  // of each mode
  int last_interval_ = 0;                  // that of photos in a series, also while it is off
  int battery_ = 4;
  int card_rval_ = 0;
  std::map<int, int> values_;  // values of the settings, by command
  std::string clock_;
  std::vector<std::string> position_;
  std::string table_md5_;
  const std::string factory_ssid_, factory_password_;
  std::string new_ssid_, new_password_;                  // from the next restart of the Wi-Fi on
  bool has_update_ = false, has_remote_update_ = false;  // one that arrived whole
  std::string remote_serial_, remote_box_serial_;

  SisterSettings sister_;

  Counters counters_;
  std::deque<Asked> asked_;
  std::vector<Action> actions_;
};

}  // namespace sphere::madv_emulator
