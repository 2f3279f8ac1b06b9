// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/live/web/peer.h"

#include <algorithm>

namespace sphere::live {

namespace {

constexpr Time report_interval = second;
/// A viewer that loses more than this has no use for the packets either.
constexpr unsigned most_repeats_per_second = 500;
/// A browser has one for each m-line. Each costs memory in the decryption.
constexpr size_t most_ssrcs = 8;

}  // namespace

Peer::Peer(PeerSetup setup, const DtlsContext& context, PeerServices& services, Time now)
    : setup_(std::move(setup)),
      services_(services),
      dtls_(context, setup_.fingerprint),
      begin_(now),
      alive_(now),
      path_alive_(now),
      repeats_left_(most_repeats_per_second),
      repeats_since_(now) {}

bool Peer::check(const StunCheck& check, const StunAddress& from, const Path& path, Time now) {
  if (!has_integrity(check, setup_.ice_password)) return false;
  services_.send_datagram(path, answer_check(check, from, setup_.ice_password));
  note_path(path, check.nominates, now);
  return true;
}

void Peer::note_path(const Path& path, bool nominates, Time now) {
  alive_ = now;
  // Before the viewer has chosen a path, the first one that works is good enough for DTLS. Not all
  // viewers choose again when their address changes; they go on with checks that nominate nothing.
  if (nominates || !path_ || now - path_alive_ > longest_path_silence) path_ = path;
  if (path == *path_) path_alive_ = now;
}

void Peer::receive(std::span<const uint8_t> datagram, const Path& path, Time now) {
  if (datagram.empty() || !path_) return;
  if (DtlsHandshake::may_be_dtls(datagram[0])) {
    dtls_.receive(datagram);
    flush_dtls();
    if (dtls_.state() == DtlsHandshake::State::done && !srtp_) {
      srtp_ = std::make_unique<Srtp>(dtls_.keys());
      if (!*srtp_) {
        srtp_.reset();
        left_ = true;
        return;
      }
      alive_ = now;
      services_.want_key_frame();
    }
  } else if (srtp_ && is_rtcp(datagram)) {
    on_rtcp(datagram, path, now);
  }
}

void Peer::flush_dtls() {
  for (const std::vector<uint8_t>& datagram : dtls_.take_output())
    if (path_) services_.send_datagram(*path_, datagram);
}

void Peer::on_rtcp(std::span<const uint8_t> datagram, const Path& path, Time now) {
  const uint32_t ssrc = static_cast<uint32_t>(datagram[4]) << 24 |
                        static_cast<uint32_t>(datagram[5]) << 16 |
                        static_cast<uint32_t>(datagram[6]) << 8 | datagram[7];
  const bool known = std::ranges::find(their_ssrcs_, ssrc) != their_ssrcs_.end();
  if (!known && their_ssrcs_.size() >= most_ssrcs) return;
  std::vector<uint8_t> packet(datagram.begin(), datagram.end());
  if (!srtp_->unprotect_rtcp(packet)) return;
  if (!known) their_ssrcs_.push_back(ssrc);
  note_path(path, false, now);
  const Feedback feedback = read_rtcp(packet);
  if (feedback.leaves) left_ = true;
  if (feedback.wants_key_frame) services_.want_key_frame();
  if (now - repeats_since_ >= second) {
    repeats_since_ = now;
    repeats_left_ = most_repeats_per_second;
  }
  for (const auto& [lost_ssrc, sequence] : feedback.lost) repeat(lost_ssrc, sequence);
}

void Peer::repeat(uint32_t ssrc, uint16_t sequence) {
  for (const StreamKind kind : {StreamKind::video, StreamKind::audio}) {
    const auto& its = stream(kind);
    if (!its || its->ssrc != ssrc || !its->nack || repeats_left_ == 0) continue;
    // Only what this viewer was sent: SRTP would take another one for a much later packet, and
    // nothing after it could be read any more.
    const Sending& sending = sending_[static_cast<size_t>(kind)];
    const uint16_t age = static_cast<uint16_t>(sending.sequence - sequence);
    if (age >= sending.packets) continue;
    if (const RtpPacketRef packet = services_.sent_packet(kind, sequence)) {
      --repeats_left_;
      send_packet(kind, *packet);
    }
  }
}

bool Peer::send_packet(StreamKind kind, const RtpPacket& packet) {
  std::vector<uint8_t> bytes;
  bytes.reserve(packet.bytes.size() + Srtp::max_growth);
  bytes = packet.bytes;
  set_payload_type(bytes, stream(kind)->payload_type);
  if (!srtp_->protect_rtp(bytes)) return false;
  services_.send_datagram(*path_, bytes);
  return true;
}

void Peer::send(StreamKind kind, const RtpPacket& packet, Time now) {
  if (!srtp_ || !path_ || !stream(kind)) return;
  Sending& sending = sending_[static_cast<size_t>(kind)];
  // A decoder can't begin elsewhere.
  if (kind == StreamKind::video && !sending.started && !packet.begins_key_frame) return;
  if (!send_packet(kind, packet)) return;
  ++sending.packets;
  sending.sequence = packet.sequence;
  sending.bytes += static_cast<uint32_t>(packet.bytes.size() - rtp_header_size);
  sending.timestamp = packet.timestamp;
  sending.utc_us = packet.utc_us;
  if (!sending.started) {
    sending.started = true;
    // Without it the viewer does not know which sound belongs to which picture.
    report(kind, now);
  }
}

void Peer::report(StreamKind kind, Time now) {
  Sending& sending = sending_[static_cast<size_t>(kind)];
  SenderReport report;
  report.ssrc = stream(kind)->ssrc;
  report.ntp = ntp_time(sending.utc_us);
  report.timestamp = sending.timestamp;
  report.packets = sending.packets;
  report.bytes = sending.bytes;
  std::vector<uint8_t> bytes = write_sender_report(report, setup_.cname);
  if (srtp_->protect_rtcp(bytes)) services_.send_datagram(*path_, bytes);
  sending.next_report = now + report_interval;
}

void Peer::tick(Time now) {
  dtls_.tick();
  flush_dtls();
  if (!srtp_ || !path_) return;
  for (const StreamKind kind : {StreamKind::video, StreamKind::audio}) {
    const Sending& sending = sending_[static_cast<size_t>(kind)];
    if (sending.started && now >= sending.next_report) report(kind, now);
  }
}

void Peer::close() {
  if (srtp_ && path_)
    for (const auto& its : setup_.streams)
      if (its) {
        std::vector<uint8_t> bytes = write_bye(its->ssrc);
        if (srtp_->protect_rtcp(bytes)) services_.send_datagram(*path_, bytes);
      }
  dtls_.close();
  flush_dtls();
  left_ = true;
}

bool Peer::ended(Time now) const {
  if (left_ || dtls_.state() == DtlsHandshake::State::failed ||
      dtls_.state() == DtlsHandshake::State::closed)
    return true;
  if (!srtp_) return now - begin_ > longest_connecting;
  return now - alive_ > longest_silence;
}

}  // namespace sphere::live
