/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A camera in C: its state, a photo, the photo's file, and a live picture.
 *
 * Build: cc camera.c -o camera $(pkg-config --cflags --libs gstspherehw-1.0)
 * Usage: camera [URI] [FOLDER]
 *
 * URI is that of a camera, such as madv://192.168.42.1; FOLDER is where the photo and the live
 * picture are written. The photo is deleted from the camera's card at the end.
 */

#include <gst/gst.h>
#include <hw/gstspherecamera.h>

typedef struct {
  GMainLoop *loop;
  GAsyncResult *result;
} Wait;

static void
finished (GObject *source, GAsyncResult *result, gpointer data)
{
  Wait *wait = data;
  wait->result = g_object_ref (result);
  g_main_loop_quit (wait->loop);
}

/* Runs the main loop until an asynchronous function has called finished(). */
static GAsyncResult *
result_of (Wait *wait)
{
  g_main_loop_run (wait->loop);
  return wait->result;
}

static gboolean
fail (const char *what, GError *error)
{
  g_printerr ("%s: %s\n", what, error ? error->message : "failed");
  g_clear_error (&error);
  return FALSE;
}

/* Writes one picture of the live preview, stitched, as a JPEG. */
static gboolean
live_picture (const char *uri, const char *name)
{
  g_autofree gchar *line = g_strdup_printf (
      "spherecamsrc name=camera location=\"%s\" camera.video ! decodebin ! videoconvert ! "
      "spherestitch ! videoconvert ! jpegenc snapshot=true ! filesink location=\"%s\"",
      uri, name);
  GError *error = NULL;
  GstElement *pipeline = gst_parse_launch (line, &error);
  if (error)
    return fail ("live picture", error);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  GstBus *bus = gst_element_get_bus (pipeline);
  GstMessage *message = gst_bus_timed_pop_filtered (
      bus, 60 * GST_SECOND, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  gboolean done = message && GST_MESSAGE_TYPE (message) == GST_MESSAGE_EOS;
  if (message && !done)
    gst_message_parse_error (message, &error, NULL);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  if (message)
    gst_message_unref (message);
  gst_object_unref (bus);
  gst_object_unref (pipeline);
  return done ? TRUE : fail ("live picture", error);
}

static gboolean
use_camera (GstSphereCamera *camera, const char *folder)
{
  Wait wait = { g_main_loop_new (NULL, FALSE), NULL };
  GError *error = NULL;

  gst_sphere_camera_connect_async (camera, NULL, finished, &wait);
  if (!gst_sphere_camera_connect_finish (camera, result_of (&wait), &error))
    return fail ("connect", error);
  g_clear_object (&wait.result);

  GstStructure *state = gst_sphere_camera_get_state (camera);
  gint battery = 0;
  gst_structure_get_int (state, "battery", &battery);
  g_print ("Model: %s\nBattery: %d %%\n", gst_structure_get_string (state, "model"), battery);
  gst_structure_free (state);

  gst_sphere_camera_take_photo_async (camera, GST_SPHERE_CAMERA_PHOTO_SINGLE, NULL, NULL, finished,
                                      &wait);
  g_autofree gchar *path = gst_sphere_camera_take_photo_finish (camera, result_of (&wait), &error);
  if (!path)
    return fail ("photo", error);
  g_clear_object (&wait.result);
  g_print ("Photo: %s\n", path);

  g_autofree gchar *name = g_path_get_basename (path);
  g_autofree gchar *photo = g_build_filename (folder, name, NULL);
  gst_sphere_camera_download_async (camera, path, photo, NULL, NULL, NULL, NULL, finished, &wait);
  if (!gst_sphere_camera_download_finish (camera, result_of (&wait), &error))
    return fail ("download", error);
  g_clear_object (&wait.result);
  g_print ("Fetched: %s\n", photo);

  gst_sphere_camera_delete_async (camera, path, NULL, finished, &wait);
  if (!gst_sphere_camera_delete_finish (camera, result_of (&wait), &error))
    return fail ("delete", error);
  g_clear_object (&wait.result);

  gst_sphere_camera_disconnect_async (camera, NULL, finished, &wait);
  if (!gst_sphere_camera_disconnect_finish (camera, result_of (&wait), &error))
    return fail ("disconnect", error);
  g_clear_object (&wait.result);
  g_main_loop_unref (wait.loop);
  return TRUE;
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  const char *folder = argc > 2 ? argv[2] : ".";
  GError *error = NULL;
  GstSphereCamera *camera = gst_sphere_camera_new (argc > 1 ? argv[1] : NULL, &error);
  if (!camera)
    return !fail ("camera", error);
  gboolean good = use_camera (camera, folder);
  g_autofree gchar *uri = NULL;
  g_object_get (camera, "location", &uri, NULL);
  g_autofree gchar *live = g_build_filename (folder, "live.jpg", NULL);
  good = good && live_picture (uri, live);
  if (good)
    g_print ("Live picture: %s\n", live);
  g_object_unref (camera);
  return good ? 0 : 1;
}
