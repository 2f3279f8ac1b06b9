// SPDX-License-Identifier: LGPL-2.1-or-later
// What tests use of gst-launch-1.0, as a program that is built with the sanitizers: the real one is
// not, and can't load elements that are. It also reports what they leak.
//
//   gst-launch-1.0 [-q] [-e] [-v] [-m] LINE
//
// -q is silent, -e ends the stream properly at SIGINT, -m prints messages; -v is taken and ignored.

#include <csignal>
#include <cstdio>
#include <cstring>
#include <memory>

#include <glib-unix.h>
#include <gst/gst.h>

#include "gst/sphere/base/gobject.h"

namespace {

using sphere::Call;
using sphere::GstRef;
using sphere::MessageRef;

struct Options {
  bool quiet = false, end_properly = false, messages = false;
};

struct Run {
  Options options;
  GstElement* pipeline = nullptr;
  bool stopped = false;
  GMainLoop* loop = nullptr;
  int status = 0;
};

gboolean stop(gpointer data) {
  auto* run = static_cast<Run*>(data);
  if (run->options.end_properly && !run->stopped)
    gst_element_send_event(run->pipeline, gst_event_new_eos());
  else
    g_main_loop_quit(run->loop);
  run->stopped = true;
  return G_SOURCE_CONTINUE;
}

void print_message(GstMessage* message) {
  const GstStructure* structure = gst_message_get_structure(message);
  const std::unique_ptr<char, Call<g_free>> text(structure ? gst_structure_to_string(structure)
                                                           : nullptr);
  std::printf("Got message #%u from %s (%s): %s\n", gst_message_get_seqnum(message),
              GST_MESSAGE_SRC_NAME(message), GST_MESSAGE_TYPE_NAME(message),
              text ? text.get() : "no message details");
}

/// As the real one: the error to stderr, with the element that it comes from.
void print_problem(GstMessage* message) {
  g_autoptr(GError) error = nullptr;
  g_autofree char* details = nullptr;
  const bool is_error = GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR;
  if (is_error)
    gst_message_parse_error(message, &error, &details);
  else
    gst_message_parse_warning(message, &error, &details);
  const std::unique_ptr<char, Call<g_free>> where(
      gst_object_get_path_string(GST_MESSAGE_SRC(message)));
  std::fprintf(stderr, "%s: from element %s: %s\n", is_error ? "ERROR" : "WARNING", where.get(),
               error->message);
  if (details) std::fprintf(stderr, "Additional debug info:\n%s\n", details);
}

gboolean take(GstBus*, GstMessage* message, gpointer data) {
  auto* run = static_cast<Run*>(data);
  if (run->options.messages) print_message(message);
  switch (GST_MESSAGE_TYPE(message)) {
    case GST_MESSAGE_ERROR:
      print_problem(message);
      run->status = 1;
      g_main_loop_quit(run->loop);
      break;
    case GST_MESSAGE_WARNING:
      if (!run->options.quiet) print_problem(message);
      break;
    case GST_MESSAGE_EOS:
      if (!run->options.quiet)
        std::printf("Got EOS from element \"%s\".\n", GST_MESSAGE_SRC_NAME(message));
      g_main_loop_quit(run->loop);
      break;
    case GST_MESSAGE_LATENCY:
      gst_bin_recalculate_latency(GST_BIN(run->pipeline));
      break;
    case GST_MESSAGE_REQUEST_STATE: {
      GstState state = GST_STATE_NULL;
      gst_message_parse_request_state(message, &state);
      gst_element_set_state(run->pipeline, state);
      break;
    }
    default:
      break;
  }
  return G_SOURCE_CONTINUE;
}

}  // namespace

int main(int argc, char** argv) {
  gst_init(&argc, &argv);
  Run run;
  int first = 1;
  for (; first < argc && argv[first][0] == '-' && std::strlen(argv[first]) == 2; ++first) {
    run.options.quiet = run.options.quiet || argv[first][1] == 'q';
    run.options.end_properly = run.options.end_properly || argv[first][1] == 'e';
    run.options.messages = run.options.messages || argv[first][1] == 'm';
  }
  g_autoptr(GError) error = nullptr;
  GstElement* made = gst_parse_launchv(const_cast<const char**>(argv + first), &error);
  if (!made || error) {
    std::fprintf(stderr, "WARNING: erroneous pipeline: %s\n", error ? error->message : "empty");
    if (made) gst_object_unref(gst_object_ref_sink(made));
    return 1;
  }
  if (!GST_IS_PIPELINE(made)) {
    GstElement* pipeline = gst_pipeline_new(nullptr);
    gst_bin_add(GST_BIN(pipeline), made);
    made = pipeline;
  }
  const GstRef<GstElement> pipeline(GST_ELEMENT(gst_object_ref_sink(made)));
  const std::unique_ptr<GMainLoop, Call<g_main_loop_unref>> loop(g_main_loop_new(nullptr, FALSE));
  run.pipeline = pipeline.get();
  run.loop = loop.get();
  const GstRef<GstBus> bus(gst_element_get_bus(pipeline.get()));
  const guint watch = gst_bus_add_watch(bus.get(), take, &run);
  const guint interrupted = g_unix_signal_add(SIGINT, stop, &run);
  // An error of the change of state comes as a message.
  if (gst_element_set_state(pipeline.get(), GST_STATE_PLAYING) == GST_STATE_CHANGE_FAILURE &&
      !gst_bus_have_pending(bus.get())) {
    std::fprintf(stderr, "ERROR: pipeline doesn't want to play.\n");
    run.status = 1;
  } else {
    if (!run.options.quiet) std::printf("Setting pipeline to PLAYING ...\n");
    std::fflush(stdout);
    g_main_loop_run(loop.get());
  }
  gst_element_set_state(pipeline.get(), GST_STATE_NULL);
  g_source_remove(watch);
  g_source_remove(interrupted);
  return run.status;
}
