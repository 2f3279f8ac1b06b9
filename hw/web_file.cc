// SPDX-License-Identifier: LGPL-2.1-or-later

#include "hw/web_file.h"

#include <libsoup/soup.h>

#include <array>
#include <utility>

#include "gst/sphere/base/gobject.h"

namespace sphere::hw {

namespace {

using Reason = Failure::Reason;

constexpr size_t block_size = 256 << 10;

std::string fingerprint_of(GTlsCertificate* certificate) {
  GByteArray* der = nullptr;
  g_object_get(certificate, "certificate", &der, nullptr);
  if (!der) return {};
  const GString_ digits(g_compute_checksum_for_data(G_CHECKSUM_SHA256, der->data, der->len));
  g_byte_array_unref(der);
  return to_string(digits.get());
}

struct CertificateCheck {
  CertificatePins* pins;
  std::string server;
  bool refused = false;
};

gboolean accept_certificate(SoupMessage*, GTlsCertificate* certificate, GTlsCertificateFlags,
                            gpointer data) {
  auto* check = static_cast<CertificateCheck*>(data);
  const std::string fingerprint = fingerprint_of(certificate);
  const bool accepted =
      check->pins && !fingerprint.empty() && check->pins->accept(check->server, fingerprint);
  check->refused = !accepted;
  return accepted;
}

/// The whole size in "bytes 0-99/1234".
std::optional<uint64_t> whole_size(SoupMessageHeaders* headers) {
  goffset start = 0, end = 0, total = -1;
  if (soup_message_headers_get_content_range(headers, &start, &end, &total) && total >= 0)
    return static_cast<uint64_t>(total);
  return std::nullopt;
}

Failure failure_of(const GError* error, const CertificateCheck& check) {
  if (check.refused)
    return {Reason::refused,
            "the camera's certificate is not the one that it had before: this may be another "
            "device. If you have reset the camera, remove the stored certificate with `sphere "
            "consent erase --store pins`"};
  if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return {Reason::stopped, "the transfer was cancelled"};
  if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CONNECTION_REFUSED))
    return {Reason::not_there, "the camera has no web server on this port"};
  if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT))
    return {Reason::silent, "the camera's web server does not answer"};
  return {Reason::gone, "the connection to the camera's web server was lost", error->message};
}

// One is in use at a time. libsoup counts those, too, that the camera has closed meanwhile; at its
// limit it waits for one of them without an end.
constexpr int most_connections = 16;

}  // namespace

struct WebFileReader::State {
  CertificatePins* pins;
  ObjectRef<SoupSession> session;
};

WebFileReader::WebFileReader(CertificatePins* pins, std::chrono::seconds timeout)
    : state_(std::make_unique<State>()) {
  state_->pins = pins;
  state_->session.reset(
      soup_session_new_with_options("timeout", static_cast<guint>(timeout.count()), "idle-timeout",
                                    0u, "max-conns-per-host", most_connections, nullptr));
  // A web proxy can't reach a camera.
  soup_session_set_proxy_resolver(state_->session.get(), nullptr);
  soup_session_remove_feature_by_type(state_->session.get(), SOUP_TYPE_CONTENT_DECODER);
}

WebFileReader::~WebFileReader() = default;

WebFileReader::Outcome WebFileReader::read(const FileAddress& address, const Part& part,
                                           const std::function<Status(std::string_view)>& sink,
                                           GCancellable* cancellable) {
  const bool is_secure = state_->pins && !address.secure_url.empty();
  const std::string& url = is_secure ? address.secure_url : address.url;
  const ObjectRef<SoupMessage> message(soup_message_new(SOUP_METHOD_GET, url.c_str()));
  if (!message) return {{}, Failure(Reason::refused, "the file has no valid address")};
  // A camera does not send its clients to other servers.
  soup_message_add_flags(message.get(), SOUP_MESSAGE_NO_REDIRECT);
  CertificateCheck check{state_->pins, {}};
  GUri* uri = soup_message_get_uri(message.get());
  check.server = std::string(g_uri_get_host(uri)) + ":" + std::to_string(g_uri_get_port(uri));
  g_signal_connect(message.get(), "accept-certificate", G_CALLBACK(accept_certificate), &check);
  const bool is_part = part.offset > 0 || part.size;
  if (is_part)
    soup_message_headers_set_range(
        soup_message_get_request_headers(message.get()), static_cast<goffset>(part.offset),
        part.size ? static_cast<goffset>(part.offset + *part.size) - 1 : -1);

  g_autoptr(GError) error = nullptr;
  const ObjectRef<GInputStream> stream(
      soup_session_send(state_->session.get(), message.get(), cancellable, &error));
  if (!stream) return {{}, failure_of(error, check)};
  const SoupStatus status = soup_message_get_status(message.get());
  SoupMessageHeaders* headers = soup_message_get_response_headers(message.get());
  if (status == SOUP_STATUS_NOT_FOUND)
    return {{}, Failure(Reason::refused, "there is no such file on the camera's card")};
  if (status != SOUP_STATUS_OK && status != SOUP_STATUS_PARTIAL_CONTENT)
    return {{},
            Failure(Reason::refused,
                    "the camera's web server answers with the status " + std::to_string(status))};
  if (is_part && status != SOUP_STATUS_PARTIAL_CONTENT)
    return {{}, Failure(Reason::refused, "the camera's web server can't send a part of a file")};

  Outcome outcome;
  outcome.whole_size = whole_size(headers);
  if (soup_message_headers_get_encoding(headers) == SOUP_ENCODING_CONTENT_LENGTH) {
    const goffset length = soup_message_headers_get_content_length(headers);
    if (length < 0) {
      outcome.failure = Failure(Reason::broken, "the camera's web server tells a negative length");
      return outcome;
    }
    if (!is_part) outcome.whole_size = static_cast<uint64_t>(length);
  }
  goffset start = 0, end = 0, total = -1;
  if (is_part && (!soup_message_headers_get_content_range(headers, &start, &end, &total) ||
                  static_cast<uint64_t>(start) != part.offset)) {
    outcome.failure = Failure(Reason::broken, "the camera's web server sends another part");
    return outcome;
  }

  if (outcome.whole_size && part.told_size) part.told_size(*outcome.whole_size);
  std::string block(block_size, '\0');
  uint64_t arrived = 0;
  for (;;) {
    const gssize count =
        g_input_stream_read(stream.get(), block.data(), block.size(), cancellable, &error);
    if (count < 0) {
      outcome.failure = failure_of(error, check);
      return outcome;
    }
    if (count == 0) break;
    arrived += static_cast<uint64_t>(count);
    if (part.size && arrived > *part.size) {
      outcome.failure =
          Failure(Reason::broken, "the camera's web server sends more than requested");
      return outcome;
    }
    if (const Status taken = sink({block.data(), static_cast<size_t>(count)}); !taken) {
      outcome.failure = Failure(Reason::stopped, taken.error().message);
      return outcome;
    }
  }
  // A connection that is cut may look like the end.
  const std::optional<uint64_t> wanted = part.size ? part.size
                                         : outcome.whole_size && *outcome.whole_size >= part.offset
                                             ? std::optional(*outcome.whole_size - part.offset)
                                             : std::nullopt;
  if (wanted && arrived < *wanted)
    outcome.failure = Failure(Reason::gone, "the connection to the camera's web server was cut");
  return outcome;
}

}  // namespace sphere::hw
