// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/live/web/offer.h"

#include <glib.h>

#include <algorithm>
#include <charconv>
#include <map>

#include "gst/sphere/base/text.h"

namespace sphere::live {

namespace {

constexpr size_t max_lines = 4000, max_line = 8192, max_media = 16, max_formats = 128;
constexpr size_t max_token = 256;

/// The profiles of H.264 that decode constrained baseline, best first. Compared with the first two
/// bytes of profile-level-id, of which the second has the constraints.
enum class Fit { constrained_baseline, baseline, main, high, unstated_mode, none };

Fit fit_of(std::string_view profile) {
  if (profile.size() != 6 ||
      !std::all_of(profile.begin(), profile.end(), [](char c) { return g_ascii_isxdigit(c); }))
    return Fit::none;
  unsigned idc = 0, constraints = 0;
  std::from_chars(profile.data(), profile.data() + 2, idc, 16);
  std::from_chars(profile.data() + 2, profile.data() + 4, constraints, 16);
  switch (idc) {
    case 0x42:
      return constraints & 0x40 ? Fit::constrained_baseline : Fit::baseline;
    case 0x4d:
      return Fit::main;
    case 0x58:  // Extended decodes all of baseline.
      return Fit::baseline;
    case 0x64:
      return Fit::high;
    default:
      return Fit::none;
  }
}

/// Characters of `token` in RFC 8866, and those of base64, in names that ICE and mid use.
bool is_token(std::string_view text) {
  constexpr std::string_view others = "!#$%&'*+-.^_`{|}~/";
  return !text.empty() && text.size() <= max_token &&
         std::all_of(text.begin(), text.end(), [&](char c) {
           return g_ascii_isalnum(c) || others.find(c) != std::string_view::npos;
         });
}

/// The next word, which is removed from `text`.
std::string_view word(std::string_view& text) {
  const size_t begin = text.find_first_not_of(' ');
  if (begin == std::string_view::npos) {
    text = {};
    return {};
  }
  text.remove_prefix(begin);
  const size_t end = std::min(text.find(' '), text.size());
  const std::string_view found = text.substr(0, end);
  text.remove_prefix(end);
  return found;
}

std::optional<int> number(std::string_view text, int max) {
  int value = -1;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (problem != std::errc() || end != text.data() + text.size() || value < 0 || value > max)
    return std::nullopt;
  return value;
}

bool same(std::string_view a, std::string_view b) {
  return a.size() == b.size() && g_ascii_strncasecmp(a.data(), b.data(), a.size()) == 0;
}

/// The value of a parameter in a list that semicolons separate.
std::string_view parameter(std::string_view list, std::string_view name) {
  while (!list.empty()) {
    const size_t end = std::min(list.find(';'), list.size());
    const std::string_view one = trimmed(list.substr(0, end));
    list.remove_prefix(std::min(end + 1, list.size()));
    const size_t equals = one.find('=');
    if (equals != std::string_view::npos && same(trimmed(one.substr(0, equals)), name))
      return trimmed(one.substr(equals + 1));
  }
  return {};
}

std::optional<Sha256> read_sha256(std::string_view text) {
  Sha256 hash{};
  if (text.size() != hash.size() * 3 - 1) return std::nullopt;
  for (size_t i = 0; i < hash.size(); ++i) {
    const std::string_view pair = text.substr(i * 3, 2);
    const auto [end, problem] = std::from_chars(pair.data(), pair.data() + 2, hash[i], 16);
    if (problem != std::errc() || end != pair.data() + 2) return std::nullopt;
    if (i + 1 < hash.size() && text[i * 3 + 2] != ':') return std::nullopt;
  }
  return hash;
}

/// A payload type while it is read.
struct Format {
  std::string_view codec, parameters;
  int clock = 0;
  bool nack = false, pli = false, fir = false;
};

enum class Setup { unknown, active, passive };

/// What may stand in the session's part and is then meant for each m-line.
struct Transport {
  std::string_view ice_user;
  std::optional<Sha256> fingerprint;
  Setup setup = Setup::unknown;
  bool receives = true;
};

struct Section {
  OfferedMedia media;
  Transport transport;
  std::map<int, Format> formats;
  std::vector<int> order;
  bool rtcp_mux = false;
  bool port_is_0 = false, bundle_only = false;
  Format for_all;  ///< the feedback of `a=rtcp-fb:*`
};

class Reader {
 public:
  Result<Offer> read(std::string_view sdp) {
    if (sdp.size() > max_offer_bytes) return invalid("The offer is too large.");
    if (sdp.find('\0') != std::string_view::npos) return invalid("The offer has a zero byte.");
    for (size_t lines = 0; !sdp.empty(); ++lines) {
      const size_t end = std::min(sdp.find('\n'), sdp.size());
      std::string_view text = sdp.substr(0, end);
      sdp.remove_prefix(std::min(end + 1, sdp.size()));
      if (!text.empty() && text.back() == '\r') text.remove_suffix(1);
      if (text.empty()) continue;
      if (lines >= max_lines || text.size() > max_line || text.size() < 2 || text[1] != '=')
        return invalid("The offer is not SDP.");
      if (lines == 0 && text != "v=0") return invalid("The offer does not begin with v=0.");
      if (auto read = line(text[0], text.substr(2)); !read) return read.error();
    }
    return finish();
  }

 private:
  Status line(char type, std::string_view value) {
    if (type == 'm') return media_line(value);
    if (type != 'a') return ok();
    const size_t colon = std::min(value.find(':'), value.size());
    const std::string_view name = value.substr(0, colon);
    value.remove_prefix(std::min(colon + 1, value.size()));
    return attribute(name, value);
  }

  Status media_line(std::string_view value) {
    if (sections_.size() >= max_media) return invalid("The offer has too many m-lines.");
    Section section;
    section.transport = session_;
    section.media.kind = word(value);
    const std::string_view port = word(value);
    section.media.protocol = word(value);
    section.media.formats = trimmed(value);
    const auto port_number = number(port, 65535);
    if (!is_token(section.media.kind) || !port_number || !is_token(section.media.protocol))
      return invalid("The offer has a damaged m-line.");
    section.port_is_0 = *port_number == 0;
    std::string_view rest = section.media.formats;
    size_t formats = 0;
    while (true) {
      const std::string_view one = word(rest);
      if (one.empty()) break;
      if (++formats > max_formats || !is_token(one))
        return invalid("The offer has a damaged m-line.");
      if (const auto type = number(one, 127)) section.order.push_back(*type);
    }
    if (formats == 0) return invalid("The offer has an m-line without formats.");
    sections_.push_back(std::move(section));
    return ok();
  }

  Transport& transport() { return sections_.empty() ? session_ : sections_.back().transport; }

  Status attribute(std::string_view name, std::string_view value) {
    if (name == "ice-ufrag") {
      if (!is_token(value) || value.size() < 4) return invalid("The offer has a wrong ice-ufrag.");
      transport().ice_user = value;
    } else if (name == "fingerprint") {
      const std::string_view hash = word(value);
      if (!same(hash, "sha-256")) return ok();
      transport().fingerprint = read_sha256(trimmed(value));
      if (!transport().fingerprint) return invalid("The offer has a damaged fingerprint.");
    } else if (name == "setup") {
      // actpass: we choose to be passive.
      transport().setup = value == "passive" ? Setup::passive : Setup::active;
    } else if (name == "sendonly" || name == "inactive") {
      transport().receives = false;
    } else if (name == "recvonly" || name == "sendrecv") {
      transport().receives = true;
    } else if (name == "group" && sections_.empty()) {
      if (word(value) == "BUNDLE" && bundle_.empty())
        while (true) {
          const std::string_view mid = word(value);
          if (mid.empty()) break;
          bundle_.push_back(mid);
        }
    } else if (!sections_.empty()) {
      return media_attribute(sections_.back(), name, value);
    }
    return ok();
  }

  static Status media_attribute(Section& section, std::string_view name, std::string_view value) {
    if (name == "mid") {
      if (!is_token(value)) return invalid("The offer has a wrong mid.");
      section.media.mid = value;
    } else if (name == "rtcp-mux") {
      section.rtcp_mux = true;
    } else if (name == "bundle-only") {
      section.bundle_only = true;
    } else if (name == "rtcp-rsize") {
      section.media.reduced_size_rtcp = true;
    } else if (name == "rtpmap" || name == "fmtp" || name == "rtcp-fb") {
      const std::string_view type = word(value);
      if (name == "rtcp-fb" && type == "*") {
        feedback(section.for_all, value);
        return ok();
      }
      const auto payload_type = number(type, 127);
      if (!payload_type) return ok();
      // Only those of the m-line, therefore there are not more than that has.
      if (std::find(section.order.begin(), section.order.end(), *payload_type) ==
          section.order.end())
        return ok();
      Format& format = section.formats[*payload_type];
      if (name == "rtpmap") {
        std::string_view map = word(value);
        const size_t slash = std::min(map.find('/'), map.size());
        format.codec = map.substr(0, slash);
        map.remove_prefix(std::min(slash + 1, map.size()));
        format.clock = number(map.substr(0, map.find('/')), 1'000'000'000).value_or(0);
      } else if (name == "fmtp") {
        format.parameters = trimmed(value);
      } else {
        feedback(format, value);
      }
    }
    return ok();
  }

  static void feedback(Format& format, std::string_view value) {
    const std::string_view kind = word(value), detail = word(value);
    if (kind == "nack" && detail.empty()) format.nack = true;
    if (kind == "nack" && detail == "pli") format.pli = true;
    if (kind == "ccm" && detail == "fir") format.fir = true;
  }

  static std::optional<OfferedFormat> choose(const Section& section) {
    std::optional<OfferedFormat> best;
    Fit best_fit = Fit::none;
    for (const int type : section.order) {
      const auto found = section.formats.find(type);
      if (found == section.formats.end()) continue;
      const Format& format = found->second;
      Fit fit = Fit::none;
      std::string_view profile;
      if (section.media.kind == "video" && same(format.codec, "H264") && format.clock == 90000) {
        const std::string_view mode = parameter(format.parameters, "packetization-mode");
        if (!mode.empty() && mode != "1") continue;
        profile = parameter(format.parameters, "profile-level-id");
        // RFC 6184: without it, baseline.
        fit = profile.empty() ? Fit::baseline : fit_of(profile);
        // Without a mode, a strict receiver could not read our packets. None is known that says
        // nothing and is strict; viewers made with GStreamer often say nothing.
        if (mode.empty() && fit != Fit::none) fit = Fit::unstated_mode;
      } else if (section.media.kind == "audio" && same(format.codec, "opus") &&
                 format.clock == 48000) {
        fit = Fit::constrained_baseline;
      }
      if (fit >= best_fit) continue;
      best_fit = fit;
      const Format& all = section.for_all;
      best = OfferedFormat{type,
                           std::string(profile),
                           fit != Fit::unstated_mode,
                           format.nack || all.nack,
                           format.pli || all.pli,
                           format.fir || all.fir};
    }
    return best;
  }

  Result<Offer> finish() {
    Offer offer;
    bool has_video = false;
    // RFC 8843: what belongs to the transport need only stand in the first m-line of the bundle.
    const Section* tag = nullptr;
    for (const Section& section : sections_)
      if (!bundle_.empty() && section.media.mid == bundle_.front()) tag = &section;
    const Transport tag_transport = tag ? tag->transport : Transport();
    const bool tag_mux = tag && tag->rtcp_mux;
    for (Section& section : sections_) {
      OfferedMedia& media = section.media;
      const bool is_rtp =
          media.protocol == "UDP/TLS/RTP/SAVPF" || media.protocol == "UDP/TLS/RTP/SAVP";
      const bool is_video = media.kind == "video", is_audio = media.kind == "audio";
      media.in_bundle = sections_.size() == 1 || (bundle_.empty() && is_video) ||
                        (!media.mid.empty() &&
                         std::find(bundle_.begin(), bundle_.end(), media.mid) != bundle_.end());
      std::optional<size_t>* const place = is_video   ? &offer.video
                                           : is_audio ? &offer.audio
                                                      : nullptr;
      if (is_video && is_rtp) has_video = true;
      const bool refused = section.port_is_0 && !section.bundle_only;
      if (place && !*place && is_rtp && !refused && section.transport.receives && media.in_bundle &&
          (section.rtcp_mux || tag_mux)) {
        media.format = choose(section);
        if (media.format) *place = offer.media.size();
      }
      offer.media.push_back(std::move(media));
    }
    if (!has_video) return unsupported("The offer asks for no video.");
    if (!offer.video)
      return unsupported(
          "The offer has no H.264 with packetization-mode=1 that this stream can be sent as.");
    // Sound goes over the transport of the pictures.
    const Transport& own = sections_[*offer.video].transport;
    const Transport& transport = own.ice_user.empty() ? tag_transport : own;
    if (transport.ice_user.empty()) return invalid("The offer has no ice-ufrag.");
    if (!transport.fingerprint) return invalid("The offer has no SHA-256 fingerprint.");
    if (transport.setup == Setup::passive)
      return invalid("The offer must be willing to begin the DTLS handshake.");
    offer.has_bundle = !bundle_.empty();
    offer.ice_users.emplace_back(transport.ice_user);
    for (const Section& section : sections_)
      if (const std::string_view user = section.transport.ice_user;
          !user.empty() && std::ranges::find(offer.ice_users, user) == offer.ice_users.end())
        offer.ice_users.emplace_back(user);
    offer.fingerprint = *transport.fingerprint;
    return offer;
  }

  Transport session_;
  std::vector<std::string_view> bundle_;
  std::vector<Section> sections_;
};

class Writer {
 public:
  void line(std::initializer_list<std::string_view> parts) {
    for (const std::string_view part : parts) text_ += part;
    text_ += "\r\n";
  }
  std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

void write_transport(Writer& out, const Answer& answer) {
  out.line({"a=ice-ufrag:", answer.ice_user});
  out.line({"a=ice-pwd:", answer.ice_password});
  out.line({"a=fingerprint:sha-256 ", fingerprint_text(answer.fingerprint)});
  out.line({"a=setup:passive"});
  out.line({"a=rtcp-mux"});
}

void write_refused(Writer& out, const OfferedMedia& media, const Answer& answer) {
  out.line({"m=", media.kind, " 0 ", media.protocol, " ", media.formats});
  out.line({"c=IN IP4 0.0.0.0"});
  if (!media.mid.empty()) out.line({"a=mid:", media.mid});
  out.line({"a=inactive"});
  // Not needed here, but some players, as those of GStreamer, look for it in each m-line.
  write_transport(out, answer);
}

void write_media(Writer& out, const OfferedMedia& media, const Answer& answer,
                 const AnswerStream* stream) {
  const OfferedFormat& format = *media.format;
  const std::string type = std::to_string(format.payload_type);
  const bool video = media.kind == "video";
  out.line({"m=", media.kind, " 9 ", media.protocol, " ", type});
  out.line({"c=IN IP4 0.0.0.0"});
  out.line({"a=rtcp:9 IN IP4 0.0.0.0"});
  if (!media.mid.empty()) out.line({"a=mid:", media.mid});
  out.line({stream ? "a=sendonly" : "a=inactive"});
  write_transport(out, answer);
  if (media.reduced_size_rtcp) out.line({"a=rtcp-rsize"});
  if (video) {
    out.line({"a=rtpmap:", type, " H264/90000"});
    out.line({"a=fmtp:", type, " level-asymmetry-allowed=1",
              format.states_mode ? ";packetization-mode=1" : "",
              format.profile.empty() ? "" : ";profile-level-id=", format.profile});
  } else {
    out.line({"a=rtpmap:", type, " opus/48000/2"});
    out.line({"a=fmtp:", type, " minptime=10;useinbandfec=1;stereo=1;sprop-stereo=1"});
  }
  if (format.nack) out.line({"a=rtcp-fb:", type, " nack"});
  if (format.pli) out.line({"a=rtcp-fb:", type, " nack pli"});
  if (format.fir) out.line({"a=rtcp-fb:", type, " ccm fir"});
  if (stream) {
    const std::string ssrc = std::to_string(stream->ssrc);
    out.line({"a=msid:sphere ", media.kind});
    out.line({"a=ssrc:", ssrc, " cname:", answer.cname});
    out.line({"a=ssrc:", ssrc, " msid:sphere ", media.kind});
  }
  uint32_t preference = 65535;
  for (const AnswerAddress& address : answer.addresses) {
    // RFC 8445, 5.1.2: host candidates of component 1.
    const uint32_t priority = (126u << 24) + (preference-- << 8) + 255;
    out.line({"a=candidate:", std::to_string(65536 - preference), " 1 udp ",
              std::to_string(priority), " ", address.ip, " ", std::to_string(address.port),
              " typ host"});
  }
  out.line({"a=end-of-candidates"});
}

}  // namespace

Result<Offer> parse_offer(std::string_view sdp) { return Reader().read(sdp); }

std::string write_answer(const Offer& offer, const Answer& answer) {
  Writer out;
  out.line({"v=0"});
  out.line({"o=- ", std::to_string(answer.session), " 1 IN IP4 0.0.0.0"});
  out.line({"s=-"});
  out.line({"t=0 0"});
  out.line({"a=ice-lite"});
  const auto is_answered = [&](size_t i) {
    return (offer.video && *offer.video == i) || (offer.audio && *offer.audio == i);
  };
  std::string bundle;
  for (size_t i = 0; i < offer.media.size(); ++i)
    if (is_answered(i) && !offer.media[i].mid.empty()) bundle += " " + offer.media[i].mid;
  if (offer.has_bundle && !bundle.empty()) out.line({"a=group:BUNDLE", bundle});
  out.line({"a=msid-semantic: WMS sphere"});
  for (size_t i = 0; i < offer.media.size(); ++i) {
    if (!is_answered(i))
      write_refused(out, offer.media[i], answer);
    else if (offer.video && *offer.video == i)
      write_media(out, offer.media[i], answer, &answer.video);
    else
      write_media(out, offer.media[i], answer, answer.audio ? &*answer.audio : nullptr);
  }
  return out.take();
}

std::string fingerprint_text(std::span<const uint8_t> hash) {
  static constexpr std::string_view digits = "0123456789ABCDEF";
  std::string text;
  for (const uint8_t byte : hash) {
    if (!text.empty()) text += ':';
    text += digits[byte >> 4];
    text += digits[byte & 15];
  }
  return text;
}

std::string ice_user_in(std::string_view fragment) {
  constexpr std::string_view name = "a=ice-ufrag:";
  size_t at = 0;
  while (at < fragment.size()) {
    const size_t end = std::min(fragment.find('\n', at), fragment.size());
    const std::string_view line = trimmed(fragment.substr(at, end - at));
    if (line.starts_with(name) && is_token(line.substr(name.size())))
      return std::string(line.substr(name.size()));
    at = end + 1;
  }
  return {};
}

}  // namespace sphere::live
