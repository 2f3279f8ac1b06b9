# SPDX-License-Identifier: LGPL-2.1-or-later
"""The library from Python, by introspection. Prints a summary line as gst-check does."""

import sys
import xml.etree.ElementTree as ElementTree

from checks import check, finish

try:
    import gi
    gi.require_version("Gst", "1.0")
    gi.require_version("GstSphere", "1.0")
    from gi.repository import GLib, Gst, GstSphere
except (ImportError, ValueError) as reason:
    print(f"skip: introspection: {reason}")
    sys.exit(77)

Gst.init(None)
lens = GstSphere.SphereLens.new("dual-190")
check("name", lens.get_name() == "dual-190")
check("frame size", lens.get_frame_size() == (3840, 1920))
inside, x, y = lens.project(GstSphere.SphereLensSide.FRONT, 0, 0)
check("project", inside and abs(x - 2880) < 1e-9 and abs(y - 960) < 1e-9)
longitude, latitude = lens.unproject(GstSphere.SphereLensSide.FRONT, 3840, 960)
check("unproject", abs(longitude - 95) < 1e-9 and abs(latitude) < 1e-9)
check("profiles", "gear360" in GstSphere.SphereLens.list_profiles())
try:
    GstSphere.SphereLens.new("nonesuch")
    check("an unknown profile raises", False)
except GLib.Error as error:
    check("an unknown profile raises", "nonesuch" in error.message)
event = GstSphere.event_new_sphere_lens("gear360")
check("event", GstSphere.event_parse_sphere_lens(event) == (True, "gear360"))
consent = GstSphere.SphereConsent.new(
    Gst.Caps.from_string("consent/location, state=(string)given, precision=(string)city"))
allowed, reason = consent.allows(GstSphere.SphereConsentCategory.LOCATION,
                                 GstSphere.SphereConsentPurpose.GEOTAG)
check("consent allows", allowed and "location" in reason)
allowed, reason = consent.allows(GstSphere.SphereConsentCategory.AUDIO,
                                 GstSphere.SphereConsentPurpose.LIVE)
check("consent denies", not allowed and "audio" in reason)
check("consent's precision", consent.get_precision(GstSphere.SphereConsentPurpose.CAMERA) ==
      (True, GstSphere.SphereConsentPrecision.CITY))
try:
    GstSphere.SphereConsent.new_from_string("consent/audio, state=yes")
    check("wrong caps raise", False)
except GLib.Error as error:
    check("wrong caps raise", "boolean" in error.message)
context = GstSphere.context_new_sphere_consent(consent.get_caps())
given, caps = GstSphere.context_get_sphere_consent(context)
check("consent's context", given and caps.is_equal(consent.get_caps()))

buffer = Gst.Buffer.new()
check("no orientation", GstSphere.buffer_get_sphere_orientation_meta(buffer) is None)
GstSphere.buffer_add_sphere_orientation_meta(buffer, 2, 0, 0, 2)
meta = GstSphere.buffer_get_sphere_orientation_meta(buffer)
check("orientation", abs(meta.w - 0.5 ** 0.5) < 1e-12 and abs(meta.z - 0.5 ** 0.5) < 1e-12)
check("no rotation",
      GstSphere.buffer_add_sphere_orientation_meta(buffer, 0, 0, 0, 0) is None
      and GstSphere.buffer_add_sphere_orientation_meta(buffer, float("nan"), 0, 0, 1) is None)

# Each entry of the API has a description and the version in which it was added.
CORE = "{http://www.gtk.org/introspection/core/1.0}"
GLIB = "{http://www.gtk.org/introspection/glib/1.0}"
ENTRIES = [CORE + tag for tag in ("alias", "bitfield", "callback", "class", "constant", "enumeration",
                                  "function", "interface", "method", "constructor", "record",
                                  "union", "virtual-method")]
PARTS = [CORE + tag for tag in ("field", "member", "parameter", "property", "return-value")] + \
        [GLIB + "signal"]


def name_of(node):
    return node.get("{http://www.gtk.org/introspection/c/1.0}identifier") or node.get("name") or ""


def look(node, way):
    """Counts the entries below a node of the GIR, and collects those without a description."""
    count, missing = 0, []
    for child in node:
        # What nobody can call or read.
        if child.get("introspectable") == "0" or child.get("private") == "1":
            continue
        here = f"{way} {name_of(child)}".strip()
        if child.tag in ENTRIES + PARTS:
            kind = child.find(CORE + "type")
            nothing = child.tag == CORE + "return-value" and kind is not None and \
                kind.get("name") == "none"
            if not nothing:
                count += 1
                if child.find(CORE + "doc") is None:
                    missing.append(f"{here} ({child.tag.split('}')[1]})")
                if child.tag in ENTRIES and not child.get("version"):
                    missing.append(f"{here} (since when)")
        # The structure of a class holds that of its parent alone.
        if child.tag != CORE + "callback" and not child.get(GLIB + "is-gtype-struct-for"):
            more, lacking = look(child, here)
            count, missing = count + more, missing + lacking
    return count, missing


for gir in sys.argv[1:]:
    namespace = ElementTree.parse(gir).getroot().find(CORE + "namespace")
    entries, undocumented = look(namespace, "")
    print(f"{entries} entries in {gir}")
    check("the GIR has entries", entries > 60)
    check("each entry of the GIR is documented: " + ", ".join(undocumented), not undocumented)
check("the error domain's name",
      GLib.quark_to_string(GstSphere.sphere_error_quark()) == "gst-sphere-error-quark")

finish()
