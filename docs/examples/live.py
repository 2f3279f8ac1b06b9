#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A live 360 stream in Python: from a camera to a server, a file or a page, and how it is doing.

Usage: live.py SOURCE TARGET [SECONDS]

SOURCE is a camera, such as madv://192.168.42.1, or "test:"; TARGET is what spherelivesink takes,
such as rtmp://HOST/APP/KEY, hls:FOLDER, file:NAME.mp4 or web:8080.
"""

import sys

import gi

gi.require_version("Gst", "1.0")
from gi.repository import GLib, Gst  # pylint: disable=wrong-import-position

CAMERA = "spherecamsrc name=camera camera.video ! decodebin ! videoconvert"
TEST = "spheretestsrc is-live=true ! video/x-raw,width=640"


def tell(sink):
    """One line about the target."""
    stats = sink.props.stats
    latency = stats.get_uint64("latency").value
    print(f"{stats.get_string('state')}: {stats.get_uint64('frames').value} pictures, "
          f"{stats.get_uint64('dropped').value} dropped, "
          f"{latency // Gst.MSECOND if latency != Gst.CLOCK_TIME_NONE else 0} ms", flush=True)
    return GLib.SOURCE_CONTINUE


def main():
    """What the usage says."""
    Gst.init(None)
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    source, target = sys.argv[1:3]
    is_test = source == "test:"
    pipeline = Gst.parse_launch(
        f"{TEST if is_test else CAMERA} ! spherestitch ! spherelivesink name=sink")
    sink = pipeline.get_by_name("sink")
    sink.props.uri = target
    if not is_test:
        pipeline.get_by_name("camera").props.location = source

    loop = GLib.MainLoop()
    failed = []

    def on_message(_bus, message):
        if message.type == Gst.MessageType.ERROR:
            failed.append(message.parse_error()[0].message)
            loop.quit()
        elif message.type == Gst.MessageType.WARNING:
            # The target has failed, and is tried again; or the camera is lost.
            print(message.parse_warning()[0].message, file=sys.stderr)
        elif message.type == Gst.MessageType.EOS:
            loop.quit()
        return True

    pipeline.get_bus().add_watch(GLib.PRIORITY_DEFAULT, on_message)
    GLib.timeout_add_seconds(1, tell, sink)
    if len(sys.argv) > 3:
        # The target ends properly: a file gets its end, a server is told.
        GLib.timeout_add_seconds(int(sys.argv[3]), pipeline.send_event, Gst.Event.new_eos())
    pipeline.set_state(Gst.State.PLAYING)
    loop.run()
    tell(sink)
    pipeline.set_state(Gst.State.NULL)
    if failed:
        sys.exit(failed[0])


if __name__ == "__main__":
    main()
