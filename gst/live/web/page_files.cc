// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/live/web/page_files.h"

#include <gio/gio.h>

#include <algorithm>
#include <array>
#include <string>

// Made by glib-compile-resources, for C.
extern "C" {
#include "gst/live/web/page_resource.h"
}

namespace sphere::live {

namespace {

struct Known {
  const char* path;
  const char* name;
  const char* type;
};

constexpr const char* javascript = "text/javascript; charset=utf-8";

/// All that can be asked for. A path is compared with these, and never with a file system.
constexpr std::array<Known, 12> files = {{
    {"/", "index.html", "text/html; charset=utf-8"},
    {"/style.css", "style.css", "text/css; charset=utf-8"},
    {"/icon.svg", "icon.svg", "image/svg+xml"},
    {"/main.js", "main.js", javascript},
    {"/geometry.js", "geometry.js", javascript},
    {"/fragments.js", "fragments.js", javascript},
    {"/headset.js", "headset.js", javascript},
    {"/input.js", "input.js", javascript},
    {"/orientation.js", "orientation.js", javascript},
    {"/picture.js", "picture.js", javascript},
    {"/stream.js", "stream.js", javascript},
    {"/words.js", "words.js", javascript},
}};

}  // namespace

PageFile page_file(std::string_view path) {
  const auto found =
      std::ranges::find_if(files, [&](const Known& known) { return path == known.path; });
  if (found == files.end()) return {"", "", nullptr};
  const std::string name = std::string("/org/gstsphere/page/") + found->name;
  return {found->path, found->type,
          BytesRef(g_resource_lookup_data(sphere_page_get_resource(), name.c_str(),
                                          G_RESOURCE_LOOKUP_FLAGS_NONE, nullptr))};
}

}  // namespace sphere::live
