// SPDX-License-Identifier: LGPL-2.1-or-later
// What may not stay becomes an element Void of the same length, so that the positions in the index
// stay right.

#include "gst/sphere/media/matroska_parts.h"

#include <glib.h>

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "gst/sphere/base/text.h"
#include "gst/sphere/media/ebml.h"
#include "gst/sphere/media/embedded.h"
#include "gst/sphere/media/exif.h"
#include "gst/sphere/media/findings.h"
#include "gst/sphere/media/matroska.h"
#include "gst/sphere/media/matroska_clusters.h"
#include "gst/sphere/media/matroska_elements.h"
#include "gst/sphere/media/matroska_mark.h"
#include "gst/sphere/media/position_text.h"
#include "gst/sphere/media/sample_tables.h"
#include "gst/sphere/media/xmp.h"

namespace sphere::media {

namespace {

// Levels of elements. The deepest that is known is 7.
constexpr int most_levels = 16;
constexpr uint64_t largest_private = 16 << 20;
constexpr uint64_t largest_video_xml = 1 << 16;
constexpr uint64_t type_video = 1, type_audio = 2;
/// What an entry of a track has once.
constexpr uint32_t single[] = {ebml_id::track_number, ebml_id::track_uid, ebml_id::track_type,
                               ebml_id::codec, ebml_id::codec_private};
// What stands instead of the name of the program that made a file.
constexpr std::string_view neutral_program = "gst-sphere";

/// A time of Matroska, which counts nanoseconds from the beginning of 2001.
std::string date_of(uint64_t time) {
  constexpr int64_t begin = 978307200, second_ns = 1'000'000'000;
  const std::unique_ptr<GDateTime, decltype(&g_date_time_unref)> date(
      g_date_time_new_from_unix_utc(begin + static_cast<int64_t>(time) / second_ns),
      g_date_time_unref);
  if (!date) return {};
  const std::unique_ptr<char, decltype(&g_free)> text(
      g_date_time_format(date.get(), "%Y-%m-%d %H:%M:%S"), g_free);
  return text ? text.get() : "";
}

class Examiner {
 public:
  Examiner(const Source& source, const Request& request)
      : source_(source), request_(request), reader_(source), findings_(request, &found_) {}

  Result<Examination> run() {
    if (const Result<MatroskaFile> whole = check_matroska(source_); !whole) return whole.error();
    if (const Status done = examine_parts(false); !done) return done.error();
    sort_edits(&found_.edits);
    return std::move(found_);
  }

  /// Of a file that ends before its first cluster.
  Result<MatroskaHead> run_head() {
    if (const Status done = examine_parts(true); !done) return done.error();
    sort_edits(&found_.edits);
    return MatroskaHead{std::move(found_), std::move(tracks_)};
  }

 private:
  Status examine_parts(bool head) {
    Element header, segment;
    if (const Status read = reader_.element(0, source_.size(), &header); !read) return read;
    if (header.id != ebml_id::header || header.unknown_size) return invalid("not a Matroska file");
    if (const Status read = reader_.element(header.end, source_.size(), &segment); !read)
      return read;
    if (segment.id != ebml_id::segment) return damaged("it has no segment");
    if (const Status read = read_tracks(segment); !read) return read;
    if (const Status done = examine_master(header, "EBML", 0); !done) return done;
    if (const Status done = examine_segment(segment); !done) return done;
    if (!head && segment.end < source_.size())
      examine_trailing(source_, segment.end, &findings_, &found_.edits);
    if (!head)
      if (const Status done = examine_clusters(segment); !done) return done;
    if (request_.mark || request_.position)
      if (const Status marked = mark_matroska(source_, segment, tracks_, request_, head, &found_);
          !marked)
        return marked;
    return findings_.status();
  }

  Status read_tracks(const Element& segment) {
    return reader_.children(segment, [this](const Element& list) -> Status {
      if (list.id != ebml_id::tracks) return ok();
      return reader_.children(list, [this](const Element& entry) -> Status {
        return entry.id == ebml_id::track ? read_track(entry) : ok();
      });
    });
  }

  Status read_track(const Element& entry) {
    BlockTrack track;
    uint64_t type = 0, uid = 0;
    std::string codec;
    std::vector<uint32_t> ids;
    const Status read = reader_.children(entry, [&](const Element& child) -> Status {
      ids.push_back(child.id);
      if (child.id == ebml_id::track_number) track.number = reader_.number(child);
      if (child.id == ebml_id::track_uid) uid = reader_.number(child);
      if (child.id == ebml_id::track_type) type = reader_.number(child);
      if (child.id == ebml_id::codec) codec = reader_.text(child);
      if (child.id == ebml_id::codec_private) track.codec_private = child;
      if (child.id == ebml_id::content_encodings) track.encoded = true;
      if (child.id == ebml_id::video)
        return reader_.children(child, [&](const Element& each) -> Status {
          if (each.id == ebml_id::alpha_mode) track.alpha = reader_.number(each) == 1;
          return ok();
        });
      return ok();
    });
    if (!read) return read;
    // Of two, a program may take the one that was not examined.
    const bool twice =
        std::ranges::any_of(single, [&](uint32_t id) { return std::ranges::count(ids, id) > 1; });
    if ((twice || track_of(track.number)) && !findings_.keeps_everything())
      return damaged("a track is described twice");
    track.video = type == type_video;
    track.codec = codec;
    track.data = matroska_codec_data(codec);
    if (codec == windows_codec) read_windows_codec(&track);
    track.alpha &= codec == "V_VP8" || codec == "V_VP9";
    const bool sound = type == type_audio;
    if (sound)
      track.dropped = !request_.policy.sound_tracks;
    else if (!track.video)
      track.dropped = !findings_.keeps_everything();
    track.what = track.video ? "video" : sound ? "sound" : "text or data";
    track.path = "Tracks/" + std::to_string(track.number) + " (" + codec + ")";
    // A tag about 0 is about all tracks.
    if (!track.dropped && uid != 0) numbers_[uid] = track.number;
    tracks_.push_back(std::move(track));
    if (findings_.keeps_everything() || tracks_.back().dropped) return ok();
    if (tracks_.back().data == CodecData::not_known)
      return unsupported("a track is coded as " + codec +
                         ", in which hidden data can't be searched for");
    if (tracks_.back().encoded && tracks_.back().data != CodecData::none)
      return unsupported("a track is compressed once more, so hidden data can't be searched for");
    return ok();
  }

  void read_windows_codec(BlockTrack* track) {
    constexpr uint64_t letters_at = 16;
    std::array<uint8_t, 4> letters{};
    if (track->codec_private.size() < windows_head ||
        !source_.read_all(track->codec_private.content + letters_at, letters))
      return;
    track->data = windows_codec_data(as_text(letters));
    track->private_head = windows_head;
  }

  const BlockTrack* track_of(uint64_t number) const {
    const auto track = std::ranges::find(tracks_, number, &BlockTrack::number);
    return track == tracks_.end() ? nullptr : &*track;
  }

  Status examine_segment(const Element& segment) {
    return reader_.children(segment, [&](const Element& child) -> Status {
      if (child.id == ebml_id::cluster) return ok();
      if (child.id == ebml_id::attachments) return examine_attachments(child);
      if (child.id == ebml_id::chapters) {
        remove_unless(findings_.add({child.begin, child.length(), "Chapters"},
                                    {PartClass::unknown, "chapters, with their titles"}),
                      child);
        return ok();
      }
      if (child.id == ebml_id::tags) return examine_tags(child);
      const MatroskaRule* rule = matroska_rule(child.id);
      return examine_element(child, rule ? rule->name : "", 1);
    });
  }

  /// Any element outside of the clusters.
  Status examine_element(const Element& element, const std::string& path, int level) {
    const MatroskaRule* rule = matroska_rule(element.id);
    const Where where{element.begin, element.length(), path};
    switch (element.id) {
      case ebml_id::void_:
        return examine_void(element, path);
      case ebml_id::content_encryption:
        return unsupported("a track is encrypted, so it can't be examined");
      case ebml_id::track_uid:
        return examine_uid(element, where);
      case ebml_id::codec_private:
        return ok();  // with the track
      default:
        break;
    }
    if (!rule) {
      remove_unless(findings_.add(where, {PartClass::unknown, "element of an unknown kind"}),
                    element);
      return ok();
    }
    if (rule->master) return examine_master(element, path, level);
    if (rule->part_class == PartClass::useful) {
      if (element.id == ebml_id::projection_private) return examine_projection(element, where);
      if (!is_plain(element)) {
        if (!findings_.add(where, {PartClass::unknown, "content of an unknown kind"}))
          return unsupported("'" + path + "' has a content of an unknown kind");
        return ok();
      }
      if (*rule->what) findings_.add(where, {PartClass::useful, rule->what});
      return ok();
    }
    if (std::string_view(rule->name).ends_with("App")) return examine_program(element, where);
    const std::string text = rule->part_class == PartClass::time ? date_of(reader_.number(element))
                                                                 : reader_.text(element);
    if (rule->part_class == PartClass::identity && !std::string_view(rule->name).ends_with("UUID"))
      findings_.identity(text);
    remove_unless(findings_.add(where, {rule->part_class, rule->what, text}), element);
    return ok();
  }

  bool is_plain(const Element& element) {
    std::vector<uint8_t> content(
        static_cast<size_t>(std::min<uint64_t>(element.size(), longest_plain + 1)));
    return source_.read_all(element.content, content) && is_plain_content(element.id, content);
  }

  /// The bounds of a sphere or a cube, or a mesh, which can be that of the lenses.
  Status examine_projection(const Element& element, const Where& where) {
    constexpr uint64_t largest_bounds = 20, mesh_head = 12;
    std::vector<uint8_t> head(static_cast<size_t>(std::min(element.size(), mesh_head)));
    if (!source_.read_all(element.content, head)) return damaged("it ends too early");
    const bool versioned = as_text(head).starts_with(std::string_view("\0\0\0\0", 4));
    if (head.empty() || (versioned && element.size() <= largest_bounds)) return ok();
    // A checksum, and how the mesh is packed.
    const std::string_view packing = as_text(head).substr(std::min<size_t>(8, head.size()));
    const bool mesh = versioned && (packing == "raw " || packing == "dfl8");
    remove_unless(
        findings_.add(where, mesh ? PartRule{PartClass::stitching, "mesh of the projection"}
                                  : PartRule{PartClass::unknown, "no projection"}),
        element);
    return ok();
  }

  /// Notes the first one; what only has its name goes.
  void read_checksum(const Element& element, std::optional<Element>* checksum) {
    constexpr uint64_t size = 4;
    if (!*checksum && element.size() == size)
      *checksum = element;
    else
      remove_unless(findings_.add({element.begin, element.length(), "CRC-32"},
                                  {PartClass::unknown, "no checksum"}),
                    element);
  }

  /// Its children. A checksum goes if one of them is changed.
  Status examine_master(const Element& master, const std::string& path, int level) {
    if (level > most_levels) return damaged("its elements are nested too deep");
    const size_t before = found_.edits.size();
    std::optional<Element> checksum;
    if (master.id == ebml_id::track && track_is_dropped(master)) return ok();
    const Status read = reader_.children(master, [&](const Element& child) -> Status {
      if (child.id == ebml_id::crc32) {
        read_checksum(child, &checksum);
        return ok();
      }
      const MatroskaRule* rule = matroska_rule(child.id);
      return examine_element(child, path + "/" + (rule ? rule->name : "unknown"), level + 1);
    });
    if (!read) return read;
    if (master.id == ebml_id::track)
      if (const Status done = examine_private(master); !done) return done;
    if (checksum && found_.edits.size() > before) add_void(checksum->begin, checksum->length());
    return ok();
  }

  /// Removes the entry of a track that may not stay.
  bool track_is_dropped(const Element& entry) {
    uint64_t number = 0;
    const Status read = reader_.children(entry, [&](const Element& child) -> Status {
      if (child.id == ebml_id::track_number) number = reader_.number(child);
      return ok();
    });
    const BlockTrack* track = track_of(number);
    if (!read || !track || track->video) return false;
    if (track->dropped || track->what != "sound") {
      const PartClass part_class = track->what == "sound" ? PartClass::useful : PartClass::unknown;
      Where where{entry.begin, entry.length(), track->path};
      where.removed = track->dropped;
      findings_.add(where, {part_class, "track with " + track->what});
    }
    if (track->dropped) add_void(entry.begin, entry.length());
    return track->dropped;
  }

  Status examine_void(const Element& element, const std::string& path) {
    if (only_zeros(source_, element.content, element.end)) return ok();
    if (!findings_.add({element.begin, element.length(), path},
                       {PartClass::unknown, "unused bytes that are not zero"}))
      found_.edits.push_back({element.content, element.size(), {}, true});
    return ok();
  }

  /// A name of a program must be there, so it is replaced.
  Status examine_program(const Element& element, const Where& where) {
    const std::string text = reader_.text(element);
    const std::string neutral(neutral_program.substr(
        0, static_cast<size_t>(std::min<uint64_t>(element.size(), neutral_program.size()))));
    if (text == neutral && only_zeros(source_, element.content + neutral.size(), element.end))
      return ok();
    if (findings_.add(where, {PartClass::identity, "program that made the file", text}))
      return ok();
    overwrite(element, {neutral.begin(), neutral.end()});
    return ok();
  }

  /// The unique id of a track must be there: it becomes the number of the track.
  Status examine_uid(const Element& element, const Where& where) {
    const uint64_t uid = reader_.number(element), number = numbers_[uid];
    if (element.size() > 8 && !findings_.keeps_everything())
      return damaged("the unique id of a track is too long");
    if (uid == number || element.size() > 8) return ok();
    if (findings_.add(where, {PartClass::identity, "unique id of the track", std::to_string(uid)}))
      return ok();
    replace(element, ebml_number(number, static_cast<int>(element.size())));
    return ok();
  }

  /// What a decoder needs: it can have messages or comments in it.
  Status examine_private(const Element& entry) {
    uint64_t number = 0;
    const Status read = reader_.children(entry, [&](const Element& child) -> Status {
      if (child.id == ebml_id::track_number) number = reader_.number(child);
      return ok();
    });
    const auto track = std::ranges::find(tracks_, number, &BlockTrack::number);
    if (!read || track == tracks_.end() || !track->codec_private.length()) return ok();
    const Element& element = track->codec_private;
    if (element.size() > largest_private) return damaged("a track's private data is too large");
    std::vector<uint8_t> bytes(static_cast<size_t>(element.size()));
    if (!source_.read_all(element.content, bytes)) return damaged("it ends too early");
    return examine_codec_private(source_, element.content, bytes, &*track, &findings_,
                                 &found_.edits);
  }

  Status examine_attachments(const Element& list) {
    const bool stays = findings_.keeps_everything();
    const Status read = reader_.children(list, [&](const Element& file) -> Status {
      if (file.id != ebml_id::attached_file) return ok();
      std::string name;
      const Status named = reader_.children(file, [&](const Element& child) -> Status {
        if (child.id == ebml_id::file_name) name = reader_.text(child);
        return ok();
      });
      findings_.add({file.begin, file.length(), "Attachments"},
                    {PartClass::unknown, "attached file", name});
      return named;
    });
    if (read && !stays) add_void(list.begin, list.length());
    return read;
  }

  Status examine_tags(const Element& tags) {
    const size_t before = found_.edits.size();
    size_t kept = 0;
    std::optional<Element> checksum;
    const Status read = reader_.children(tags, [&](const Element& child) -> Status {
      if (child.id == ebml_id::tag) return examine_tag(child, &kept);
      if (child.id == ebml_id::crc32) {
        read_checksum(child, &checksum);
        return ok();
      }
      return examine_element(child, "Tags", 2);
    });
    if (!read) return read;
    if (kept == 0 && found_.edits.size() > before) {
      found_.edits.resize(before);
      add_void(tags.begin, tags.length());
    } else if (checksum && found_.edits.size() > before) {
      add_void(checksum->begin, checksum->length());
    }
    return ok();
  }

  Status examine_tag(const Element& tag, size_t* kept_tags) {
    const size_t before = found_.edits.size();
    size_t kept = 0;
    std::optional<Element> checksum;
    const Status read = reader_.children(tag, [&](const Element& child) -> Status {
      if (child.id == ebml_id::simple_tag) {
        bool stays = false;
        if (const Status done = examine_simple_tag(child, &stays); !done) return done;
        kept += stays;
        return ok();
      }
      if (child.id == ebml_id::crc32) {
        read_checksum(child, &checksum);
        return ok();
      }
      if (child.id == ebml_id::targets) return examine_targets(child);
      return examine_element(child, "Tags/Tag", 3);
    });
    if (!read) return read;
    if (kept == 0 && found_.edits.size() > before) {
      found_.edits.resize(before);
      add_void(tag.begin, tag.length());
      return ok();
    }
    if (checksum && found_.edits.size() > before) add_void(checksum->begin, checksum->length());
    *kept_tags += kept;
    return ok();
  }

  /// The track that a tag is about is named by its unique id.
  Status examine_targets(const Element& targets) {
    return reader_.children(targets, [&](const Element& child) -> Status {
      if (child.id != ebml_id::tag_track_uid) return examine_element(child, "Tags/Targets", 4);
      if (child.size() > 8) {
        remove_unless(findings_.keeps_everything(), child);
        return ok();
      }
      const uint64_t uid = reader_.number(child);
      const auto known = numbers_.find(uid);
      const uint64_t number = known == numbers_.end() ? 0 : known->second;
      if (uid != number && !request_.policy.identity)
        replace(child, ebml_number(number, static_cast<int>(child.size())));
      return ok();
    });
  }

  Status examine_simple_tag(const Element& tag, bool* stays) {
    std::string name, text;
    Element value;
    bool nested = false, plain = true;
    size_t names = 0, values = 0;
    const Status read = reader_.children(tag, [&](const Element& child) -> Status {
      const bool whole = child.id == ebml_id::tag_name || child.id == ebml_id::tag_string;
      if (child.id == ebml_id::tag_name) {
        name = reader_.text(child);
        plain &= ++names == 1 && child.size() == name.size();
      }
      if (child.id == ebml_id::tag_string) {
        text = reader_.text(child);
        value = child;
        plain &= ++values == 1;
      }
      nested |= child.id == ebml_id::simple_tag;
      plain &= whole || is_small_part(child);
      return ok();
    });
    if (!read) return read;
    plain &= !nested;
    if (name == "SPHERICAL-VIDEO" && !nested) {
      if (plain) return examine_video_mark(tag, value, stays);
      *stays = findings_.add({tag.begin, tag.length(), "Tags/" + name},
                             {PartClass::unknown, "tag that has more than a text"});
      remove_unless(*stays, tag);
      return ok();
    }
    Where where{tag.begin, tag.length(), "Tags/" + name};
    PartClass part_class = nested ? PartClass::unknown : matroska_tag_class(name);
    // Some programs write zeros behind the text.
    plain &=
        only_zeros(source_, value.content + text.size(), value.end) && is_plain_tag(name, text);
    if (part_class == PartClass::useful && !plain) part_class = PartClass::unknown;
    // Whatever the tag is called.
    if (part_class != PartClass::useful)
      for (const Position& position : positions_in(text)) findings_.position(position);
    if (part_class == PartClass::identity && name != "ENCODER") findings_.identity(text);
    where.removed = part_class == PartClass::place && request_.position;
    *stays = findings_.add(where, {part_class, "tag", text});
    remove_unless(*stays, tag);
    return ok();
  }

  /// The language of a tag's text, and whether it is the default.
  bool is_small_part(const Element& element) {
    constexpr uint32_t language = 0x447A, is_default = 0x4484, old_default = 0x44B4;
    const bool flag = element.id == is_default || element.id == old_default;
    return (flag && element.size() <= 8) || (element.id == language && element.size() <= 3 + 1);
  }

  /// Some programs write the first form of Google's marking as a tag.
  Status examine_video_mark(const Element& tag, const Element& value, bool* stays) {
    const Where where{tag.begin, tag.length(), "Tags/SPHERICAL-VIDEO"};
    *stays = false;
    std::vector<uint8_t> xml(static_cast<size_t>(std::min(value.size(), largest_video_xml)));
    if (value.size() <= largest_video_xml && source_.read_all(value.content, xml)) {
      const Result<NewPacket> examined = examine_video_xml(xml, where, &findings_);
      const Result<NewPacket> made =
          examined ? keep_length(*examined, xml.size(), ' ') : examined.error();
      if (made && (!*made || !(*made)->empty())) {
        *stays = true;
        if (*made) found_.edits.push_back({value.content, value.size(), **made});
        return ok();
      }
    }
    findings_.remark("a 360 marking that can't be read is removed (" + where.path + ")");
    remove_unless(findings_.keeps_everything(), tag);
    return ok();
  }

  Status examine_clusters(const Element& segment) {
    const auto shared = std::make_shared<const std::vector<BlockTrack>>(tracks_);
    SampleReport report;
    ClusterEdits first(source_, segment, shared, Keeps::of(request_), &report);
    bool any = false;
    for (;;) {
      const Result<std::optional<Edit>> next = first.next();
      if (!next) return next.error();
      if (!*next) break;
      any = true;
    }
    for (const BlockTrack& track : tracks_) report.remark(track.path, &findings_);
    report.finish(&findings_);
    if (any)
      found_.sample_edits = [this_source = &source_, segment, shared, keeps = Keeps::of(request_)] {
        return std::make_unique<ClusterEdits>(*this_source, segment, shared, keeps, nullptr);
      };
    return ok();
  }

  void remove_unless(bool stays, const Element& element) {
    if (!stays) add_void(element.begin, element.length());
  }
  void add_void(uint64_t begin, uint64_t length) { append_void(begin, length, &found_.edits); }
  void replace(const Element& element, std::vector<uint8_t> content) {
    found_.edits.push_back({element.content, element.size(), std::move(content)});
  }
  /// With zeros after it.
  void overwrite(const Element& element, std::vector<uint8_t> content) {
    content.resize(static_cast<size_t>(std::min<uint64_t>(element.size(), content.size())));
    const uint64_t rest = element.size() - content.size(), at = element.content + content.size();
    if (!content.empty())
      found_.edits.push_back({element.content, content.size(), std::move(content)});
    if (rest) found_.edits.push_back({at, rest, {}, true});
  }

  const Source& source_;
  const Request& request_;
  EbmlReader reader_;
  Examination found_;
  Findings findings_;
  std::vector<BlockTrack> tracks_;
  std::map<uint64_t, uint64_t> numbers_;  ///< of tracks, by their unique ids
};

}  // namespace

Result<MatroskaHead> examine_matroska_head(const Source& source, const Request& request) {
  return Examiner(source, request).run_head();
}

Result<Examination> examine_matroska(const Source& source, const Request& request) {
  return Examiner(source, request).run();
}

}  // namespace sphere::media
