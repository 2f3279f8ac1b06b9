// SPDX-License-Identifier: LGPL-2.1-or-later
// The parts of the page's server that need no network: offers and answers, ICE's checks, RTP, RTCP,
// fragmented MP4, who may watch.

// The standard library comes first: check defines `fail` as a macro.
#include <algorithm>
#include <array>
#include <chrono>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <openssl/ssl.h>
#include <zlib.h>

#include "gst/live/web/access.h"
#include "gst/live/web/certificate.h"
#include "gst/live/web/dtls.h"
#include "gst/live/web/fragment_writer.h"
#include "gst/live/web/key_requests.h"
#include "gst/live/web/offer.h"
#include "gst/live/web/packet_history.h"
#include "gst/live/web/page_files.h"
#include "gst/live/web/peer.h"
#include "gst/live/web/qr_code.h"
#include "gst/live/web/rtp.h"
#include "gst/live/web/secrets.h"
#include "gst/live/web/stun.h"
#include "gst/live/web/viewer_slots.h"
#include "tests/check/pipeline.h"
#include "tests/check/web_offers.h"

namespace {

using namespace sphere;
using namespace sphere::live;
using test::expect_same;
using Bytes = std::vector<uint8_t>;

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

Answer our_answer() {
  Answer answer;
  answer.session = 7;
  answer.ice_user = "ouruser1";
  answer.ice_password = "ourpassword0123456789abcd";
  answer.cname = "name";
  answer.video.ssrc = 1234;
  answer.audio = AnswerStream{5678};
  answer.addresses = {{"192.168.1.5", 40000}, {"fd00::5", 40001}};
  return answer;
}

Offer read(const std::string& sdp) {
  auto offer = parse_offer(sdp);
  fail_unless(static_cast<bool>(offer), "%s", offer ? "" : offer.error().message.c_str());
  return std::move(*offer);
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const size_t at = text.find(from);
  fail_unless(at != std::string::npos, "%s", from.c_str());
  return text.replace(at, from.size(), to);
}

GST_START_TEST(offer_of_a_browser) {
  const Offer offer = read(test::browser_offer());
  ck_assert_uint_eq(*offer.video, 1);
  ck_assert_uint_eq(*offer.audio, 0);
  const OfferedFormat& video = *offer.media[1].format;
  // The one that is constrained baseline and has packetization-mode=1, not the first.
  ck_assert_int_eq(video.payload_type, 109);
  expect_same(video.profile, "42e01f");
  fail_unless(video.nack && video.pli && video.fir && video.states_mode);
  ck_assert_int_eq(offer.media[0].format->payload_type, 111);
  expect_same(offer.ice_users.front(), "h6vY");
  ck_assert_uint_eq(offer.fingerprint[0], 0x2B);

  const std::string answer = write_answer(offer, our_answer());
  fail_unless(has(answer, "m=video 9 UDP/TLS/RTP/SAVPF 109\r\n"), "%s", answer.c_str());
  fail_unless(has(answer, "a=rtpmap:109 H264/90000\r\n"));
  fail_unless(has(answer, ";packetization-mode=1;profile-level-id=42e01f\r\n"));
  fail_unless(has(answer, "a=rtcp-fb:109 nack pli\r\n"));
  fail_unless(has(answer, "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n"));
  fail_unless(has(answer, "m=application 0 UDP/DTLS/SCTP webrtc-datachannel\r\n"));
  fail_unless(has(answer, "a=group:BUNDLE 0 1\r\n"));
  fail_unless(has(answer, "a=ice-lite\r\n") && has(answer, "a=setup:passive\r\n"));
  fail_unless(has(answer, " udp 2130706431 192.168.1.5 40000 typ host\r\n"));
  // The browser's own addresses, which it hides behind names, are neither used nor repeated.
  fail_unless(!has(answer, ".local"));
  // m-lines stay in their order.
  fail_unless(answer.find("m=audio") < answer.find("m=video"));
  fail_unless(answer.find("m=video") < answer.find("m=application"));
}
GST_END_TEST

GST_START_TEST(offer_without_sound_for_us) {
  Offer offer = read(test::browser_offer());
  Answer answer = our_answer();
  answer.audio.reset();
  const std::string inactive = write_answer(offer, answer);
  fail_unless(has(inactive.substr(inactive.find("m=audio"), 200), "a=inactive\r\n"));
  offer.audio.reset();
  const std::string refused = write_answer(offer, answer);
  fail_unless(has(refused, "m=audio 0 UDP/TLS/RTP/SAVPF 111 63 9 0 8 13 110 126\r\n"));
  fail_unless(has(refused, "a=group:BUNDLE 1\r\n"));
}
GST_END_TEST

GST_START_TEST(offers_of_other_programs) {
  // Firefox leaves what belongs to the transport out of the second m-line.
  const Offer firefox = read(test::bundle_only_offer());
  ck_assert_int_eq(firefox.media[*firefox.video].format->payload_type, 126);
  expect_same(firefox.ice_users.front(), "aa11bb22");
  // Without a word about the mode, it is taken, but after all that say it.
  const std::string unstated =
      replaced(test::plain_offer(), ";packetization-mode=1;profile-level-id=42e01f", "");
  const Offer plain = read(unstated);
  fail_unless(!plain.media[0].format->states_mode);
  fail_unless(!has(write_answer(plain, our_answer()), "packetization-mode"));
  // Main decodes baseline, too.
  const Offer main =
      read(replaced(test::plain_offer(), "profile-level-id=42e01f", "profile-level-id=4d0028"));
  expect_same(main.media[0].format->profile, "4d0028");
  // Without a bundle, there are only the pictures, over their own transport.
  const Offer apart = read(test::offer_with_two_fragments(false));
  fail_unless(!apart.audio && *apart.video == 1);
  expect_same(apart.ice_users.front(), "p1ctures");
  const std::string answer = write_answer(apart, our_answer());
  fail_unless(has(answer, "m=audio 0 ") && has(answer, "m=video 9 "), "%s", answer.c_str());
  fail_unless(!has(answer, "a=group:"));
  const Offer together = read(test::offer_with_two_fragments());
  fail_unless(together.audio && together.video);
  // Line ends as they should not be.
  std::string bare = test::plain_offer();
  std::erase(bare, '\r');
  read(bare);
}
GST_END_TEST

GST_START_TEST(offers_that_are_refused) {
  const std::string good = test::plain_offer();
  const auto refused = [](const std::string& sdp, bool lacks) {
    const auto offer = parse_offer(sdp);
    fail_unless(!offer, "%s", sdp.c_str());
    fail_unless(lacks_video(offer.error()) == lacks, "%s", offer.error().message.c_str());
  };
  refused("", true);
  refused("v=1\r\n", false);
  refused("hello", false);
  refused(replaced(good, "H264/90000", "VP8/90000"), true);
  refused(replaced(good, "packetization-mode=1", "packetization-mode=0"), true);
  refused(replaced(good, "profile-level-id=42e01f", "profile-level-id=7a0029"), true);
  refused(replaced(good, "a=recvonly", "a=sendonly"), true);
  refused(replaced(good, "a=rtcp-mux\r\n", ""), true);
  refused(replaced(good, "m=video 9", "m=video 0"), true);
  refused(replaced(good, "UDP/TLS/RTP/SAVPF", "RTP/AVP"), true);
  refused(replaced(good, "a=ice-ufrag:u4ser\r\n", ""), false);
  refused(replaced(good, "sha-256", "sha-1"), false);
  refused(replaced(good, "AB:CD", "AB:C"), false);
  refused(replaced(good, "a=setup:actpass", "a=setup:passive"), false);
  refused(replaced(good, "a=mid:0", "a=mid:0\r\nx"), false);
  refused(replaced(good, "a=mid:0", "a=mid:"), false);
  refused(good + std::string("a=x\0y\r\n", 7), false);
  refused(good + std::string(max_offer_bytes, 'a'), false);
  std::string many = good;
  for (int i = 0; i < 20; ++i) many += "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n";
  refused(many, false);
  std::string lines = good;
  for (int i = 0; i < 5000; ++i) lines += "a=x\r\n";
  refused(lines, false);
}
GST_END_TEST

GST_START_TEST(user_fragments_in_later_pieces) {
  expect_same(ice_user_in("a=ice-ufrag:EsAw\r\na=ice-pwd:x\r\n"), "EsAw");
  expect_same(ice_user_in("a=mid:0\r\na=candidate:1 1 udp 1 x.local 9 typ host\r\n"), "");
  expect_same(ice_user_in("a=ice-ufrag:\x01\r\n"), "");
}
GST_END_TEST

// RFC 5769, 2.1 and 2.2.
constexpr std::string_view rfc_password = "VOkJxbRl1RmTxUk/WvJxBt";
const Bytes rfc_request = {
    0x00, 0x01, 0x00, 0x58, 0x21, 0x12, 0xa4, 0x42, 0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34, 0xd6, 0x86,
    0xfa, 0x87, 0xdf, 0xae, 0x80, 0x22, 0x00, 0x10, 0x53, 0x54, 0x55, 0x4e, 0x20, 0x74, 0x65, 0x73,
    0x74, 0x20, 0x63, 0x6c, 0x69, 0x65, 0x6e, 0x74, 0x00, 0x24, 0x00, 0x04, 0x6e, 0x00, 0x01, 0xff,
    0x80, 0x29, 0x00, 0x08, 0x93, 0x2f, 0xf9, 0xb1, 0x51, 0x26, 0x3b, 0x36, 0x00, 0x06, 0x00, 0x09,
    0x65, 0x76, 0x74, 0x6a, 0x3a, 0x68, 0x36, 0x76, 0x59, 0x20, 0x20, 0x20, 0x00, 0x08, 0x00, 0x14,
    0x9a, 0xea, 0xa7, 0x0c, 0xbf, 0xd8, 0xcb, 0x56, 0x78, 0x1e, 0xf2, 0xb5, 0xb2, 0xd3, 0xf2, 0x49,
    0xc1, 0xb5, 0x71, 0xa2, 0x80, 0x28, 0x00, 0x04, 0xe5, 0x7a, 0x3b, 0xcf};

GST_START_TEST(checks_of_ice) {
  const auto check = read_check(rfc_request);
  fail_unless(check.has_value());
  expect_same(std::string(check->user), "evtj:h6vY");
  fail_unless(!check->nominates);
  fail_unless(has_integrity(*check, rfc_password));
  fail_unless(!has_integrity(*check, "VOkJxbRl1RmTxUk/WvJxBu"));
  Bytes changed = rfc_request;
  changed[65] ^= 1;  // in the user's name
  fail_unless(!has_integrity(*read_check(changed), rfc_password));
  for (size_t size = 0; size < rfc_request.size(); ++size)
    fail_unless(!read_check(std::span(rfc_request).first(size)));

  const Bytes answer = answer_check(*check, {{192, 0, 2, 1}, 32853}, rfc_password);
  const Bytes mapped = {0x00, 0x20, 0x00, 0x08, 0x00, 0x01, 0xa1, 0x47, 0xe1, 0x12, 0xa6, 0x43};
  fail_unless(std::search(answer.begin(), answer.end(), mapped.begin(), mapped.end()) !=
              answer.end());
  ck_assert_uint_eq(answer[0], 1);
  ck_assert_uint_eq(answer[1], 1);
  ck_assert_uint_eq(answer[3], answer.size() - 20);
  // The last 4 bytes: CRC-32 of what is before the fingerprint, mixed with "STUN".
  const auto crc =
      static_cast<uint32_t>(crc32(0, answer.data(), static_cast<uInt>(answer.size() - 8))) ^
      0x5354554e;
  ck_assert_uint_eq(crc, GST_READ_UINT32_BE(answer.data() + answer.size() - 4));
}
GST_END_TEST

/// Notes which way each datagram goes.
struct Ways : PeerServices {
  void send_datagram(const Path& path, std::span<const uint8_t>) override { last = path; }
  void want_key_frame() override {}
  RtpPacketRef sent_packet(StreamKind, uint16_t) override { return nullptr; }
  Path last;
};

/// The first datagram of a handshake.
Bytes client_hello() {
  const std::unique_ptr<SSL_CTX, Call<SSL_CTX_free>> context(SSL_CTX_new(DTLS_client_method()));
  SSL_CTX_set_tlsext_use_srtp(context.get(), "SRTP_AES128_CM_SHA1_80");
  const std::unique_ptr<SSL, Call<SSL_free>> ssl(SSL_new(context.get()));
  BIO* out = BIO_new(BIO_s_mem());
  SSL_set_bio(ssl.get(), BIO_new(BIO_s_mem()), out);
  SSL_connect(ssl.get());
  Bytes bytes(2048);
  const int size = BIO_read(out, bytes.data(), static_cast<int>(bytes.size()));
  bytes.resize(static_cast<size_t>(std::max(size, 0)));
  fail_unless(bytes.size() > 50);
  return bytes;
}

GST_START_TEST(viewers_change_their_address) {
  const auto certificate = Certificate::make("viewer", {}, 2);
  const auto context = DtlsContext::make(*certificate);
  PeerSetup setup;
  setup.ice_user = "evtj";
  setup.ice_password = rfc_password;
  const Path old{0, "old"}, other{0, "other"};
  // In seconds; these checks nominate nothing.
  const auto way_after = [&](std::initializer_list<std::pair<const Path&, int>> checks) {
    Ways ways;
    Peer peer(setup, *context, ways, 0);
    Time now = 0;
    for (const auto& [path, at] : checks) {
      now = at * second;
      fail_unless(peer.check(*read_check(rfc_request), {{192, 0, 2, 1}, 9}, path, now));
    }
    const Bytes hello = client_hello();
    ways.last = {};
    peer.receive(hello, other, now);
    return ways.last;
  };
  // The first one that works; a second one that works, too, changes nothing.
  fail_unless(way_after({{old, 0}}) == old);
  fail_unless(way_after({{old, 0}, {other, 1}}) == old);
  fail_unless(way_after({{old, 0}, {other, 1}, {old, 5}, {other, 6}, {old, 10}, {other, 11}}) ==
              old);
  // The network of the viewer has given it another address: the old one says nothing any more.
  fail_unless(way_after({{old, 0}, {other, 1}, {other, 8}}) == other);
}
GST_END_TEST

GST_START_TEST(key_frames_in_packets) {
  const auto begins = [](const Bytes& payload) { return begins_key_frame(payload); };
  fail_unless(begins({0x67, 1, 2}));
  fail_unless(!begins({0x65, 1, 2}) && !begins({0x41, 1}) && !begins({}));
  // A delimiter, then the parameter set.
  fail_unless(begins({0x78, 0, 2, 0x09, 0x10, 0, 3, 0x67, 1, 2}));
  fail_unless(!begins({0x78, 0, 2, 0x09, 0x10, 0, 3, 0x06, 1, 2}));
  fail_unless(!begins({0x78, 0xff, 0xff, 0x67}));
  fail_unless(!begins({0x78, 0}));
}
GST_END_TEST

GST_START_TEST(feedback_of_viewers) {
  // A receiver report with one stream, then NACK, PLI and BYE.
  const Bytes packet = {0x81, 201, 0,    7,    0,    0,    0,    1,   0, 0, 0, 2, 64, 0,
                        0,    0,   0,    0,    0,    0,    0,    0,   0, 0, 0, 0, 0,  0,
                        0,    0,   0,    0,    0x81, 205,  0,    3,   0, 0, 0, 1, 0,  0,
                        0,    2,   0xff, 0xff, 0x80, 0x01, 0x81, 206, 0, 2, 0, 0, 0,  1,
                        0,    0,   0,    2,    0x81, 203,  0,    1,   0, 0, 0, 1};
  fail_unless(is_rtcp(packet));
  const Feedback feedback = read_rtcp(packet);
  fail_unless(feedback.wants_key_frame && feedback.leaves);
  ck_assert_uint_eq(feedback.loss, 64);
  ck_assert_uint_eq(feedback.lost.size(), 3);
  ck_assert_uint_eq(feedback.lost[0].second, 0xffff);
  ck_assert_uint_eq(feedback.lost[1].second, 0);
  ck_assert_uint_eq(feedback.lost[2].second, 15);
  ck_assert_uint_eq(feedback.lost[0].first, 2);
  for (size_t size = 0; size < packet.size(); ++size) read_rtcp(std::span(packet).first(size));
  // What is lost is bounded, whatever is asked for.
  Bytes greedy = {0x81, 205, 0x04, 0x02, 0, 0, 0, 1, 0, 0, 0, 2};
  greedy.resize(4 + 0x402 * 4, 0xff);
  ck_assert_uint_eq(read_rtcp(greedy).lost.size(), max_lost);
}
GST_END_TEST

GST_START_TEST(reports_of_the_sender) {
  const Bytes report = write_sender_report({0x01020304, ntp_time(1'500'000), 9, 3, 100}, "name");
  ck_assert_uint_eq(report.size() % 4, 0);
  ck_assert_uint_eq(report[1], 200);
  ck_assert_uint_eq(GST_READ_UINT16_BE(report.data() + 2), 6);
  ck_assert_uint_eq(GST_READ_UINT32_BE(report.data() + 8), 2208988801u);
  ck_assert_uint_eq(GST_READ_UINT32_BE(report.data() + 12), 0x80000000u);
  ck_assert_uint_eq(report[28 + 1], 202);
  fail_unless(!read_rtcp(report).leaves);
  fail_unless(read_rtcp(write_bye(5)).leaves);
}
GST_END_TEST

GST_START_TEST(history_of_packets) {
  PacketHistory history(8);
  for (unsigned i = 65530; i < 65530 + 12; ++i) {
    auto packet = std::make_shared<RtpPacket>();
    packet->sequence = static_cast<uint16_t>(i);
    history.add(packet);
  }
  fail_unless(history.find(5) && history.find(65534));
  fail_unless(!history.find(65533) && !history.find(6));
}
GST_END_TEST

GST_START_TEST(fragments_play) {
  // Pictures of an encoder as a byte stream, made to fragments, are read by GStreamer's demuxer.
  test::Pipeline encoder(
      "videotestsrc num-buffers=12 ! video/x-raw,width=320,height=160,framerate=25/1 ! "
      "x264enc tune=zerolatency key-int-max=6 ! "
      "video/x-h264,stream-format=byte-stream,alignment=au,profile=constrained-baseline ! "
      "appsink name=sink");
  encoder.play();
  FragmentFormat format;
  Bytes file;
  uint32_t number = 0;
  int keys = 0;
  while (const test::SampleRef sample = encoder.pull()) {
    GstBuffer* buffer = gst_sample_get_buffer(sample.get());
    Bytes bytes(gst_buffer_get_size(buffer));
    gst_buffer_extract(buffer, 0, bytes.data(), bytes.size());
    const AccessUnit unit = split_access_unit(bytes);
    if (number == 0) {
      format = {unit.sps, unit.pps, 320, 160, false, 2};
      file = write_beginning(format);
    }
    ck_assert_int_eq(unit.is_key, !unit.sps.empty());
    keys += unit.is_key;
    const Bytes fragment =
        write_fragment({Track::video, number + 1, number * 3600u, 3600, unit.is_key, unit.data});
    file.insert(file.end(), fragment.begin(), fragment.end());
    ++number;
  }
  ck_assert_uint_eq(number, 12);
  ck_assert_int_eq(keys, 2);
  expect_same(codecs_of(format).substr(0, 9), "avc1.42C0");

  g_autofree char* folder = g_dir_make_tmp("sphere-XXXXXX", nullptr);
  const std::string path = std::string(folder) + "/file.mp4";
  fail_unless(g_file_set_contents(path.c_str(), reinterpret_cast<const char*>(file.data()),
                                  static_cast<gssize>(file.size()), nullptr));
  {
    test::Pipeline player("filesrc location=" + path +
                          " ! qtdemux ! h264parse ! avdec_h264 ! appsink name=sink sync=false");
    player.play();
    int shown = 0;
    while (const test::SampleRef sample = player.pull()) {
      int width = 0;
      gst_structure_get_int(gst_caps_get_structure(gst_sample_get_caps(sample.get()), 0), "width",
                            &width);
      ck_assert_int_eq(width, 320);
      ck_assert_uint_eq(GST_BUFFER_PTS(gst_sample_get_buffer(sample.get())),
                        static_cast<GstClockTime>(shown) * 40 * GST_MSECOND);
      ++shown;
    }
    ck_assert_int_eq(shown, 12);
  }
  g_unlink(path.c_str());
  g_rmdir(folder);
}
GST_END_TEST

GST_START_TEST(units_of_any_bytes) {
  fail_unless(split_access_unit({}).data.empty());
  const Bytes zeros(100, 0);
  fail_unless(split_access_unit(zeros).data.empty());
  const Bytes ends = {0, 0, 0, 1, 0x65, 7, 0, 0, 1};
  const AccessUnit unit = split_access_unit(ends);
  fail_unless(unit.is_key);
  fail_unless((unit.data == Bytes{0, 0, 0, 2, 0x65, 7}));
}
GST_END_TEST

GST_START_TEST(who_may_watch) {
  const Access open("");
  const auto check = [&](const char* host, const char* origin) {
    return open.check_stream({host, origin, {}, {}});
  };
  const auto from = [&](const char* site) {
    return open.check_stream({"127.0.0.1:8080", "", "", site});
  };
  fail_unless(from("same-origin") == AccessResult::allowed &&
              from("none") == AccessResult::allowed);
  // An element of a page of another place, or of another server on this machine.
  fail_unless(from("cross-site") == AccessResult::foreign_origin);
  fail_unless(from("same-site") == AccessResult::foreign_origin);
  fail_unless(check("127.0.0.1:8080", "") == AccessResult::allowed);
  fail_unless(check("LOCALHOST:8080", "") == AccessResult::allowed);
  fail_unless(check("[::1]:8080", "http://[::1]:8080") == AccessResult::allowed);
  fail_unless(check("127.0.0.1:8080", "http://127.0.0.1:8080") == AccessResult::allowed);
  fail_unless(check("127.0.0.1:8080", "https://127.0.0.1:8080") == AccessResult::allowed);
  // Another address of this machine.
  fail_unless(check("127.0.0.2:8080", "http://127.0.0.2:8080") == AccessResult::allowed);
  fail_unless(check("[::1", "") == AccessResult::wrong_host);
  fail_unless(check("127.0.0.256", "") == AccessResult::wrong_host);
  fail_unless(check("128.0.0.1", "") == AccessResult::wrong_host);
  // Pages of other places, also those whose name points here.
  fail_unless(check("127.0.0.1:8080", "https://example.org") == AccessResult::foreign_origin);
  fail_unless(check("127.0.0.1:8080", "http://127.0.0.1:9090") == AccessResult::foreign_origin);
  fail_unless(check("127.0.0.1:8080", "null") == AccessResult::foreign_origin);
  fail_unless(check("example.org:8080", "http://example.org:8080") == AccessResult::wrong_host);
  fail_unless(check("127.0.0.1.example.org", "") == AccessResult::wrong_host);
  fail_unless(check("", "") == AccessResult::wrong_host);

  const Access closed("correct-token-123456");
  const auto with = [&](const char* authorization) {
    return closed.check_stream({"192.168.1.5:8080", "https://example.org", authorization, {}});
  };
  fail_unless(with("Bearer correct-token-123456") == AccessResult::allowed);
  fail_unless(with("bearer  correct-token-123456 ") == AccessResult::allowed);
  fail_unless(with("") == AccessResult::no_token);
  fail_unless(with("Basic correct-token-123456") == AccessResult::no_token);
  fail_unless(with("Bearer correct-token-123457") == AccessResult::wrong_token);
  fail_unless(with("Bearer correct-token-12345") == AccessResult::wrong_token);
  fail_unless(with("Bearer ") == AccessResult::wrong_token);
}
GST_END_TEST

GST_START_TEST(wrong_tokens_wait) {
  WrongTokens tokens;
  unsigned last = 0;
  int64_t now = 1;
  for (int i = 0; i < 10; ++i) {
    const auto wait = tokens.wait(now += 1000);
    fail_unless(wait.has_value() && *wait >= last && *wait <= 8000);
    last = *wait;
    tokens.done();
  }
  ck_assert_uint_eq(last, 8000);
  // A person who was wrong a minute ago begins anew.
  fail_unless(*tokens.wait(now += 61'000'000) == 500);
  tokens.done();
  for (unsigned i = 0; i < WrongTokens::most_waiting; ++i)
    fail_unless(tokens.wait(now).has_value());
  fail_unless(!tokens.wait(now));
  tokens.done();
  fail_unless(tokens.wait(now).has_value());
}
GST_END_TEST

GST_START_TEST(requests_for_key_frames) {
  KeyRequests requests(500);
  fail_unless(!requests.due(0));
  requests.want();
  fail_unless(requests.due(0) && !requests.due(0));
  for (int now = 1; now < 500; ++now) {
    requests.want();
    fail_unless(!requests.due(now));
  }
  fail_unless(requests.due(500) && !requests.due(2000));
}
GST_END_TEST

GST_START_TEST(slots_of_viewers) {
  ViewerSlots slots(2);
  ViewerSlots::Slot one = slots.take();
  {
    const ViewerSlots::Slot two = slots.take();
    fail_unless(one && two && !slots.take());
    ck_assert_uint_eq(slots.taken(), 2);
  }
  ck_assert_uint_eq(slots.taken(), 1);
  ViewerSlots::Slot moved = std::move(one);
  ck_assert_uint_eq(slots.taken(), 1);
  fail_unless(!slots.wait_until_free(std::chrono::microseconds(0)));
  moved = ViewerSlots::Slot();
  ck_assert_uint_eq(slots.taken(), 0);
  fail_unless(slots.wait_until_free(std::chrono::microseconds(0)));
}
GST_END_TEST

GST_START_TEST(the_last_viewer_ends_the_wait) {
  ViewerSlots slots(2);
  std::vector<ViewerSlots::Slot> viewers;
  viewers.push_back(slots.take());
  viewers.push_back(slots.take());
  std::thread leaving([&viewers] {
    while (!viewers.empty()) viewers.pop_back();
  });
  // Longer than a test may take.
  const bool left = slots.wait_until_free(std::chrono::hours(1));
  leaving.join();
  fail_unless(left);
  ck_assert_uint_eq(slots.taken(), 0);
}
GST_END_TEST

GST_START_TEST(certificates) {
  auto made = Certificate::make("gst-sphere", {"localhost", "192.168.1.5", "fd00::5"}, 365);
  fail_unless(static_cast<bool>(made));
  fail_unless(made->names_all({"localhost", "192.168.1.5", "fd00::5"}));
  fail_unless(!made->names_all({"192.168.1.6"}) && !made->names_all({"example.org"}));
  fail_unless(made->ends_within_days(366) && !made->ends_within_days(364));
  auto read = Certificate::read(made->pem());
  fail_unless(static_cast<bool>(read));
  fail_unless(read->fingerprint() == made->fingerprint());
  ck_assert_uint_eq(fingerprint_text(made->fingerprint()).size(), 95);
  auto other = Certificate::make("other", {}, 1);
  const std::string mixed = made->pem().substr(0, made->pem().find("-----BEGIN PRIVATE")) +
                            other->pem().substr(other->pem().find("-----BEGIN PRIVATE"));
  fail_unless(!Certificate::read(mixed));
  fail_unless(!Certificate::read(""));
  fail_unless(!Certificate::read(made->pem().substr(0, 200)));
}
GST_END_TEST

GST_START_TEST(own_certificate_is_kept) {
  g_autofree char* file = g_build_filename(g_get_user_data_dir(), "gst-sphere", "web.pem", nullptr);
  g_unlink(file);
  auto first = own_certificate({"localhost", "10.0.0.7"});
  fail_unless(static_cast<bool>(first));
  GStatBuf status;
  fail_unless(g_stat(file, &status) == 0 && (status.st_mode & 0777) == 0600);
  fail_unless(own_certificate({"localhost"})->fingerprint() == first->fingerprint());
  // A new address needs a new one.
  fail_unless(own_certificate({"10.0.0.8"})->fingerprint() != first->fingerprint());
  // A damaged one is replaced.
  fail_unless(g_file_set_contents_full(file, "junk", -1, G_FILE_SET_CONTENTS_NONE, 0600, nullptr));
  fail_unless(static_cast<bool>(own_certificate({"localhost"})));
  g_unlink(file);
}
GST_END_TEST

GST_START_TEST(secrets) {
  std::set<std::string> all;
  for (int i = 0; i < 200; ++i) all.insert(random_text(24));
  ck_assert_uint_eq(all.size(), 200);
  fail_unless(same_secret("abc", "abc") && !same_secret("abc", "abd") && !same_secret("abc", "ab"));
}
GST_END_TEST

GST_START_TEST(files_of_the_page) {
  size_t total = 0;
  const std::string folder = std::string(g_getenv("SPHERE_SOURCE")) + "/gst/live/web/page";
  const std::unique_ptr<GDir, Call<g_dir_close>> all(g_dir_open(folder.c_str(), 0, nullptr));
  fail_unless(all != nullptr);
  int files = 0;
  while (const char* name = g_dir_read_name(all.get())) {
    if (g_str_has_suffix(name, ".xml")) continue;
    const std::string path = std::string("/") + (std::string(name) == "index.html" ? "" : name);
    const PageFile file = page_file(path);
    fail_unless(file.bytes != nullptr, "%s is not served", name);
    gsize size = 0;
    const void* data = g_bytes_get_data(file.bytes.get(), &size);
    // No other place is asked for anything. What is left names a language.
    std::string text(static_cast<const char*>(data), size);
    constexpr std::string_view xmlns = "http://www.w3.org/2000/svg";
    if (const size_t at = text.find(xmlns); at != std::string::npos) text.erase(at, xmlns.size());
    fail_unless(!has(text, "://"), "%s", name);
    uLongf packed_size = compressBound(size);
    Bytes packed(packed_size);
    fail_unless(compress2(packed.data(), &packed_size, static_cast<const Bytef*>(data), size, 9) ==
                Z_OK);
    total += packed_size;
    ++files;
  }
  ck_assert_int_ge(files, 10);
  fail_unless(total < 60 * 1024, "%zu bytes", total);
  for (const char* path : {"", "/index.html", "/../page.gresource.xml", "//main.js", "/main.js/",
                           "/%6dain.js", "/etc/passwd", "/page.gresource.xml"})
    fail_unless(page_file(path).bytes == nullptr, "%s", path);
}
GST_END_TEST

GST_START_TEST(qr_codes) {
  const std::string code = qr_code("http://127.0.0.1:8080/");
  if (code.empty()) return;  // built without the library
  const auto lines = std::ranges::count(code, '\n');
  ck_assert_int_ge(lines, 12);
  fail_unless(g_utf8_validate(code.c_str(), -1, nullptr));
  fail_unless(qr_code(std::string(100'000, 'x')).empty());
}
GST_END_TEST

Suite* web_parts_suite() {
  Suite* suite = suite_create("web_parts");
  TCase* tests = tcase_create("general");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, offer_of_a_browser);
  tcase_add_test(tests, offer_without_sound_for_us);
  tcase_add_test(tests, offers_of_other_programs);
  tcase_add_test(tests, offers_that_are_refused);
  tcase_add_test(tests, user_fragments_in_later_pieces);
  tcase_add_test(tests, checks_of_ice);
  tcase_add_test(tests, viewers_change_their_address);
  tcase_add_test(tests, key_frames_in_packets);
  tcase_add_test(tests, feedback_of_viewers);
  tcase_add_test(tests, reports_of_the_sender);
  tcase_add_test(tests, history_of_packets);
  tcase_add_test(tests, fragments_play);
  tcase_add_test(tests, units_of_any_bytes);
  tcase_add_test(tests, who_may_watch);
  tcase_add_test(tests, wrong_tokens_wait);
  tcase_add_test(tests, requests_for_key_frames);
  tcase_add_test(tests, slots_of_viewers);
  tcase_add_test(tests, the_last_viewer_ends_the_wait);
  tcase_add_test(tests, certificates);
  tcase_add_test(tests, own_certificate_is_kept);
  tcase_add_test(tests, secrets);
  tcase_add_test(tests, files_of_the_page);
  tcase_add_test(tests, qr_codes);
  return suite;
}

}  // namespace

GST_CHECK_MAIN(web_parts)
