# SPDX-License-Identifier: LGPL-2.1-or-later
"""GStreamer in the test's own process, with GStreamer's own elements: Python is not built with a
sanitizer, and can't load ours where they are. A child with ENVIRONMENT has them."""

import os
import sys

ENVIRONMENT = dict(os.environ)


def load(what):
    """The module Gst, ready to use; ends the process as skipped where it is not installed."""
    try:
        import gi
        gi.require_version("Gst", "1.0")
        from gi.repository import Gst
    except (ImportError, ValueError) as reason:
        print(f"skip: {what}: {reason}")
        sys.exit(77)
    os.environ.pop("GST_PLUGIN_PATH", None)
    # A test that is started by hand has no registry of its own, and uses that of the user.
    if "GST_REGISTRY" in ENVIRONMENT:
        os.environ["GST_REGISTRY"] = ENVIRONMENT["GST_REGISTRY"] + ".python"
    Gst.init(None)
    return Gst
