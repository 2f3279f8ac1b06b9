/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A live 360 stream in C: from a camera to a server, a file or a page, and how it is doing.
 *
 * Build: cc live.c -o live $(pkg-config --cflags --libs gstsphere-1.0)
 * Usage: live SOURCE TARGET [SECONDS]
 *
 * SOURCE is a camera, such as madv://192.168.42.1, or "test:"; TARGET is what spherelivesink takes,
 * such as rtmp://HOST/APP/KEY, hls:FOLDER, file:NAME.mp4 or web:8080.
 */

#include <gst/gst.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
  GMainLoop *loop;
  GstElement *pipeline;
  GstElement *sink;
  gboolean failed;
} Stream;

static gboolean
on_message (GstBus *bus, GstMessage *message, gpointer data)
{
  Stream *stream = data;
  GError *error = NULL;
  switch (GST_MESSAGE_TYPE (message)) {
    case GST_MESSAGE_ERROR:
      gst_message_parse_error (message, &error, NULL);
      g_printerr ("%s\n", error->message);
      stream->failed = TRUE;
      g_main_loop_quit (stream->loop);
      break;
    case GST_MESSAGE_WARNING:
      /* The target has failed, and is tried again; or the camera is lost. */
      gst_message_parse_warning (message, &error, NULL);
      g_printerr ("%s\n", error->message);
      break;
    case GST_MESSAGE_EOS:
      g_main_loop_quit (stream->loop);
      break;
    default:
      break;
  }
  g_clear_error (&error);
  return G_SOURCE_CONTINUE;
}

static gboolean
tell (gpointer data)
{
  Stream *stream = data;
  GstStructure *stats = NULL;
  guint64 frames = 0, dropped = 0, latency = 0;
  g_object_get (stream->sink, "stats", &stats, NULL);
  gst_structure_get_uint64 (stats, "frames", &frames);
  gst_structure_get_uint64 (stats, "dropped", &dropped);
  gst_structure_get_uint64 (stats, "latency", &latency);
  g_print ("%s: %" G_GUINT64_FORMAT " pictures, %" G_GUINT64_FORMAT " dropped, %" G_GUINT64_FORMAT
           " ms\n",
           gst_structure_get_string (stats, "state"), frames, dropped,
           GST_CLOCK_TIME_IS_VALID (latency) ? latency / GST_MSECOND : 0);
  gst_structure_free (stats);
  return G_SOURCE_CONTINUE;
}

/* The target ends properly: a file gets its end, a server is told. */
static gboolean
end (gpointer data)
{
  gst_element_send_event (((Stream *) data)->pipeline, gst_event_new_eos ());
  return G_SOURCE_REMOVE;
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  if (argc < 3) {
    g_printerr ("Usage: live SOURCE TARGET [SECONDS]\n");
    return 2;
  }
  Stream stream = { g_main_loop_new (NULL, FALSE), NULL, NULL, FALSE };
  gboolean test = strcmp (argv[1], "test:") == 0;
  GError *error = NULL;
  stream.pipeline = gst_parse_launch (
      test ? "spheretestsrc is-live=true ! video/x-raw,width=640 ! spherestitch ! spherelivesink name=sink"
           : "spherecamsrc name=camera camera.video ! decodebin ! videoconvert ! spherestitch ! "
             "spherelivesink name=sink",
      &error);
  if (error) {
    g_printerr ("%s\n", error->message);
    return 1;
  }
  stream.sink = gst_bin_get_by_name (GST_BIN (stream.pipeline), "sink");
  g_object_set (stream.sink, "uri", argv[2], NULL);
  if (!test) {
    GstElement *camera = gst_bin_get_by_name (GST_BIN (stream.pipeline), "camera");
    g_object_set (camera, "location", argv[1], NULL);
    gst_object_unref (camera);
  }
  GstBus *bus = gst_element_get_bus (stream.pipeline);
  gst_bus_add_watch (bus, on_message, &stream);
  g_timeout_add_seconds (1, tell, &stream);
  if (argc > 3)
    g_timeout_add_seconds (atoi (argv[3]), end, &stream);
  gst_element_set_state (stream.pipeline, GST_STATE_PLAYING);
  g_main_loop_run (stream.loop);
  tell (&stream);
  gst_element_set_state (stream.pipeline, GST_STATE_NULL);
  gst_bus_remove_watch (bus);
  gst_object_unref (bus);
  gst_object_unref (stream.sink);
  gst_object_unref (stream.pipeline);
  g_main_loop_unref (stream.loop);
  return stream.failed ? 1 : 0;
}
