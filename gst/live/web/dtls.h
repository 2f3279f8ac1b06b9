// SPDX-License-Identifier: LGPL-2.1-or-later
// DTLS-SRTP (RFC 5764): the handshake with one viewer, and the keys that result from it. We are the
// passive side. It has no socket; its only clock is the library's own, for repeating lost
// datagrams.

#pragma once

#include <openssl/ssl.h>

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "gst/live/web/certificate.h"
#include "gst/sphere/base/gobject.h"

namespace sphere::live {

/// What all handshakes share: our certificate, and which algorithms are good enough.
class DtlsContext {
 public:
  static Result<DtlsContext> make(const Certificate& certificate);

  SSL_CTX* get() const { return context_.get(); }

 private:
  DtlsContext() = default;
  std::unique_ptr<SSL_CTX, Call<SSL_CTX_free>> context_;
};

/// A master key and its salt for SRTP_AES128_CM_HMAC_SHA1_80.
using SrtpKey = std::array<uint8_t, 30>;
struct SrtpKeys {
  SrtpKey ours{}, theirs{};
};

class DtlsHandshake {
 public:
  enum class State { running, done, failed, closed };

  /// `context` must live longer. The viewer has to show the certificate with this hash.
  DtlsHandshake(const DtlsContext& context, const Sha256& fingerprint);
  DtlsHandshake(const DtlsHandshake&) = delete;
  DtlsHandshake& operator=(const DtlsHandshake&) = delete;

  /// Whether the first byte can begin a record of DTLS (RFC 7983).
  static bool may_be_dtls(uint8_t first) { return first >= 20 && first <= 63; }

  /// A datagram from the viewer.
  void receive(std::span<const uint8_t> datagram);
  /// Sends again what got lost. To be called often while it is running.
  void tick();
  /// Tells the viewer that this is the end.
  void close();
  /// What is to be sent; each is a datagram. They are taken out.
  std::vector<std::vector<uint8_t>> take_output() { return std::move(output_); }

  State state() const { return state_; }
  /// In the state `done`.
  const SrtpKeys& keys() const { return keys_; }

 private:
  static BIO_METHOD* method();
  static int read(BIO* bio, char* data, int size);
  static int write(BIO* bio, const char* data, int size);
  static long control(BIO* bio, int command, long number, void* pointer);

  void continue_handshake();
  bool finish();

  std::unique_ptr<SSL, Call<SSL_free>> ssl_;
  Sha256 fingerprint_;
  std::span<const uint8_t> input_;
  std::vector<std::vector<uint8_t>> output_;
  SrtpKeys keys_;
  State state_ = State::running;
};

}  // namespace sphere::live
