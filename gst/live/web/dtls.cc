// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/live/web/dtls.h"

#include <openssl/crypto.h>
#include <openssl/err.h>

#include <algorithm>
#include <cstring>
#include <string_view>

namespace sphere::live {

namespace {

// A datagram that passes every network that people have (RFC 8831, with room for tunnels).
constexpr long link_mtu = 1200;
constexpr size_t most_output = 64;

// The certificate is compared with the fingerprint of the offer, nothing else matters about it.
int accept_any(int, X509_STORE_CTX*) { return 1; }

}  // namespace

Result<DtlsContext> DtlsContext::make(const Certificate& certificate) {
  DtlsContext made;
  made.context_.reset(SSL_CTX_new(DTLS_server_method()));
  SSL_CTX* context = made.context_.get();
  if (!context || SSL_CTX_set_min_proto_version(context, DTLS1_2_VERSION) != 1 ||
      SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20:ECDHE+AES") != 1 ||
      SSL_CTX_use_certificate(context, certificate.x509()) != 1 ||
      SSL_CTX_use_PrivateKey(context, certificate.key()) != 1 ||
      // It returns 0 for success.
      SSL_CTX_set_tlsext_use_srtp(context, "SRTP_AES128_CM_SHA1_80") != 0)
    return failed("DTLS could not be set up.");
  SSL_CTX_set_options(context, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_QUERY_MTU);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, accept_any);
  // A chain of certificates is no use to anybody here, and would only be large.
  SSL_CTX_set_max_cert_list(context, 16 << 10);
  return made;
}

BIO_METHOD* DtlsHandshake::method() {
  // One for the process, as the library's own have it.
  static BIO_METHOD* const one = [] {
    BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "sphere datagrams");
    BIO_meth_set_read(made, read);
    BIO_meth_set_write(made, write);
    BIO_meth_set_ctrl(made, control);
    return made;
  }();
  return one;
}

int DtlsHandshake::read(BIO* bio, char* data, int size) {
  auto* self = static_cast<DtlsHandshake*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  if (self->input_.empty()) {
    BIO_set_retry_read(bio);
    return -1;
  }
  // What does not fit is lost, as with a socket.
  const size_t count = std::min(self->input_.size(), static_cast<size_t>(std::max(size, 0)));
  std::memcpy(data, self->input_.data(), count);
  self->input_ = {};
  return static_cast<int>(count);
}

int DtlsHandshake::write(BIO* bio, const char* data, int size) {
  auto* self = static_cast<DtlsHandshake*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  if (size > 0 && self->output_.size() < most_output) self->output_.emplace_back(data, data + size);
  return size;
}

long DtlsHandshake::control(BIO*, int command, long, void*) {
  switch (command) {
    case BIO_CTRL_FLUSH:
      return 1;
    case BIO_CTRL_DGRAM_GET_MTU_OVERHEAD:
      return 28;  // IPv4 and UDP
    case BIO_CTRL_DGRAM_QUERY_MTU:
    case BIO_CTRL_DGRAM_GET_FALLBACK_MTU:
      return link_mtu;
    default:
      return 0;
  }
}

DtlsHandshake::DtlsHandshake(const DtlsContext& context, const Sha256& fingerprint)
    : ssl_(SSL_new(context.get())), fingerprint_(fingerprint) {
  BIO* bio = ssl_ ? BIO_new(method()) : nullptr;
  if (!bio) {
    state_ = State::failed;
    return;
  }
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl_.get(), bio, bio);
  SSL_set_mtu(ssl_.get(), link_mtu);
  SSL_set_accept_state(ssl_.get());
}

void DtlsHandshake::receive(std::span<const uint8_t> datagram) {
  if (state_ == State::failed || state_ == State::closed) return;
  input_ = datagram;
  continue_handshake();
  input_ = {};
}

void DtlsHandshake::tick() {
  if (state_ != State::running) return;
  // The library reads the clock itself, and fails when it has repeated too often.
  if (DTLSv1_handle_timeout(ssl_.get()) < 0) state_ = State::failed;
}

void DtlsHandshake::continue_handshake() {
  ERR_clear_error();
  int result = 0;
  if (state_ == State::running) {
    result = SSL_do_handshake(ssl_.get());
    if (result == 1) {
      state_ = finish() ? State::done : State::failed;
      return;
    }
  } else {
    // Only an alert can come, or a repeated last message.
    std::array<uint8_t, 256> data;
    result = SSL_read(ssl_.get(), data.data(), data.size());
    if (result > 0) return;
    if (SSL_get_shutdown(ssl_.get()) & SSL_RECEIVED_SHUTDOWN) {
      state_ = State::closed;
      return;
    }
  }
  const int error = SSL_get_error(ssl_.get(), result);
  if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) return;
  state_ = State::failed;
  ERR_clear_error();
}

bool DtlsHandshake::finish() {
  const std::unique_ptr<X509, Call<X509_free>> peer(SSL_get1_peer_certificate(ssl_.get()));
  Sha256 hash{};
  unsigned size = hash.size();
  if (!peer || X509_digest(peer.get(), EVP_sha256(), hash.data(), &size) != 1 ||
      CRYPTO_memcmp(hash.data(), fingerprint_.data(), hash.size()) != 0)
    return false;
  const SRTP_PROTECTION_PROFILE* profile = SSL_get_selected_srtp_profile(ssl_.get());
  if (!profile || profile->id != SRTP_AES128_CM_SHA1_80) return false;
  // RFC 5764, 4.2: the client's key, the server's key, the client's salt, the server's salt.
  constexpr size_t key = 16, salt = 14;
  constexpr std::string_view label = "EXTRACTOR-dtls_srtp";
  std::array<uint8_t, 2 * (key + salt)> material{};
  if (SSL_export_keying_material(ssl_.get(), material.data(), material.size(), label.data(),
                                 label.size(), nullptr, 0, 0) != 1)
    return false;
  const auto copy = [&](SrtpKey& to, size_t key_at, size_t salt_at) {
    std::copy_n(material.begin() + static_cast<std::ptrdiff_t>(key_at), key, to.begin());
    std::copy_n(material.begin() + static_cast<std::ptrdiff_t>(salt_at), salt, to.begin() + key);
  };
  copy(keys_.theirs, 0, 2 * key);
  copy(keys_.ours, key, 2 * key + salt);
  OPENSSL_cleanse(material.data(), material.size());
  return true;
}

void DtlsHandshake::close() {
  if (state_ == State::done) SSL_shutdown(ssl_.get());
  if (state_ != State::failed) state_ = State::closed;
}

}  // namespace sphere::live
