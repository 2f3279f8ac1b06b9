# SPDX-License-Identifier: LGPL-2.1-or-later
"""sphereview as an effect of GStreamer's editing services: an editor finds it, sets keyframes of its
own, and renders what the element draws.
"""

import pathlib
import subprocess
import sys
import tempfile

from checks import DEADLINE, attempt, check, finish

try:
    import gi
    for name in ("Gst", "GES", "GstController", "GstPbutils"):
        gi.require_version(name, "1.0")
    from gi.repository import GES, GObject, Gst, GstController, GstPbutils
except (ImportError, ValueError) as reason:
    print(f"skip: GES: {reason}")
    sys.exit(77)

Gst.init(None)
GES.init()
SIZE = "width=640,height=320,framerate=10/1"
VIEW = (320, 180)


def launch(line):
    pipeline = Gst.parse_launch(line)
    pipeline.set_state(Gst.State.PLAYING)
    message = pipeline.get_bus().timed_pop_filtered(DEADLINE * Gst.SECOND,
                                                    Gst.MessageType.EOS | Gst.MessageType.ERROR)
    pipeline.set_state(Gst.State.NULL)
    check(f"it runs: {line[:60]}", message and message.type == Gst.MessageType.EOS,
          message and message.parse_error() if message and message.type == Gst.MessageType.ERROR else "late")


def luma(path):
    """The brightness of each picture, in a size of its own."""
    raw = subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-i", path, "-map", "0:v", "-f", "rawvideo",
                          "-pix_fmt", "gray", "-"], check=True, timeout=DEADLINE, stdout=subprocess.PIPE).stdout
    size = VIEW[0] * VIEW[1]
    return [raw[i:i + size] for i in range(0, len(raw) - size + 1, size)]


def difference(one, other):
    """The mean difference of two pictures, in steps of brightness."""
    return sum(abs(a - b) for a, b in zip(one, other)) / len(one)


def render(timeline, out):
    pipeline = GES.Pipeline()
    pipeline.set_timeline(timeline)
    profile = GstPbutils.EncodingContainerProfile.new(None, None, Gst.Caps.from_string("video/x-matroska"), None)
    profile.add_profile(GstPbutils.EncodingVideoProfile.new(
        Gst.Caps.from_string("video/x-h264"), None, Gst.Caps.from_string(f"video/x-raw,width={VIEW[0]},height={VIEW[1]}"), 0))
    pipeline.set_render_settings(out.as_uri(), profile)
    pipeline.set_mode(GES.PipelineFlags.RENDER)
    pipeline.set_state(Gst.State.PLAYING)
    message = pipeline.get_bus().timed_pop_filtered(DEADLINE * Gst.SECOND,
                                                    Gst.MessageType.EOS | Gst.MessageType.ERROR)
    pipeline.set_state(Gst.State.NULL)
    check("the timeline is rendered", message and message.type == Gst.MessageType.EOS,
          message and message.type == Gst.MessageType.ERROR and message.parse_error())


def test_effect(folder):
    source, out, wanted = (folder / name for name in ("sphere.mkv", "film.mkv", "wanted.mkv"))
    coded = "x264enc pass=quant quantizer=10 speed-preset=ultrafast ! matroskamux"
    launch(f"spheretestsrc num-buffers=11 output=equirect ! video/x-raw,format=I420,{SIZE} ! {coded} ! "
           f"filesink location={source}")
    timeline = GES.Timeline.new()
    track = GES.VideoTrack.new()
    track.set_restriction_caps(Gst.Caps.from_string(f"video/x-raw,width={VIEW[0]},height={VIEW[1]},framerate=10/1"))
    timeline.add_track(track)
    layer = timeline.append_layer()
    asset = GES.UriClipAsset.request_sync(source.as_uri())
    clip = layer.add_asset(asset, 0, 0, Gst.SECOND, GES.TrackType.VIDEO)
    effect = GES.Effect.new("sphereview")
    check("sphereview is an effect", effect is not None and clip.add(effect))
    names = {spec.name for spec in GES.TimelineElement.list_children_properties(effect)}
    check("its angles are properties of the effect", {"yaw", "pitch", "roll", "fov"} <= names, names)
    # docs/view.md: the place of the clip has to be that of the view.
    for each in clip.get_children(False):
        if isinstance(each, GES.VideoSource):
            for name, value in (("posx", 0), ("posy", 0), ("width", VIEW[0]), ("height", VIEW[1])):
                each.set_child_property(name, value)
    keyframes = GstController.InterpolationControlSource()
    keyframes.set_property("mode", GstController.InterpolationMode.LINEAR)
    keyframes.set(0, 0)
    keyframes.set(Gst.SECOND, 90)
    check("yaw takes keyframes", effect.set_control_source(keyframes, "yaw", "direct-absolute"))
    timeline.commit_sync()
    render(timeline, out)
    film = luma(out)
    check("all pictures are there", len(film) >= 10, len(film))
    def drawn(yaw, index):
        launch(f"filesrc location={source} ! matroskademux ! h264parse ! avdec_h264 ! sphereview yaw={yaw} ! "
               f"video/x-raw,width={VIEW[0]},height={VIEW[1]} ! {coded} ! filesink location={wanted}")
        return luma(wanted)[index]

    for index, yaw in ((0, 0), (5, 45)):
        near, far = (difference(film[index], drawn(yaw + more, index)) for more in (0, 3))
        check(f"picture {index} looks {yaw} degrees to the right", near < 2 < far / 2, (near, far))
    check("the view turns", difference(film[0], film[5]) > 15, difference(film[0], film[5]))


def test_settings():
    """What Pitivi does with each effect before it offers it: tries it in a pipeline, and makes a field for each
    property, from its type, its limits and its value. A text that is no text, such as None, ends in an exception."""
    for name in ("sphereview", "cpusphereview"):
        launch(f"spheretestsrc num-buffers=1 output=equirect ! video/x-raw,{SIZE} ! videoconvert ! {name} ! fakesink")
        effect = GES.Effect.new(name)
        specs = [spec for spec in effect.list_children_properties() if spec.name not in
                 ("name", "parent", "qos", "async-handling", "message-forward")]
        names = [spec.name for spec in specs]
        check(f"{name}: each property is there once", names and len(names) == len(set(names)), names)
        for spec in specs:
            kind = GObject.type_name(spec.value_type.fundamental)
            if kind == "gchararray":
                values = ["", spec.default_value]
            elif kind == "GEnum":
                values = list(spec.enum_class.__enum_values__.values())
            else:
                check(f"{name}: there is a field for {spec.name}", kind in ("gdouble", "gint", "guint", "gboolean"), kind)
                values = [spec.minimum, spec.maximum]
            for value in values + [spec.default_value]:
                effect.set_child_property(spec.name, value)
                found, now = effect.get_child_property(spec.name)
                check(f"{name}: {spec.name} is {value!r}", found and now is not None and now == value, now)
        for angle in ("yaw", "pitch", "roll", "fov"):
            _, element, _ = effect.lookup_child(angle)
            binding = GstController.DirectControlBinding.new(element, angle, GstController.InterpolationControlSource())
            check(f"{name}: {angle} takes keyframes", binding.get_property("object") is not None and
                  element.add_control_binding(binding))


attempt(test_settings)
with tempfile.TemporaryDirectory() as temporary:
    attempt(test_effect, pathlib.Path(temporary))
finish()
