// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/live/source_failure.h"

#include <gst/gst.h>

#include <memory>

#include "gst/sphere/base/gobject.h"
#include "gst/sphere/base/printable.h"

namespace sphere::live {

namespace {

constexpr size_t longest_sentence = 400;

struct Place {
  std::string shown;
  std::string scheme;  ///< "": a file
  bool has_user = false;
};

Place place_of(const std::string& uri) {
  const std::unique_ptr<GUri, Call<g_uri_unref>> parsed(
      gst_uri_is_valid(uri.c_str()) ? g_uri_parse(uri.c_str(), G_URI_FLAGS_ENCODED, nullptr)
                                    : nullptr);
  const std::string scheme = parsed ? to_string(g_uri_get_scheme(parsed.get())) : std::string();
  if (scheme.empty() || scheme == "file") return {"'" + uri + "'", "", false};
  std::string host = to_string(g_uri_get_host(parsed.get()));
  if (host.find(':') != std::string::npos) host = "[" + host + "]";
  const int port = g_uri_get_port(parsed.get());
  return {scheme + "://" + host + (port > 0 ? ":" + std::to_string(port) : ""), scheme,
          g_uri_get_userinfo(parsed.get()) != nullptr};
}

/// What the element says, in brackets, unless it is only the usual sentence for this kind of error.
std::string in_brackets(const GError& error) {
  const GString_ usual(gst_error_get_message(error.domain, error.code));
  std::string words = to_string(error.message);
  if (words.empty() || words == to_string(usual.get()) || words == "Internal data stream error.")
    return {};
  while (words.ends_with('.')) words.pop_back();
  return " (" + words + ")";
}

std::string explain(const Place& place, const GError& error, bool began) {
  const bool resource = error.domain == GST_RESOURCE_ERROR;
  if (g_error_matches(&error, GST_CORE_ERROR, GST_CORE_ERROR_MISSING_PLUGIN) ||
      g_error_matches(&error, GST_STREAM_ERROR, GST_STREAM_ERROR_CODEC_NOT_FOUND))
    return "there is no decoder for what " + place.shown + " has; install GStreamer's libav plugin";
  if (g_error_matches(&error, GST_STREAM_ERROR, GST_STREAM_ERROR_TYPE_NOT_FOUND))
    return place.scheme.empty() ? place.shown + " is no video that can be read"
                                : "what " + place.shown + " sends is no video that can be read";
  // What a file has is told well.
  if (place.scheme.empty()) return {};
  if (resource && error.code == GST_RESOURCE_ERROR_NOT_AUTHORIZED)
    return place.has_user ? place.shown + " refuses this user or this password"
                          : place.shown + " asks for a user and a password: write " + place.scheme +
                                "://USER:PASSWORD@HOST and the rest of the address";
  if (resource && error.code == GST_RESOURCE_ERROR_NOT_FOUND)
    return place.shown + " answers, but has no such stream; check the rest of the address";
  if (!resource && !g_error_matches(&error, GST_STREAM_ERROR, GST_STREAM_ERROR_FAILED)) return {};
  if (began)
    return "nothing comes from " + place.shown + " any more" + in_brackets(error) +
           "; start again when it is back";
  return "nothing comes from " + place.shown + in_brackets(error) +
         "; check the address, and that it can be reached from here";
}

}  // namespace

std::string explain_source_failure(const std::string& uri, const GError& error, bool began) {
  return printable(explain(place_of(uri), error, began), longest_sentence);
}

}  // namespace sphere::live
