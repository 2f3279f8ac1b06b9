// SPDX-License-Identifier: LGPL-2.1-or-later
// Positions that the gate for places puts into a stream: from a GPX track by time, and from gpsd.

// The standard library comes first: check defines `fail` as a macro.
#include <chrono>
#include <condition_variable>
#include <thread>

#include <gio/gio.h>
#include <glib/gstdio.h>

#include "tests/check/geogate.h"

using namespace sphere;
using namespace sphere::test;

namespace {

constexpr const char* raw = "video/x-raw, format=GRAY8, width=4, height=4, framerate=25/1";
const std::vector<uint8_t> picture(16, 7);
// Shorter than the time after which the client gives up a silent connection.
constexpr auto no_longer_than = std::chrono::seconds(8);

void push(GstHarness* h, GstClockTime pts) {
  fail_unless_equals_int(gst_harness_push(h, buffer_of(picture, pts).release()), GST_FLOW_OK);
}
std::optional<double> latitude_behind(GstHarness* h) {
  const TagListRef tags = tags_behind(h, GST_TAG_SCOPE_GLOBAL);
  return tags ? number_of(tags.get(), GST_TAG_GEO_LOCATION_LATITUDE) : std::nullopt;
}

/// A gpsd in software, for one client after another. The first gets one position, the others
/// another.
class Gpsd {
 public:
  Gpsd() {
    listener_.reset(g_socket_listener_new());
    port_ = g_socket_listener_add_any_inet_port(listener_.get(), nullptr, nullptr);
    fail_unless(port_ > 0);
    cancellable_.reset(g_cancellable_new());
    thread_ = std::thread([this] { run(); });
  }
  ~Gpsd() {
    g_cancellable_cancel(cancellable_.get());
    thread_.join();
  }
  Gpsd(const Gpsd&) = delete;
  Gpsd& operator=(const Gpsd&) = delete;

  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  /// Waits until a client is there, or is not there any more.
  void wait_for(bool connected) {
    std::unique_lock lock(mutex_);
    fail_unless(changed_.wait_for(lock, no_longer_than, [&] { return connected_ == connected; }));
  }
  std::string asked() {
    std::lock_guard lock(mutex_);
    return asked_;
  }
  int clients() {
    std::lock_guard lock(mutex_);
    return clients_;
  }

 private:
  void run() {
    for (;;) {
      const ObjectRef<GSocketConnection> connection(
          g_socket_listener_accept(listener_.get(), nullptr, cancellable_.get(), nullptr));
      if (!connection) return;
      talk(G_IO_STREAM(connection.get()));
    }
  }
  void talk(GIOStream* stream) {
    GInputStream* in = g_io_stream_get_input_stream(stream);
    char words[256];
    const gssize count = g_input_stream_read(in, words, sizeof words, cancellable_.get(), nullptr);
    if (count <= 0) return;
    // The reports come in pieces, and reports without a position come between them.
    static constexpr const char* pieces[] = {
        "{\"class\":\"VERSION\",\"release\":\"3.22\"}\r\n{\"class\":\"TPV\",\"mode\":1}\r\n",
        "{\"class\":\"SKY\",\"satellites\":[]}\r\nno JSON\r\n{\"class\":\"TPV\",\"mode\":3,",
        "\"lat\":39.90421,\"lon\":116.40741,\"altMSL\":44.5}\r\n"};
    static constexpr const char* later =
        "{\"class\":\"TPV\",\"mode\":2,\"lat\":-8.04,\"lon\":116.40741}\r\n";
    const auto write = [&](const char* text) {
      g_output_stream_write_all(g_io_stream_get_output_stream(stream), text, strlen(text), nullptr,
                                cancellable_.get(), nullptr);
    };
    if (clients() > 0)
      write(later);
    else
      for (const char* piece : pieces) write(piece);
    {
      std::lock_guard lock(mutex_);
      asked_.assign(words, static_cast<size_t>(count));
      connected_ = true;
      ++clients_;
    }
    changed_.notify_all();
    // Until the client goes.
    while (g_input_stream_read(in, words, sizeof words, cancellable_.get(), nullptr) > 0) continue;
    {
      std::lock_guard lock(mutex_);
      connected_ = false;
    }
    changed_.notify_all();
  }

  ObjectRef<GSocketListener> listener_;
  ObjectRef<GCancellable> cancellable_;
  guint16 port_ = 0;
  std::mutex mutex_;  // protects what follows; held for nothing else
  std::condition_variable changed_;
  bool connected_ = false;
  int clients_ = 0;
  std::string asked_;
  std::thread thread_;
};

/// Pushes buffers until the position behind the gate is there, or is gone.
void push_until(GstHarness* h, bool there) {
  const gint64 end = g_get_monotonic_time() + 60 * G_USEC_PER_SEC;
  GstClockTime pts = 0;
  do {
    fail_unless(g_get_monotonic_time() < end);
    push(h, pts += GST_SECOND);
    g_thread_yield();
  } while (latitude_behind(h).has_value() != there);
}

}  // namespace

GST_START_TEST(test_track_by_time) {
  g_autofree char* folder = g_dir_make_tmp("sphere-XXXXXX", nullptr);
  const std::string path = std::string(folder) + "/walk.gpx";
  const std::string track =
      "<gpx><trk><trkseg>"
      "<trkpt lat=\"39\" lon=\"116\"><time>2026-01-01T12:00:00Z</time></trkpt>"
      "<trkpt lat=\"40\" lon=\"117\"><time>2026-01-01T12:00:10Z</time></trkpt>"
      "</trkseg></trk></gpx>";
  fail_unless(g_file_set_contents(path.c_str(), track.c_str(), -1, nullptr));
  const auto begin = [](GstHarness* h, const char* time) {
    GstDateTime* at = gst_date_time_new_from_iso8601_string(time);
    gst_harness_push_event(h, gst_event_new_tag(gst_tag_list_new(GST_TAG_DATE_TIME, at, nullptr)));
    gst_date_time_unref(at);
  };
  const auto near = [](std::optional<double> value, double wanted) {
    return value && std::abs(*value - wanted) < 1e-6;
  };
  // The time at which the medium began, and the time of a buffer in it.
  {
    const HarnessRef h = gate_with(location_given, raw);
    // A harness is a live source, for which the present time would count; this one must not be.
    gst_pad_set_query_function(h->srcpad, [](GstPad* pad, GstObject* parent, GstQuery* query) {
      return static_cast<gboolean>(GST_QUERY_TYPE(query) != GST_QUERY_LATENCY &&
                                   gst_pad_query_default(pad, parent, query));
    });
    g_object_set(h->element, "gpx", path.c_str(), nullptr);
    push(h.get(), 0);
    fail_unless(!latitude_behind(h.get()));  // no time is known
    begin(h.get(), "2026-01-01T12:00:02Z");
    push(h.get(), 0);
    fail_unless(near(latitude_behind(h.get()), 39.2));
    push(h.get(), 500 * GST_MSECOND);
    fail_unless(near(latitude_behind(h.get()), 39.2));  // not more often than each second
    push(h.get(), 3 * GST_SECOND);
    fail_unless(near(latitude_behind(h.get()), 39.5));
    push(h.get(), 100 * GST_SECOND);
    fail_unless(!latitude_behind(h.get()));  // after its end
  }
  // The buffer says when it was captured.
  {
    const HarnessRef h = gate_with(city_given, raw);
    g_object_set(h->element, "gpx", path.c_str(), nullptr);
    BufferRef buffer = buffer_of(picture, 0);
    const CapsRef reference(gst_caps_new_empty_simple("timestamp/x-unix"));
    gst_buffer_add_reference_timestamp_meta(buffer.get(), reference.get(),
                                            (guint64{1767268800} * 1000 + 4560) * GST_MSECOND, 0);
    gst_harness_push(h.get(), buffer.release());
    fail_unless(near(latitude_behind(h.get()), 39.5), "rounded to the city");
  }
  // Without consent, and with a file that is no track.
  {
    const HarnessRef h = gate_with(nullptr, raw);
    g_object_set(h->element, "gpx", path.c_str(), nullptr);
    begin(h.get(), "2026-01-01T12:00:02Z");
    push(h.get(), 0);
    fail_unless(!latitude_behind(h.get()));
    g_object_set(h->element, "gpx", folder, nullptr);
    set_consent(h->element, location_given);
    push(h.get(), GST_SECOND);
    fail_unless(!latitude_behind(h.get()));
  }
  g_unlink(path.c_str());
  g_rmdir(folder);
}
GST_END_TEST

GST_START_TEST(test_gpsd) {
  Gpsd gpsd;
  const HarnessRef h = gate_with(nullptr, raw);
  g_object_set(h->element, "gpsd", gpsd.address().c_str(), nullptr);
  for (int i = 1; i <= 20; ++i) push(h.get(), static_cast<GstClockTime>(i) * GST_SECOND);
  fail_unless(!latitude_behind(h.get()));
  fail_unless_equals_int(gpsd.clients(), 0);  // not even asked for while it is denied
  set_consent(h->element, location_given);
  push_until(h.get(), true);
  gpsd.wait_for(true);
  fail_unless(latitude_behind(h.get()) == latitude);
  const TagListRef tags = tags_behind(h.get(), GST_TAG_SCOPE_GLOBAL);
  fail_unless(number_of(tags.get(), GST_TAG_GEO_LOCATION_ELEVATION) == altitude);
  fail_unless(gpsd.asked().starts_with("?WATCH={"));
  // After a withdrawal, the next buffer has no position, and the connection is closed.
  set_consent(h->element, nullptr);
  push(h.get(), 0);
  fail_unless(!latitude_behind(h.get()));
  gpsd.wait_for(false);
  // After a new grant, gpsd is asked again, and the earlier position is not used.
  set_consent(h->element, city_given);
  push_until(h.get(), true);
  fail_unless(std::abs(*latitude_behind(h.get()) + 8) < 1e-9);
  fail_unless_equals_int(gpsd.clients(), 2);
}
GST_END_TEST

// A client that ends while it is connecting, connected and waiting.
GST_START_TEST(test_gpsd_ends_at_any_time) {
  Gpsd gpsd;
  for (int i = 0; i < 20; ++i) {
    const HarnessRef h = gate_with(location_given, raw);
    g_object_set(h->element, "gpsd", i % 3 == 2 ? "127.0.0.1:1" : gpsd.address().c_str(), nullptr);
    if (i % 3 == 0) push_until(h.get(), true);
    if (i % 3 == 1) push(h.get(), 0);
    if (i % 2) g_object_set(h->element, "gpsd", nullptr, nullptr);
  }
}
GST_END_TEST

GST_START_TEST(test_a_position_moves) {
  const HarnessRef h = gate_with(location_given, raw);
  for (int i = 0; i < 50; ++i) {
    const std::string text = std::to_string(i) + ".5,7";
    g_object_set(h->element, "position", text.c_str(), nullptr);
    push(h.get(), static_cast<GstClockTime>(i) * GST_SECOND);
    fail_unless(latitude_behind(h.get()) == i + 0.5);
  }
  gst_util_set_object_arg(G_OBJECT(h->element), "precision", "country");
  push(h.get(), 60 * GST_SECOND);
  fail_unless(latitude_behind(h.get()) == 50);
  g_object_set(h->element, "position", "somewhere", nullptr);
  push(h.get(), 70 * GST_SECOND);
  fail_unless(!latitude_behind(h.get()));
}
GST_END_TEST

static Suite* geogate_position_suite() {
  Suite* s = suite_create("geogate_position");
  TCase* tc = tcase_create("positions");
  suite_add_tcase(s, tc);
  tcase_add_test(tc, test_track_by_time);
  tcase_add_test(tc, test_gpsd);
  tcase_add_test(tc, test_gpsd_ends_at_any_time);
  tcase_add_test(tc, test_a_position_moves);
  return s;
}
GST_CHECK_MAIN(geogate_position)
