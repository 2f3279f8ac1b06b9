// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/live/target.h"

#include <gio/gio.h>

#include <algorithm>
#include <array>
#include <charconv>

#include <optional>

#include "gst/sphere/base/gobject.h"

namespace sphere::live {

namespace {

constexpr std::array<std::string_view, 7> kind_names = {"rtmp", "srt", "rtsp",  "hls",
                                                        "file", "web", "window"};
constexpr size_t longest_words = 4096;
constexpr const char* loopback = "127.0.0.1";
constexpr const char* forms =
    "the forms are rtmp://HOST/APP/KEY, rtmps://…, srt://HOST:PORT, rtsp:PORT, hls:FOLDER, "
    "file:NAME.mp4, file:NAME.mkv, web:PORT and window";

std::optional<uint16_t> read_port(std::string_view text) {
  unsigned value = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (problem != std::errc() || end != text.data() + text.size() || value > 65535)
    return std::nullopt;
  return static_cast<uint16_t>(value);
}

bool is_loopback(const std::string& host) {
  if (host == "localhost") return true;
  const ObjectRef<GInetAddress> address(g_inet_address_new_from_string(host.c_str()));
  return address && g_inet_address_get_is_loopback(address.get());
}

/// `a=b&c=d`, with %XX decoded. Errors name a setting, and never its value: it may be a secret.
Status read_settings(std::string_view text, std::map<std::string, std::string>* settings) {
  while (!text.empty()) {
    const size_t end = std::min(text.find('&'), text.size());
    const std::string_view one = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const size_t equals = one.find('=');
    const std::string name(one.substr(0, equals));
    if (name.empty() || equals == std::string_view::npos)
      return invalid("a setting of a target has the form NAME=VALUE, as in '?segment=600'");
    const std::string raw(one.substr(equals + 1));
    const GString_ value(g_uri_unescape_string(raw.c_str(), nullptr));
    if (!value) return invalid("the value of the setting '" + name + "' has a wrong %XX");
    if (!settings->emplace(name, value.get()).second)
      return invalid("the setting '" + name + "' is there twice");
  }
  return ok();
}

/// `8080`, `HOST:8080`, `[IPV6]:8080`, `//HOST:8080/PATH`.
Status read_listener(std::string_view rest, const char* kind, std::string_view default_path,
                     Target* target) {
  if (rest.starts_with("//")) rest.remove_prefix(2);
  const size_t slash = rest.find('/');
  target->path = slash == std::string_view::npos ? default_path : rest.substr(slash);
  rest = rest.substr(0, slash);
  std::string_view host = loopback, port = rest;
  if (const size_t colon = rest.rfind(':'); colon != std::string_view::npos) {
    host = rest.substr(0, colon);
    port = rest.substr(colon + 1);
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  }
  const auto number = read_port(port);
  if (!number || host.empty())
    return invalid(std::string("'") + kind + ":' needs a port, as in '" + kind + ":8554' or '" +
                   kind + ":0.0.0.0:8554' for the whole network");
  target->host = host;
  target->port = *number;
  target->shown = std::string(kind) + ":" + std::string(rest);
  return ok();
}

/// rtmp://HOST[:PORT]/APP/KEY and srt://HOST:PORT.
Status read_address(const std::string& words, Target* target) {
  g_autoptr(GError) problem = nullptr;
  if (std::any_of(words.begin(), words.end(),
                  [](char one) { return one == ' ' || g_ascii_iscntrl(one); }))
    return invalid("an address has no blanks");
  const std::unique_ptr<GUri, Call<g_uri_unref>> uri(
      g_uri_parse(words.c_str(), G_URI_FLAGS_ENCODED, &problem));
  if (g_error_matches(problem, G_URI_ERROR, G_URI_ERROR_BAD_PORT))
    return invalid("a port is a number from 1 to 65535");
  // GLib's message may quote the address, in which a key may be.
  if (!uri) return invalid(std::string("this is no address; ") + forms);
  target->host = to_string(g_uri_get_host(uri.get()));
  const int port = g_uri_get_port(uri.get());
  target->port = port > 0 ? static_cast<uint16_t>(port) : 0;
  const std::string scheme = g_uri_get_scheme(uri.get());
  const std::string shown_host =
      target->host.find(':') == std::string::npos ? target->host : "[" + target->host + "]";
  target->shown = scheme + "://" + shown_host;
  if (port > 0) target->shown += ":" + std::to_string(port);
  if (target->kind == TargetKind::srt) {
    if (port <= 0) return invalid("SRT has no port of its own: write srt://HOST:PORT");
    if (to_string(g_uri_get_path(uri.get())).size() > 1)
      return invalid("an SRT address has no path: write srt://HOST:PORT?streamid=NAME");
    target->address = target->shown;
    return ok();
  }
  if (target->host.empty()) return invalid("RTMP needs a server: write rtmp://HOST/APP/KEY");
  const std::string path = to_string(g_uri_get_path(uri.get()));
  const size_t second = path.size() > 1 ? path.find('/', 1) : std::string::npos;
  if (second == std::string::npos || second + 1 == path.size())
    return invalid("RTMP needs an application and a stream key: write rtmp://HOST/APP/KEY");
  target->address = words;
  target->shown += path.substr(0, second) + "/…";
  // With what follows the path, as it stands in the address.
  target->secrets.push_back(words.substr(words.find(path.substr(second)) + 1));
  target->secrets.push_back(path.substr(second + 1));
  if (const char* user = g_uri_get_userinfo(uri.get())) target->secrets.emplace_back(user);
  return ok();
}

// A shorter one is no secret, and would be found in ordinary words.
constexpr size_t shortest_secret = 4;
constexpr std::string_view secret_settings[] = {"passphrase", "streamid", "token", "password"};

}  // namespace

std::string_view name_of(TargetKind kind) { return kind_names[static_cast<size_t>(kind)]; }

std::string Target::setting(const std::string& name) const {
  const auto found = settings.find(name);
  return found == settings.end() ? std::string() : found->second;
}

std::string Target::without_secrets(std::string text) const {
  for (const std::string& secret : secrets)
    for (size_t at = 0;
         secret.size() >= shortest_secret && (at = text.find(secret, at)) != std::string::npos;
         at += std::string_view("…").size())
      text.replace(at, secret.size(), "…");
  return text;
}

Result<Target> parse_target(std::string_view words) {
  if (words.empty()) return invalid(std::string("a target is empty; ") + forms);
  if (words.size() > longest_words || words.find('\0') != std::string_view::npos)
    return invalid("a target is too long");
  Target target;
  if (words == "window" || words.starts_with("window?"))
    words = words == "window" ? "window:" : words;
  const size_t colon = std::min(words.find(':'), words.find('?'));
  const std::string scheme(words.substr(0, colon));
  if (colon == std::string_view::npos) return invalid("'" + scheme + "' is no target; " + forms);
  const std::string plain = scheme == "rtmps" ? "rtmp" : scheme;
  bool known = false;
  for (size_t i = 0; i < kind_names.size(); ++i)
    if (plain == kind_names[i]) {
      target.kind = static_cast<TargetKind>(i);
      known = true;
    }
  if (!known) return invalid("'" + scheme + ":' is no kind of target; " + forms);

  // A stream key may have a '?' of its own, as some services give it.
  const bool settings_apart = target.kind != TargetKind::rtmp;
  const size_t mark = settings_apart ? words.find('?') : std::string_view::npos;
  if (mark != std::string_view::npos)
    if (const Status read = read_settings(words.substr(mark + 1), &target.settings); !read)
      return read.error();
  const std::string before(words.substr(0, mark));
  const std::string_view rest =
      colon < before.size() ? std::string_view(before).substr(colon + 1) : std::string_view();

  Status read = ok();
  switch (target.kind) {
    case TargetKind::rtmp:
    case TargetKind::srt:
      read = read_address(before, &target);
      break;
    case TargetKind::rtsp:
      read = read_listener(rest, "rtsp", "/live", &target);
      break;
    case TargetKind::web:
      read = read_listener(rest, "web", "/", &target);
      target.leaves = !is_loopback(target.host);
      break;
    case TargetKind::hls:
    case TargetKind::file:
      target.path = rest;
      target.shown = scheme + ":" + target.path;
      target.leaves = target.kind == TargetKind::hls;
      if (target.path.empty())
        read = target.kind == TargetKind::hls
                   ? invalid("'hls:' needs a folder, as in hls:/var/www/live")
                   : invalid("'file:' needs a name that ends in .mp4 or .mkv");
      break;
    case TargetKind::window:
      target.shown = "window";
      target.leaves = false;
      if (!rest.empty()) read = invalid("'window' takes nothing after it");
      break;
  }
  if (!read) return read.error();
  for (const std::string_view name : secret_settings)
    if (const std::string value = target.setting(std::string(name)); !value.empty())
      target.secrets.push_back(value);
  // The longest first: a shorter one may be a part of it.
  std::sort(target.secrets.begin(), target.secrets.end(),
            [](const std::string& a, const std::string& b) { return a.size() > b.size(); });
  return target;
}

}  // namespace sphere::live
