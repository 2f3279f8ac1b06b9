# SPDX-License-Identifier: LGPL-2.1-or-later
"""An application in C, built against what is installed. Prints a summary line as gst-check does.

Usage: pkgconfig_test.py MESON BUILD COMPILER...

Installs into a folder of its own, and sees to it that pkg-config finds nothing but what
gstreamer-1.0 needs itself: as on a machine without the development files of our other libraries.
"""

import os
import pathlib
import re
import shutil
import sys
import tempfile

import checks
from checks import check, finish

PROGRAM = r"""
#include <gst/sphere/gstsphere.h>
#include <string.h>

/* How many files of that name this process has loaded. */
static int loaded(const char* name) {
  gchar* text = NULL;
  GHashTable* files = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  if (g_file_get_contents("/proc/self/maps", &text, NULL, NULL)) {
    gchar** lines = g_strsplit(text, "\n", -1);
    for (gchar** line = lines; *line; line++) {
      const char* file = strchr(*line, '/');
      if (file && strstr(file, name)) g_hash_table_add(files, g_strdup(file));
    }
    g_strfreev(lines);
    g_free(text);
  }
  const int count = (int)g_hash_table_size(files);
  g_hash_table_unref(files);
  return count;
}

int main(int argc, char** argv) {
  gst_init(&argc, &argv);
  GError* error = NULL;
  GstSphereLens* lens = gst_sphere_lens_new("dual-190", &error);
  if (!lens || error || gst_sphere_lens_get_fov(lens, GST_SPHERE_LENS_BACK) < 189) return 1;
  g_object_unref(lens);
  if (gst_sphere_lens_new("nonesuch", &error)) return 2;
  if (!g_error_matches(error, GST_SPHERE_ERROR, GST_SPHERE_ERROR_NOT_FOUND)) return 3;
  g_clear_error(&error);
  GstSphereConsent* consent = gst_sphere_consent_new(NULL);
  if (gst_sphere_consent_allows(consent, GST_SPHERE_CONSENT_AUDIO, GST_SPHERE_CONSENT_FOR_LIVE,
                                NULL))
    return 4;
  g_object_unref(consent);
  GstBuffer* buffer = gst_buffer_new();
  if (!gst_buffer_add_sphere_orientation_meta(buffer, 1, 0, 0, 0)) return 5;
  gst_buffer_unref(buffer);

  /* With our plugins in this process: what is there once is there once, and they understand what
     this program makes. */
  GstElement* gate = gst_element_factory_make("sphereaudiogate", NULL);
  GstElement* stitcher = gst_element_factory_make("cpuspherestitch", NULL);
  if (!gate || !stitcher) return 6;
  if (loaded("/libgstsphere-1.0.so") != 1 || loaded("/libgstspherecore.so") != 1) return 7;
  if (g_type_from_name("GstSphereLens") != GST_TYPE_SPHERE_LENS) return 8;
  GstCaps* caps = gst_caps_from_string("consent/audio, state=(string)given");
  GstContext* context = gst_context_new_sphere_consent(caps);
  gst_element_set_context(gate, context);
  GList* contexts = gst_element_get_contexts(gate);
  if (g_list_length(contexts) != 1) return 9;
  g_list_free_full(contexts, (GDestroyNotify)gst_context_unref);
  gst_context_unref(context);
  gst_caps_unref(caps);
  gst_object_unref(gate);
  gst_object_unref(stitcher);
  return 0;
}
"""

LOADER = r"""
#include <dlfcn.h>
#include <stdio.h>

int main(int argc, char** argv) {
  if (argc > 1 && dlopen(argv[1], RTLD_NOW)) return 0;
  fputs(dlerror(), stderr);
  return 1;
}
"""

meson, build, compiler = sys.argv[1], sys.argv[2], sys.argv[3:]


def run(*words, **options):
    done = checks.run(*words, **options)
    return done.returncode, (done.stdout + done.stderr).strip()


def pkg_config(*words, path=None):
    environment = dict(os.environ)
    if path:
        environment["PKG_CONFIG_LIBDIR"] = str(path)
        environment.pop("PKG_CONFIG_PATH", None)
    return run("pkg-config", *words, env=environment)


def needed(name, known):
    """All packages that `name` needs, with their files."""
    if name in known:
        return
    status, folder = pkg_config("--variable=pcfiledir", name)
    if status:
        return
    known[name] = pathlib.Path(folder) / f"{name}.pc"
    for option in ("--print-requires", "--print-requires-private"):
        for line in pkg_config(option, name)[1].splitlines():
            needed(line.split()[0], known)


with tempfile.TemporaryDirectory(prefix="sphere-install-") as name:
    here = pathlib.Path(name)
    stage, found = here / "stage", here / "found"
    status, said = run(meson, "install", "-C", build, "--no-rebuild", "--quiet", "--destdir",
                       stage)
    check("meson install", status == 0, said)
    files = sorted(stage.rglob("*.pc"))
    check("our pkg-config files",
          [file.name for file in files] == ["gstsphere-1.0.pc", "gstspherehw-1.0.pc"])

    known = {}
    needed("gstreamer-1.0", known)
    # It is in the same package as GLib, without which there is no GStreamer.
    needed("gio-2.0", known)
    found.mkdir()
    for path in known.values():
        shutil.copy(path, found)
    headers = set()
    for file in files:
        text = re.sub("^prefix=", f"prefix={stage}", file.read_text(encoding="utf-8"), flags=re.M)
        (found / file.name).write_text(text, encoding="utf-8")
        status, flags = pkg_config("--cflags-only-I", file.stem, path=found)
        check(f"{file.name} on a machine with GStreamer alone", status == 0, flags)
        folders = [flag[2:] for flag in flags.split() if flag.startswith(f"-I{stage}")]
        headers.update(header for folder in folders for header in pathlib.Path(folder).rglob("*.h"))
    check("headers are installed for it", len(headers) > 0)

    status, flags = pkg_config("--cflags", "--libs", "gstsphere-1.0", path=found)
    check("flags", status == 0, flags)
    (here / "app.c").write_text(PROGRAM, encoding="utf-8")
    status, said = run(*compiler, "-Wall", "-Werror", here / "app.c", "-o", here / "app",
                       *flags.split())
    check("an application in C is built", status == 0, said)
    _, flags = pkg_config("--cflags", "gstsphere-1.0", path=found)
    for header in sorted(headers):
        (here / "header.c").write_text(f'#include "{header}"\n', encoding="utf-8")
        status, said = run(*compiler, "-Wall", "-Werror", "-fsyntax-only", here / "header.c",
                           *flags.split())
        check(f"{header.name} stands alone", status == 0, said)
    folder = pkg_config("--variable=libdir", "gstsphere-1.0", path=found)[1]
    plugins = str(next(stage.rglob("libgstsphereprivacy.so")).parent)
    # No copy of this build's: what is installed finds the rest of it by itself.
    status, said = run(here / "app", env=os.environ | {
        "LD_LIBRARY_PATH": folder, "GST_PLUGIN_PATH": plugins,
        "GST_PLUGIN_SYSTEM_PATH": "", "G_DEBUG": "fatal-warnings",
        "GST_REGISTRY": str(here / "registry.bin")})
    check("and runs", status == 0, f"{status} {said}")

    # Each alone, because what one has loaded helps the next.
    (here / "loader.c").write_text(LOADER, encoding="utf-8")
    status, said = run(*compiler, here / "loader.c", "-o", here / "loader", "-ldl")
    check("a program that loads one file is built", status == 0, said)
    bare = {name: value for name, value in os.environ.items() if name != "LD_LIBRARY_PATH"}
    for library in sorted(stage.rglob("*.so")):
        status, said = run(here / "loader", library, env=bare)
        check(f"{library.name} finds what it needs", status == 0, said)

finish()
