/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A window in which one looks around in a 360 video, with GTK.
 *
 * Build: cc look.c -o look $(pkg-config --cflags --libs gtk+-3.0 gstreamer-1.0)
 * Usage: look FILE|URI
 *
 * The mouse, the wheel and the keys turn the view: the widget sends them to sphereview by itself.
 * What has two fisheyes needs "spherestitch !" before sphereview.
 */

#include <gst/gst.h>
#include <gtk/gtk.h>

typedef struct {
  GstElement *pipeline;
  GstElement *view;
  GtkWidget *label;
  gboolean failed;
} Player;

static gboolean
on_message (GstBus *bus, GstMessage *message, gpointer data)
{
  Player *player = data;
  GError *error = NULL;
  switch (GST_MESSAGE_TYPE (message)) {
    case GST_MESSAGE_ERROR:
      gst_message_parse_error (message, &error, NULL);
      g_printerr ("%s\n", error->message);
      g_clear_error (&error);
      player->failed = TRUE;
      gtk_main_quit ();
      break;
    case GST_MESSAGE_EOS:
      /* It begins again. */
      gst_element_seek_simple (player->pipeline, GST_FORMAT_TIME,
                               GST_SEEK_FLAG_FLUSH | GST_SEEK_FLAG_ACCURATE, 0);
      break;
    default:
      break;
  }
  return G_SOURCE_CONTINUE;
}

static gboolean
tell_direction (gpointer data)
{
  Player *player = data;
  gdouble yaw = 0, pitch = 0;
  g_object_get (player->view, "yaw", &yaw, "pitch", &pitch, NULL);
  gchar *text = g_strdup_printf ("yaw %.1f, pitch %.1f", yaw, pitch);
  gtk_label_set_text (GTK_LABEL (player->label), text);
  g_free (text);
  return G_SOURCE_REMOVE;
}

/* Called in the thread that turned the view; widgets belong to the main loop. */
static void
on_turned (GObject *view, GParamSpec *spec, gpointer data)
{
  g_idle_add (tell_direction, data);
}

static void
look_forward (GtkButton *button, gpointer data)
{
  g_object_set (((Player *) data)->view, "yaw", 0.0, "pitch", 0.0, "fov", 0.0, NULL);
}

static void
on_play (GtkToggleButton *button, gpointer data)
{
  gst_element_set_state (((Player *) data)->pipeline, gtk_toggle_button_get_active (button) ?
                         GST_STATE_PLAYING : GST_STATE_PAUSED);
}

static GtkWidget *
make_window (Player *player, GtkWidget *picture)
{
  GtkWidget *window = gtk_window_new (GTK_WINDOW_TOPLEVEL);
  GtkWidget *column = gtk_box_new (GTK_ORIENTATION_VERTICAL, 0);
  GtkWidget *row = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 6);
  GtkWidget *play = gtk_toggle_button_new_with_label ("Play");
  GtkWidget *forward = gtk_button_new_with_label ("Look forward");
  player->label = gtk_label_new ("");
  gtk_toggle_button_set_active (GTK_TOGGLE_BUTTON (play), TRUE);
  gtk_widget_set_size_request (picture, 640, 360);
  gtk_box_pack_start (GTK_BOX (column), picture, TRUE, TRUE, 0);
  gtk_box_pack_start (GTK_BOX (column), row, FALSE, FALSE, 0);
  gtk_box_pack_start (GTK_BOX (row), play, FALSE, FALSE, 0);
  gtk_box_pack_start (GTK_BOX (row), forward, FALSE, FALSE, 0);
  gtk_box_pack_start (GTK_BOX (row), player->label, FALSE, FALSE, 0);
  gtk_container_add (GTK_CONTAINER (window), column);
  gtk_window_set_title (GTK_WINDOW (window), "Look around");
  g_signal_connect (window, "destroy", G_CALLBACK (gtk_main_quit), NULL);
  g_signal_connect (forward, "clicked", G_CALLBACK (look_forward), player);
  g_signal_connect (play, "toggled", G_CALLBACK (on_play), player);
  return window;
}

int
main (int argc, char **argv)
{
  gtk_init (&argc, &argv);
  gst_init (&argc, &argv);
  if (argc != 2) {
    g_printerr ("Usage: look FILE|URI\n");
    return 2;
  }
  Player player = { NULL, NULL, NULL, FALSE };
  GError *error = NULL;
  gchar *uri = gst_uri_is_valid (argv[1]) ? g_strdup (argv[1]) : gst_filename_to_uri (argv[1], &error);
  if (!error)
    player.pipeline = gst_parse_launch (
        "uridecodebin name=source ! videoconvert ! sphereview name=view ! "
        "video/x-raw,width=640,height=360 ! videoconvert ! gtksink name=sink", &error);
  if (error) {
    g_printerr ("%s\n", error->message);
    return 1;
  }
  GstElement *source = gst_bin_get_by_name (GST_BIN (player.pipeline), "source");
  GstElement *sink = gst_bin_get_by_name (GST_BIN (player.pipeline), "sink");
  player.view = gst_bin_get_by_name (GST_BIN (player.pipeline), "view");
  g_object_set (source, "uri", uri, NULL);
  GtkWidget *picture = NULL;
  g_object_get (sink, "widget", &picture, NULL);
  GtkWidget *window = make_window (&player, picture);
  g_signal_connect (player.view, "notify::yaw", G_CALLBACK (on_turned), &player);
  g_signal_connect (player.view, "notify::pitch", G_CALLBACK (on_turned), &player);

  GstBus *bus = gst_element_get_bus (player.pipeline);
  gst_bus_add_watch (bus, on_message, &player);
  gtk_widget_show_all (window);
  gst_element_set_state (player.pipeline, GST_STATE_PLAYING);
  gtk_main ();
  gst_element_set_state (player.pipeline, GST_STATE_NULL);
  gst_bus_remove_watch (bus);
  gst_object_unref (bus);
  g_object_unref (picture);
  gst_object_unref (player.view);
  gst_object_unref (sink);
  gst_object_unref (source);
  gst_object_unref (player.pipeline);
  g_free (uri);
  return player.failed ? 1 : 0;
}
