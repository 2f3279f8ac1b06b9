#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A window in which one looks around in a 360 video, with GTK.

Usage: look.py FILE|URI

The mouse, the wheel and the keys turn the view: the widget sends them to sphereview by itself. What
has two fisheyes needs "spherestitch !" before sphereview.
"""

import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("Gtk", "3.0")
from gi.repository import GLib, Gst, Gtk  # pylint: disable=wrong-import-position

LINE = ("uridecodebin name=source ! videoconvert ! sphereview name=view ! "
        "video/x-raw,width=640,height=360 ! videoconvert ! gtksink name=sink")


class Player(Gtk.Window):
    """The window and its pipeline."""

    def __init__(self, uri):
        super().__init__(title="Look around")
        self.failed = False
        self.pipeline = Gst.parse_launch(LINE)
        self.pipeline.get_by_name("source").props.uri = uri
        self.view = self.pipeline.get_by_name("view")
        # Called in the thread that turned the view; widgets belong to the main loop.
        for name in ("notify::yaw", "notify::pitch"):
            self.view.connect(name, lambda *_: GLib.idle_add(self.tell_direction))
        self.label = Gtk.Label()
        picture = self.pipeline.get_by_name("sink").props.widget
        picture.set_size_request(640, 360)
        play = Gtk.ToggleButton(label="Play", active=True)
        play.connect("toggled", self.on_play)
        forward = Gtk.Button(label="Look forward")
        forward.connect("clicked", self.look_forward)
        row = Gtk.Box(spacing=6)
        for widget in (play, forward, self.label):
            row.pack_start(widget, False, False, 0)
        column = Gtk.Box(orientation=Gtk.Orientation.VERTICAL)
        column.pack_start(picture, True, True, 0)
        column.pack_start(row, False, False, 0)
        self.add(column)
        self.connect("destroy", Gtk.main_quit)
        self.pipeline.get_bus().add_watch(GLib.PRIORITY_DEFAULT, self.on_message)

    def tell_direction(self):
        """What is looked at."""
        self.label.set_text(f"yaw {self.view.props.yaw:.1f}, pitch {self.view.props.pitch:.1f}")
        return GLib.SOURCE_REMOVE

    def look_forward(self, _button):
        """As at the beginning."""
        self.view.props.yaw = self.view.props.pitch = self.view.props.fov = 0

    def on_play(self, button):
        """Plays and pauses."""
        self.pipeline.set_state(Gst.State.PLAYING if button.get_active() else Gst.State.PAUSED)

    def on_message(self, _bus, message):
        """Errors, and the end, after which it begins again."""
        if message.type == Gst.MessageType.ERROR:
            print(message.parse_error()[0].message, file=sys.stderr)
            self.failed = True
            Gtk.main_quit()
        elif message.type == Gst.MessageType.EOS:
            self.pipeline.seek_simple(Gst.Format.TIME,
                                      Gst.SeekFlags.FLUSH | Gst.SeekFlags.ACCURATE, 0)
        return True


def main():
    """What the usage says."""
    Gst.init(None)
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    uri = sys.argv[1] if Gst.uri_is_valid(sys.argv[1]) else Gst.filename_to_uri(sys.argv[1])
    player = Player(uri)
    player.show_all()
    player.pipeline.set_state(Gst.State.PLAYING)
    Gtk.main()
    player.pipeline.set_state(Gst.State.NULL)
    sys.exit(1 if player.failed else 0)


if __name__ == "__main__":
    main()
