// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/live/output_parts.h"

#include <sys/statvfs.h>

#include <algorithm>
#include <charconv>

#include "gst/live/encoding.h"
#include "gst/sphere/base/gobject.h"

namespace sphere::live {

namespace {

constexpr uint64_t least_space = 4 << 20;

}  // namespace

Result<GstElement*> make_output_bin(const std::string& description) {
  g_autoptr(GError) error = nullptr;
  GstElement* bin = gst_parse_bin_from_description_full(description.c_str(), FALSE, nullptr,
                                                        GST_PARSE_FLAG_FATAL_ERRORS, &error);
  if (!bin) return failed(error ? error->message : "the elements of an output can't be made");
  for (const char* name : {"video", "audio"}) {
    const GstRef<GstElement> element(gst_bin_get_by_name(GST_BIN(bin), name));
    if (!element) continue;
    // A muxer's pads are made when they are asked for; others have theirs.
    const GstRef<GstPad> pad(gst_element_get_static_pad(element.get(), "sink"));
    gst_element_add_pad(bin, gst_ghost_pad_new(name, pad.get()));
  }
  return bin;
}

Status check_elements(std::initializer_list<const char*> factories) {
  for (const char* name : factories) {
    const GstRef<GstElementFactory> factory(gst_element_factory_find(name));
    if (!factory) return missing_element(name);
  }
  return ok();
}

Status check_settings(const Target& target, std::initializer_list<std::string_view> known) {
  for (const auto& [name, value] : target.settings) {
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    std::string list;
    for (const std::string_view one : known) list += (list.empty() ? "" : ", ") + std::string(one);
    return invalid("'" + std::string(name_of(target.kind)) + "' has no setting '" + name + "'" +
                   (list.empty() ? "" : "; it has " + list));
  }
  return ok();
}

Result<double> number_setting(const Target& target, const std::string& name, double otherwise,
                              double least, double most) {
  const std::string text = target.setting(name);
  if (text.empty()) return otherwise;
  double value = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (problem != std::errc() || end != text.data() + text.size() || !(value >= least) ||
      !(value <= most))
    return invalid("the setting '" + name + "' must be a number from " +
                   std::to_string(static_cast<int64_t>(least)) + " to " +
                   std::to_string(static_cast<int64_t>(most)));
  return value;
}

bool is_error(GstMessage* message, GQuark domain, int code) {
  g_autoptr(GError) error = nullptr;
  gst_message_parse_error(message, &error, nullptr);
  return error && error->domain == domain && error->code == code;
}

GstElement* child_of(GstElement* bin, const char* name) {
  GstElement* element = gst_bin_get_by_name(GST_BIN(bin), name);
  // The bin keeps it.
  if (element) gst_object_unref(element);
  return element;
}

Status check_space(const std::string& folder) {
  struct statvfs disk = {};
  // Some file systems, as /proc, have no blocks at all: only writing can tell what is wrong there.
  if (statvfs(folder.c_str(), &disk) == 0 && disk.f_blocks > 0 &&
      static_cast<uint64_t>(disk.f_bavail) * disk.f_frsize < least_space)
    return failed("the disk of '" + folder + "' is full; remove something, and it goes on");
  return ok();
}

}  // namespace sphere::live
