// SPDX-License-Identifier: LGPL-2.1-or-later
// GstSphereCamera and the threads: the end of a camera's thread is never waited for in itself,
// wherever an application lets go of the object, and what waits there never uses what is gone.

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>

#include "hw/gstspherecamera_private.h"
#include "tests/check/emulator.h"

#include <gst/check/gstcheck.h>

using namespace sphere;
using namespace std::chrono_literals;

namespace {

/// What an application and the camera's thread tell each other.
struct Watch {
  GstSphereCamera* camera = nullptr;
  std::mutex mutex;
  std::condition_variable changed;
  bool let_go = false;
  GThread* ended_in = nullptr;

  /// Waits in the camera's thread until the application has let go of the camera, with a limit.
  void wait() {
    std::unique_lock lock(mutex);
    changed.wait_for(lock, 20s, [this] { return let_go; });
  }
  void drop() {
    g_object_unref(camera);
    const std::lock_guard lock(mutex);
    let_go = true;
    changed.notify_all();
  }
};

void watch_end(Watch& watch) {
  g_object_weak_ref(
      G_OBJECT(watch.camera),
      [](gpointer data, GObject*) { static_cast<Watch*>(data)->ended_in = g_thread_self(); },
      &watch);
}

void iterate_until_ended(Watch& watch) {
  const gint64 until = g_get_monotonic_time() + 30 * G_USEC_PER_SEC;
  while (!watch.ended_in) {
    fail_unless(g_get_monotonic_time() < until, "the camera does not end");
    g_main_context_iteration(nullptr, FALSE);
    g_thread_yield();
  }
}

void connected(GObject* source, GAsyncResult* result, gpointer data) {
  g_autoptr(GError) error = nullptr;
  fail_unless(gst_sphere_camera_connect_finish(GST_SPHERE_CAMERA(source), result, &error), "%s",
              error ? error->message : "");
  static_cast<Watch*>(data)->drop();
}

void connect(GstSphereCamera* camera) {
  bool done = false;
  gst_sphere_camera_connect_async(
      camera, nullptr,
      [](GObject* source, GAsyncResult* result, gpointer data) {
        fail_unless(gst_sphere_camera_connect_finish(GST_SPHERE_CAMERA(source), result, nullptr));
        *static_cast<bool*>(data) = true;
      },
      &done);
  while (!done) g_main_context_iteration(nullptr, TRUE);
}

}  // namespace

// The answer to connect() is given in the camera's thread, which then calls its listeners, and only
// then drops the call. One of the listeners waits until the application has let go.
GST_START_TEST(the_last_reference_is_dropped_by_the_application) {
  const auto emulator = test::started(test::control_only());
  Watch watch;
  watch.camera = gst_sphere_camera_new(emulator->uri().c_str(), nullptr);
  fail_unless(watch.camera != nullptr);
  watch_end(watch);
  hw::client_of(watch.camera)->add_listener([&watch](const hw::CameraEvent& event) {
    if (event.kind == hw::CameraEvent::Kind::ready) watch.wait();
  });
  gst_sphere_camera_connect_async(watch.camera, nullptr, connected, &watch);
  iterate_until_ended(watch);
  fail_unless(watch.let_go);
  fail_unless(watch.ended_in == g_thread_self(), "the camera ends in another thread");
}
GST_END_TEST;

// An application can run in the camera's thread: in a synchronous handler of a pipeline's bus.
// There it drops the last reference to the object and to the connection.
GST_START_TEST(the_last_reference_may_be_dropped_in_the_thread_of_the_camera) {
  const auto emulator = test::started(test::control_only());
  for (int i = 0; i < 3; ++i) {
    Watch watch;
    watch.camera = gst_sphere_camera_new(emulator->uri().c_str(), nullptr);
    watch_end(watch);
    hw::client_of(watch.camera)->add_listener([&watch](const hw::CameraEvent& event) {
      if (event.kind == hw::CameraEvent::Kind::ready) watch.drop();
    });
    // Without a call that has a reference of its own.
    hw::client_of(watch.camera)->hold(&watch);
    hw::client_of(watch.camera)->connect({});
    {
      std::unique_lock lock(watch.mutex);
      fail_unless(watch.changed.wait_for(lock, 20s, [&] { return watch.let_go; }));
    }
    fail_unless(watch.ended_in && watch.ended_in != g_thread_self());
    // The connection is ended in an orderly way.
    for (int tries = 0; emulator->counters().session_stops != i + 1; ++tries) {
      fail_unless(tries < 20000, "the session is not ended");
      g_usleep(1000);
    }
  }
}
GST_END_TEST;

// A command that waits in the camera's thread is asked there whether it is still wanted. The object
// that it came from may be gone by then, because its call was cancelled and somebody else uses the
// connection, too.
GST_START_TEST(a_command_that_waits_outlives_its_object) {
  const auto emulator = test::started(test::control_only({"late:200"}));
  g_autoptr(GstSphereCamera) other = gst_sphere_camera_new(emulator->uri().c_str(), nullptr);
  connect(other);
  Watch watch;
  watch.camera = gst_sphere_camera_new(emulator->uri().c_str(), nullptr);
  watch_end(watch);
  g_autoptr(GstCaps) consent = gst_caps_from_string(
      "consent/location, state=(string)given; consent/device, state=(string)given; "
      "consent/network, state=(string)given");
  g_object_set(watch.camera, "consent", consent, nullptr);
  connect(watch.camera);
  g_autoptr(GCancellable) cancellable = g_cancellable_new();
  const auto cancelled = +[](GObject*, GAsyncResult* result, gpointer) {
    g_autoptr(GError) error = nullptr;
    fail_unless(!g_task_propagate_boolean(G_TASK(result), &error));
    fail_unless(g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED), "%s", error->message);
  };
  // At least the second one waits for an answer.
  for (int i = 0; i < 2; ++i)
    gst_sphere_camera_set_position_async(watch.camera, 48, 16, 200, cancellable, cancelled,
                                         nullptr);
  watch.drop();
  g_cancellable_cancel(cancellable);
  iterate_until_ended(watch);
  // This command comes after them.
  bool done = false;
  gst_sphere_camera_set_clock_async(
      other, nullptr,
      [](GObject* source, GAsyncResult* result, gpointer data) {
        fail_unless(gst_sphere_camera_set_clock_finish(GST_SPHERE_CAMERA(source), result, nullptr));
        *static_cast<bool*>(data) = true;
      },
      &done);
  while (!done) g_main_context_iteration(nullptr, TRUE);
  int positions = 0;
  for (const madv_emulator::Asked& asked : emulator->asked()) positions += asked.id == 4917;
  // The first one may have been sent before the call was cancelled.
  fail_unless(positions < 2, "%d positions", positions);
}
GST_END_TEST;

// Nothing waits for the lens table, which comes over a port of its own.
GST_START_TEST(connecting_does_not_wait_for_the_lens_table) {
  const auto emulator = test::started(test::control_only({"no-data"}));
  g_autoptr(GstSphereCamera) camera = gst_sphere_camera_new(emulator->uri().c_str(), nullptr);
  struct Seen {
    std::atomic<bool> table_missing = false;
    bool connected = false, was_missing = false;
  } seen;
  hw::client_of(camera)->add_listener([&seen](const hw::CameraEvent& event) {
    if (event.kind == hw::CameraEvent::Kind::no_lens_table) seen.table_missing = true;
  });
  gst_sphere_camera_connect_async(
      camera, nullptr,
      [](GObject* source, GAsyncResult* result, gpointer data) {
        fail_unless(gst_sphere_camera_connect_finish(GST_SPHERE_CAMERA(source), result, nullptr));
        auto* one = static_cast<Seen*>(data);
        one->was_missing = one->table_missing;
        one->connected = true;
      },
      &seen);
  while (!seen.connected) g_main_context_iteration(nullptr, TRUE);
  fail_unless(!seen.was_missing);
  for (int i = 0; !seen.table_missing; ++i) {
    fail_unless(i < 30000, "the missing table is not told");
    g_usleep(1000);
  }
  fail_unless(gst_sphere_camera_is_connected(camera));
}
GST_END_TEST;

// The camera is let go while a call waits, which is then cancelled; and while it is being
// connected.
GST_START_TEST(calls_that_wait_keep_no_camera) {
  const auto emulator = test::started(test::control_only({"silent:0"}));
  for (int i = 0; i < 4; ++i) {
    Watch watch;
    watch.camera = gst_sphere_camera_new(emulator->uri().c_str(), nullptr);
    watch_end(watch);
    g_autoptr(GCancellable) cancellable = g_cancellable_new();
    gst_sphere_camera_connect_async(
        watch.camera, cancellable,
        [](GObject* source, GAsyncResult* result, gpointer) {
          g_autoptr(GError) error = nullptr;
          fail_unless(!gst_sphere_camera_connect_finish(GST_SPHERE_CAMERA(source), result, &error));
          fail_unless(g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED), "%s",
                      error->message);
        },
        nullptr);
    watch.drop();
    g_cancellable_cancel(cancellable);
    iterate_until_ended(watch);
    fail_unless(watch.ended_in == g_thread_self());
  }
}
GST_END_TEST;

// When the camera has accepted a photo, a timer is set in the caller's main context. By then, the
// call may be cancelled, and the caller be done with the context.
GST_START_TEST(a_photo_holds_the_main_context_of_its_caller) {
  const auto emulator = test::started(test::control_only({"late:200"}));
  g_autoptr(GstSphereCamera) camera = gst_sphere_camera_new(emulator->uri().c_str(), nullptr);
  connect(camera);
  GMainContext* context = g_main_context_new();
  // Destroyed with the context.
  std::atomic<bool> freed = false;
  GSource* source = g_timeout_source_new_seconds(3600);
  g_source_set_callback(
      source, [](gpointer) -> gboolean { return G_SOURCE_CONTINUE; }, &freed,
      [](gpointer data) { *static_cast<std::atomic<bool>*>(data) = true; });
  g_source_attach(source, context);
  g_source_unref(source);
  g_autoptr(GCancellable) cancellable = g_cancellable_new();
  bool done = false;
  g_main_context_push_thread_default(context);
  gst_sphere_camera_take_photo_async(
      camera, GST_SPHERE_CAMERA_PHOTO_SINGLE, nullptr, cancellable,
      [](GObject* source, GAsyncResult* result, gpointer data) {
        fail_unless(
            !gst_sphere_camera_take_photo_finish(GST_SPHERE_CAMERA(source), result, nullptr));
        *static_cast<bool*>(data) = true;
      },
      &done);
  g_main_context_pop_thread_default(context);
  g_cancellable_cancel(cancellable);
  while (!done) g_main_context_iteration(context, TRUE);
  g_main_context_unref(context);
  fail_unless(!freed);
  // Until the photo is saved.
  for (int i = 0; !freed; ++i) {
    fail_unless(i < 30000, "the context is never freed");
    g_usleep(1000);
  }
}
GST_END_TEST;

// Each call is answered once, in the context of the caller, also if there is no connection.
GST_START_TEST(a_call_without_a_connection_fails_later) {
  GstSphereCamera* camera = gst_sphere_camera_new("madv://127.0.0.1:9", nullptr);
  int answers = 0;
  gst_sphere_camera_mark_async(
      camera, nullptr,
      [](GObject* source, GAsyncResult* result, gpointer data) {
        g_autoptr(GError) error = nullptr;
        fail_unless(!gst_sphere_camera_mark_finish(GST_SPHERE_CAMERA(source), result, &error));
        fail_unless(g_error_matches(error, GST_SPHERE_ERROR, GST_SPHERE_ERROR_LOST));
        ++*static_cast<int*>(data);
      },
      &answers);
  fail_unless_equals_int(answers, 0);
  while (!answers) g_main_context_iteration(nullptr, TRUE);
  while (g_main_context_iteration(nullptr, FALSE)) {
  }
  fail_unless_equals_int(answers, 1);
  g_object_unref(camera);
}
GST_END_TEST;

static Suite* camera_object_suite() {
  Suite* suite = suite_create("camera_object");
  TCase* tc = tcase_create("camera_object");
  tcase_set_timeout(tc, 120);
  tcase_add_test(tc, the_last_reference_is_dropped_by_the_application);
  tcase_add_test(tc, the_last_reference_may_be_dropped_in_the_thread_of_the_camera);
  tcase_add_test(tc, a_command_that_waits_outlives_its_object);
  tcase_add_test(tc, connecting_does_not_wait_for_the_lens_table);
  tcase_add_test(tc, calls_that_wait_keep_no_camera);
  tcase_add_test(tc, a_photo_holds_the_main_context_of_its_caller);
  tcase_add_test(tc, a_call_without_a_connection_fails_later);
  suite_add_tcase(suite, tc);
  return suite;
}

GST_CHECK_MAIN(camera_object)
