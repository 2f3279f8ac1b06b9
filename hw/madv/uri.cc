// SPDX-License-Identifier: LGPL-2.1-or-later

#include "hw/madv/uri.h"

#include <gio/gio.h>

#include <algorithm>
#include <array>
#include <set>

#include "gst/sphere/base/gobject.h"

namespace sphere::madv {

namespace {

constexpr std::string_view root_folder = "DCIM/";

struct PortParameter {
  const char* name;
  uint16_t Uri::*port;
};

constexpr std::array port_parameters = {
    PortParameter{"data-port", &Uri::data_port},
    PortParameter{"rtsp-port", &Uri::rtsp_port},
    PortParameter{"http-port", &Uri::http_port},
    PortParameter{"https-port", &Uri::https_port},
};

std::string bracketed(const std::string& host) {
  return host.find(':') == std::string::npos ? host : "[" + host + "]";
}

std::string with_port(const std::string& host, uint16_t port, uint16_t usual) {
  return bracketed(host) + (port == usual ? std::string() : ":" + std::to_string(port));
}

std::string escaped_path(const std::string& path) {
  return GString_(g_uri_escape_string(path.c_str(), "/", FALSE)).get();
}

Status check_host(const std::string& host) {
  // A name has letters, digits, dots and hyphens; an IPv6 address has colons, and may have a zone
  // after a percent sign.
  const bool plain = std::all_of(host.begin(), host.end(), [](char c) {
    return g_ascii_isalnum(c) || c == '.' || c == '-' || c == '_' || c == ':' || c == '%';
  });
  if (!plain) return invalid("'" + host + "' is not a host name or address");
  if (host.find(':') != std::string::npos && !g_hostname_is_ip_address(host.c_str()))
    return invalid("'" + host + "' is not an IPv6 address");
  return ok();
}

Result<std::string> read_file(std::string path) {
  if (path.starts_with("/")) path.erase(0, 1);
  if (path.empty() || path == "live" || path == "live/") return std::string();
  if (!path.starts_with(root_folder) || path.size() == root_folder.size())
    return invalid("'/" + path + "' is neither /live, the preview, nor a file below /DCIM/");
  std::string_view rest = path;
  while (!rest.empty()) {
    const size_t slash = rest.find('/');
    const std::string_view part = rest.substr(0, slash);
    if (part.empty() || part == "." || part == "..")
      return invalid("'/" + path + "' has an empty, '.' or '..' part; name the file by its path");
    rest = slash == std::string_view::npos ? std::string_view() : rest.substr(slash + 1);
    if (slash != std::string_view::npos && rest.empty())
      return invalid("'/" + path + "' is a folder; name a file in it");
  }
  if (std::any_of(path.begin(), path.end(), [](char c) { return g_ascii_iscntrl(c) || c == '\\'; }))
    return invalid("the path in the URI has a control character or a backslash in it");
  return path;
}

Status read_query(const char* query, Uri& uri) {
  GUriParamsIter iter;
  g_uri_params_iter_init(&iter, query, -1, "&", G_URI_PARAMS_NONE);
  std::set<std::string> seen;
  for (;;) {
    char *raw_name = nullptr, *raw_value = nullptr;
    g_autoptr(GError) error = nullptr;
    if (!g_uri_params_iter_next(&iter, &raw_name, &raw_value, &error)) {
      if (error) return invalid("'?" + std::string(query) + "' is not of the form name=value");
      return ok();
    }
    const GString_ owned_name(raw_name), owned_value(raw_value);
    const std::string name = raw_name, value = raw_value;
    const auto found = std::find_if(port_parameters.begin(), port_parameters.end(),
                                    [&](const PortParameter& p) { return name == p.name; });
    if (found == port_parameters.end())
      return invalid("there is no parameter '" + name +
                     "'; the parameters are data-port, rtsp-port, http-port and https-port");
    if (!seen.insert(name).second) return invalid("the parameter '" + name + "' is given twice");
    guint64 port = 0;
    if (!g_ascii_string_to_unsigned(value.c_str(), 10, 1, 65535, &port, nullptr))
      return invalid("'" + name + "=" + value + "' is not a port; ports are 1 to 65535");
    uri.*found->port = static_cast<uint16_t>(port);
  }
}

/// The path of a file below the root of the camera's web server.
std::string web_path(const std::string& file) {
  return escaped_path(file.substr(std::min(file.size(), root_folder.size())));
}

}  // namespace

Result<Uri> Uri::parse(std::string_view text) {
  const std::string given(text);
  const auto wrong = [&](const std::string& how) {
    // The text before an @ may contain a password.
    if (given.find('@') != std::string::npos)
      return invalid("this is not the URI of a camera: " + how);
    return invalid("'" + given + "' is not the URI of a camera: " + how);
  };
  if (given.size() > 4096) return invalid("the camera's URI is longer than 4096 bytes");
  if (given.find('\0') != std::string::npos)
    return invalid("the camera's URI has a zero byte in it");

  // The query is not decoded yet, because an ampersand in a value would end the value.
  constexpr auto flags = G_URI_FLAGS_ENCODED_QUERY;
  g_autofree char* got_scheme = nullptr;
  g_autofree char* user = nullptr;
  g_autofree char* got_host = nullptr;
  g_autofree char* path = nullptr;
  g_autofree char* query = nullptr;
  g_autofree char* fragment = nullptr;
  int got_port = -1;
  g_autoptr(GError) error = nullptr;
  if (!g_uri_split(given.c_str(), flags, &got_scheme, &user, &got_host, &got_port, &path, &query,
                   &fragment, &error))
    return wrong(error->message);
  if (!got_scheme || g_ascii_strcasecmp(got_scheme, scheme) != 0)
    return wrong("it must begin with madv://");
  // A password has no use here, and an error message would show it.
  if (user) return invalid("a camera's URI has no user name in it; write madv://HOST");
  if (fragment) return wrong("it can't have a part after '#'");
  if (!got_host) return wrong("write madv://HOST, or madv:// for " + std::string(default_host));

  Uri uri;
  if (*got_host) uri.host = got_host;
  if (Status status = check_host(uri.host); !status) return wrong(status.error().message);
  if (got_port == 0) return wrong("ports are 1 to 65535");
  if (got_port > 0) uri.port = static_cast<uint16_t>(got_port);
  Result<std::string> file = read_file(sphere::to_string(path));
  if (!file) return wrong(file.error().message);
  uri.file = *file;
  if (query)
    if (Status status = read_query(query, uri); !status) return wrong(status.error().message);
  return uri;
}

std::string Uri::to_string() const {
  const Uri usual;
  std::string text = std::string(scheme) + "://" + with_port(host, port, usual.port) + "/" +
                     (is_preview() ? "live" : escaped_path(file));
  char separator = '?';
  for (const PortParameter& parameter : port_parameters) {
    const uint16_t value = this->*parameter.port;
    if (value == usual.*parameter.port) continue;
    text += separator + std::string(parameter.name) + "=" + std::to_string(value);
    separator = '&';
  }
  return text;
}

std::string Uri::rtsp_url() const { return "rtsp://" + with_port(host, rtsp_port, 554) + "/live"; }

std::string Uri::http_url() const {
  return "http://" + with_port(host, http_port, 80) + "/" + web_path(file);
}

std::string Uri::https_url() const {
  return "https://" + with_port(host, https_port, 443) + "/" + web_path(file);
}

}  // namespace sphere::madv
