#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A camera in Python: its state, a photo, the photo's file, and a live picture.

Usage: camera.py [URI] [FOLDER]

URI is that of a camera, such as madv://192.168.42.1; FOLDER is where the photo and the live picture
are written. The photo is deleted from the camera's card at the end.
"""

import pathlib
import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstSphereHw", "1.0")
from gi.repository import GLib, Gst, GstSphereHw  # pylint: disable=wrong-import-position


def wait(start, finish):
    """Starts an asynchronous function and runs the main loop until it has ended."""
    loop = GLib.MainLoop()
    results = []

    def called(_source, result):
        results.append(result)
        loop.quit()

    start(called)
    loop.run()
    return finish(results[0])


def live_picture(uri, name):
    """Writes one picture of the live preview, stitched, as a JPEG."""
    pipeline = Gst.parse_launch(
        f"spherecamsrc name=camera location=\"{uri}\" camera.video ! decodebin ! videoconvert ! "
        f"spherestitch ! videoconvert ! jpegenc snapshot=true ! filesink location=\"{name}\"")
    pipeline.set_state(Gst.State.PLAYING)
    message = pipeline.get_bus().timed_pop_filtered(
        60 * Gst.SECOND, Gst.MessageType.EOS | Gst.MessageType.ERROR)
    pipeline.set_state(Gst.State.NULL)
    if message is None or message.type != Gst.MessageType.EOS:
        raise RuntimeError(message.parse_error()[0].message if message else "no picture came")


def main():
    """What the usage says."""
    Gst.init(None)
    uri = sys.argv[1] if len(sys.argv) > 1 else None
    folder = pathlib.Path(sys.argv[2] if len(sys.argv) > 2 else ".")
    camera = GstSphereHw.SphereCamera.new(uri)
    camera.connect("lost", lambda _camera, reason: print("The camera was lost:", reason))

    wait(lambda done: camera.connect_async(None, done), camera.connect_finish)
    state = camera.get_state()
    print("Model:", state.get_string("model"))
    print("Battery:", state.get_int("battery").value, "%")

    path = wait(lambda done: camera.take_photo_async(GstSphereHw.SphereCameraPhoto.SINGLE, None,
                                                     None, done), camera.take_photo_finish)
    print("Photo:", path)
    photo = folder / pathlib.PurePath(path).name
    wait(lambda done: camera.download_async(path, str(photo), None, None, None, done),
         camera.download_finish)
    print("Fetched:", photo)
    wait(lambda done: camera.delete_async(path, None, done), camera.delete_finish)
    wait(lambda done: camera.disconnect_async(None, done), camera.disconnect_finish)

    live_picture(camera.props.location, folder / "live.jpg")
    print("Live picture:", folder / "live.jpg")


if __name__ == "__main__":
    main()
