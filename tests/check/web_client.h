// SPDX-License-Identifier: LGPL-2.1-or-later
// A viewer of the page's stream without a browser: ICE, DTLS and SRTP from the other side, in one
// thread, so that a test can count what comes and what stays behind.

#pragma once

// The standard library comes first: check defines `fail` as a macro.
#include <array>
#include <chrono>
#include <memory>
#include <optional>
#include <regex>
#include <string>
#include <vector>

#include <arpa/inet.h>
#include <libsoup/soup.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <srtp2/srtp.h>
#include <sys/socket.h>

#include "gst/live/web/certificate.h"
#include "gst/live/web/offer.h"
#include "gst/live/web/rtp.h"
#include "gst/sphere/base/descriptor.h"
#include "gst/sphere/base/gobject.h"

#include "tests/check/web_offers.h"

namespace sphere::test {

/// What HTTP answers.
struct WebAnswer {
  guint status = 0;
  std::string body, location, allow, origin, retry;
};

/// Asks, with any certificate of the server accepted.
class WebSession {
 public:
  WebSession() : session_(soup_session_new()) {}

  WebAnswer ask(const std::string& method, const std::string& url, const std::string& body = {},
                const std::string& type = {},
                std::vector<std::pair<std::string, std::string>> headers = {}) {
    g_autoptr(SoupMessage) message = soup_message_new(method.c_str(), url.c_str());
    fail_unless(message != nullptr, "%s", url.c_str());
    g_signal_connect(message, "accept-certificate", G_CALLBACK(accept), nullptr);
    SoupMessageHeaders* ours = soup_message_get_request_headers(message);
    for (const auto& [name, value] : headers)
      soup_message_headers_replace(ours, name.c_str(), value.c_str());
    if (!type.empty()) {
      g_autoptr(GBytes) bytes = g_bytes_new(body.data(), body.size());
      soup_message_set_request_body_from_bytes(message, type.c_str(), bytes);
    }
    g_autoptr(GError) error = nullptr;
    g_autoptr(GBytes) bytes = soup_session_send_and_read(session_.get(), message, nullptr, &error);
    fail_unless(bytes != nullptr, "%s %s: %s", method.c_str(), url.c_str(),
                error ? error->message : "");
    gsize size = 0;
    const auto* data = static_cast<const char*>(g_bytes_get_data(bytes, &size));
    SoupMessageHeaders* theirs = soup_message_get_response_headers(message);
    const auto header = [&](const char* name) {
      return to_string(soup_message_headers_get_one(theirs, name));
    };
    return {soup_message_get_status(message),
            std::string(data ? data : "", size),
            header("Location"),
            header("Allow"),
            header("Access-Control-Allow-Origin"),
            header("Retry-After")};
  }

 private:
  static gboolean accept(SoupMessage*, GTlsCertificate*, GTlsCertificateFlags, gpointer) {
    return TRUE;
  }
  ObjectRef<SoupSession> session_;
};

class WebViewer {
 public:
  WebViewer() : certificate_(make_certificate()) {}
  ~WebViewer() {
    if (srtp_) srtp_dealloc(srtp_);
    if (srtp_out_) srtp_dealloc(srtp_out_);
  }
  WebViewer(const WebViewer&) = delete;
  WebViewer& operator=(const WebViewer&) = delete;

  std::string offer() const {
    return plain_offer(live::fingerprint_text(certificate_.fingerprint()));
  }

  /// Joins by WHEP.
  void join(WebSession& http, const std::string& base, const std::string& token = {}) {
    std::vector<std::pair<std::string, std::string>> headers;
    if (!token.empty()) headers.emplace_back("Authorization", "Bearer " + token);
    const WebAnswer answer = http.ask("POST", base + "whep", offer(), "application/sdp", headers);
    ck_assert_uint_eq(answer.status, 201);
    fail_unless(!answer.location.empty());
    location = answer.location;
    connect(answer.body);
  }

  /// Makes the connection of an answer. `password`: instead of the right one.
  void connect(const std::string& answer) {
    answer_ = answer;
    std::smatch found;
    fail_unless(std::regex_search(answer, found, std::regex("127\\.0\\.0\\.1 ([0-9]+) typ host")),
                "%s", answer.c_str());
    socket_ = Descriptor(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    sockaddr_in to = {};
    to.sin_family = AF_INET;
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    to.sin_port = htons(static_cast<uint16_t>(std::stoi(found[1])));
    fail_unless(::connect(socket_.get(), reinterpret_cast<sockaddr*>(&to), sizeof to) == 0);
  }

  std::string value(const std::string& name) const {
    std::smatch found;
    fail_unless(std::regex_search(answer_, found, std::regex("a=" + name + ":([^\r\n]+)")));
    return found[1];
  }

  /// Sends a check and waits for its answer; whether one came.
  bool check(const std::string& password, int milliseconds) {
    const std::string user = value("ice-ufrag") + ":u4ser";
    std::vector<uint8_t> message = {0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42};
    for (int i = 0; i < 12; ++i) message.push_back(static_cast<uint8_t>(i + checks_));
    ++checks_;
    const auto attribute = [&](int type, std::vector<uint8_t> content) {
      const size_t size = content.size();
      while (content.size() % 4) content.push_back(0);
      for (const size_t byte : {size_t(type >> 8), size_t(type & 255), size >> 8, size & 255})
        message.push_back(static_cast<uint8_t>(byte));
      message.insert(message.end(), content.begin(), content.end());
    };
    attribute(0x0006, {user.begin(), user.end()});
    attribute(0x0024, {0x6e, 0, 1, 0xff});
    attribute(0x802A, {1, 2, 3, 4, 5, 6, 7, 8});
    attribute(0x0025, {});
    const size_t length = message.size() - 20 + 24;
    message[2] = static_cast<uint8_t>(length >> 8);
    message[3] = static_cast<uint8_t>(length & 255);
    std::vector<uint8_t> hash(20);
    gsize hash_size = hash.size();
    GHmac* hmac = g_hmac_new(G_CHECKSUM_SHA1, reinterpret_cast<const guchar*>(password.data()),
                             password.size());
    g_hmac_update(hmac, message.data(), static_cast<gssize>(message.size()));
    g_hmac_get_digest(hmac, hash.data(), &hash_size);
    g_hmac_unref(hmac);
    attribute(0x0008, hash);
    fail_unless(send(socket_.get(), message.data(), message.size(), 0) ==
                static_cast<ssize_t>(message.size()));
    while (wait(milliseconds)) {
      const std::vector<uint8_t> answer = receive();
      if (answer.size() > 20 && answer[0] == 1 && answer[1] == 1) return true;
    }
    return false;
  }

  /// The handshake; whether it succeeded. `other`: with a certificate that the offer did not have.
  bool shake_hands(const live::Certificate* other = nullptr) {
    const live::Certificate& certificate = other ? *other : certificate_;
    const std::unique_ptr<SSL_CTX, Call<SSL_CTX_free>> context(SSL_CTX_new(DTLS_client_method()));
    SSL_CTX_use_certificate(context.get(), certificate.x509());
    SSL_CTX_use_PrivateKey(context.get(), certificate.key());
    SSL_CTX_set_tlsext_use_srtp(context.get(), "SRTP_AES128_CM_SHA1_80");
    ssl_.reset(SSL_new(context.get()));
    BIO* bio = BIO_new_dgram(socket_.get(), BIO_NOCLOSE);
    sockaddr_storage peer = {};
    socklen_t size = sizeof peer;
    getpeername(socket_.get(), reinterpret_cast<sockaddr*>(&peer), &size);
    BIO_ctrl(bio, BIO_CTRL_DGRAM_SET_CONNECTED, 0, &peer);
    timeval timeout = {2, 0};
    setsockopt(socket_.get(), SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
    SSL_set_bio(ssl_.get(), bio, bio);
    if (SSL_connect(ssl_.get()) != 1) return false;
    const std::unique_ptr<X509, Call<X509_free>> theirs(SSL_get1_peer_certificate(ssl_.get()));
    live::Sha256 hash{};
    unsigned hash_size = hash.size();
    X509_digest(theirs.get(), EVP_sha256(), hash.data(), &hash_size);
    fail_unless(value("fingerprint") == "sha-256 " + live::fingerprint_text(hash));
    std::array<uint8_t, 60> keys{};
    SSL_export_keying_material(ssl_.get(), keys.data(), keys.size(), "EXTRACTOR-dtls_srtp", 19,
                               nullptr, 0, 0);
    std::array<uint8_t, 30> ours{}, server{};
    std::copy_n(keys.begin(), 16, ours.begin());
    std::copy_n(keys.begin() + 16, 16, server.begin());
    std::copy_n(keys.begin() + 32, 14, ours.begin() + 16);
    std::copy_n(keys.begin() + 46, 14, server.begin() + 16);
    srtp_ = session(server.data(), ssrc_any_inbound);
    srtp_out_ = session(ours.data(), ssrc_any_outbound);
    return true;
  }

  /// Receives until so many pictures are complete; false after the deadline.
  bool watch(int pictures, int milliseconds = 20000) {
    const gint64 end = g_get_monotonic_time() + milliseconds * 1000;
    const int until = this->pictures + pictures;
    while (this->pictures < until) {
      const gint64 left = (end - g_get_monotonic_time()) / 1000;
      if (left <= 0 || !wait(static_cast<int>(left))) return false;
      take(receive());
    }
    return true;
  }

  /// Waits until the sequence number comes again.
  bool watch_for(uint16_t sequence, int milliseconds = 20000) {
    const gint64 end = g_get_monotonic_time() + milliseconds * 1000;
    again.reset();
    while (!again || *again != sequence) {
      const gint64 left = (end - g_get_monotonic_time()) / 1000;
      if (left <= 0 || !wait(static_cast<int>(left))) return false;
      take(receive());
    }
    return true;
  }

  /// Sends RTCP that is given in plain.
  void send_rtcp(std::vector<uint8_t> packet) {
    int size = static_cast<int>(packet.size());
    packet.resize(packet.size() + SRTP_MAX_TRAILER_LEN + 4);
    fail_unless(srtp_protect_rtcp(srtp_out_, packet.data(), &size) == srtp_err_status_ok);
    fail_unless(send(socket_.get(), packet.data(), static_cast<size_t>(size), 0) == size);
  }

  int raw() const { return socket_.get(); }

  std::string location;
  int pictures = 0, packets = 0, reports = 0, key_frames = 0;
  bool began_with_key = false;
  std::optional<live::RtpHeader> last;  ///< without its payload
  std::optional<uint16_t> again;        ///< the last one that was repeated
  std::vector<uint16_t> sequences;

 private:
  static live::Certificate make_certificate() {
    auto made = live::Certificate::make("viewer", {}, 1);
    fail_unless(static_cast<bool>(made));
    return std::move(*made);
  }
  static srtp_t session(uint8_t* key, srtp_ssrc_type_t direction) {
    srtp_policy_t policy = {};
    srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&policy.rtp);
    srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&policy.rtcp);
    policy.ssrc.type = direction;
    policy.key = key;
    policy.window_size = 1024;
    srtp_t made = nullptr;
    fail_unless(srtp_create(&made, &policy) == srtp_err_status_ok);
    return made;
  }
  bool wait(int milliseconds) const {
    pollfd one = {socket_.get(), POLLIN, 0};
    return poll(&one, 1, milliseconds) > 0;
  }
  std::vector<uint8_t> receive() const {
    std::vector<uint8_t> bytes(2048);
    const ssize_t size = recv(socket_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
    bytes.resize(size > 0 ? static_cast<size_t>(size) : 0);
    return bytes;
  }
  void take(std::vector<uint8_t> bytes) {
    if (bytes.size() < 12 || bytes[0] >> 6 != 2) return;
    int size = static_cast<int>(bytes.size());
    if (live::is_rtcp(bytes)) {
      if (srtp_unprotect_rtcp(srtp_, bytes.data(), &size) == srtp_err_status_ok) ++reports;
      return;
    }
    const uint16_t sequence = GST_READ_UINT16_BE(bytes.data() + 2);
    const srtp_err_status_t status = srtp_unprotect(srtp_, bytes.data(), &size);
    if (status == srtp_err_status_replay_fail) again = sequence;
    if (status != srtp_err_status_ok) return;
    bytes.resize(static_cast<size_t>(size));
    auto header = live::read_rtp(bytes);
    fail_unless(header.has_value());
    const bool key = live::begins_key_frame(header->payload);
    if (packets++ == 0) began_with_key = key;
    key_frames += key;
    pictures += header->marker;
    sequences.push_back(header->sequence);
    header->payload = {};
    last = header;
  }

  const live::Certificate certificate_;
  std::string answer_;
  Descriptor socket_;
  std::unique_ptr<SSL, Call<SSL_free>> ssl_;
  srtp_t srtp_ = nullptr, srtp_out_ = nullptr;
  int checks_ = 0;
};

}  // namespace sphere::test
