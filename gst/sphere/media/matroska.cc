// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/media/matroska.h"

#include <algorithm>
#include <map>

#include "gst/sphere/media/ebml.h"
#include "gst/sphere/media/sample_tables.h"
#include "gst/sphere/media/spherical.h"

namespace sphere::media {

namespace {

constexpr uint64_t track_is_video = 1, track_is_audio = 2;
constexpr uint64_t projection_equirectangular = 1, projection_cube = 2;

constexpr size_t most_tracks = 127;
class Checker {
 public:
  explicit Checker(const Source& source) : source_(source), reader_(source) {}

  Result<MatroskaFile> run() {
    Element header, segment;
    if (const Status read = reader_.element(0, source_.size(), &header); !read) return read.error();
    if (header.id != ebml_id::header || header.unknown_size) return invalid("not a Matroska file");
    const Status named = reader_.children(header, [this](const Element& element) -> Status {
      if (element.id == ebml_id::doc_type) file_.webm = reader_.text(element) == "webm";
      return ok();
    });
    if (!named) return named.error();
    if (header.end >= source_.size()) return cut_off();
    if (const Status read = reader_.element(header.end, source_.size(), &segment); !read)
      return read.error();
    if (segment.id != ebml_id::segment) return damaged("it has no segment");
    const Status walked = reader_.children(segment, [this](const Element& element) -> Status {
      if (element.id == ebml_id::tracks)
        return reader_.children(element, [this](const Element& entry) -> Status {
          return entry.id == ebml_id::track ? read_track(entry) : ok();
        });
      if (element.id == ebml_id::cluster) return read_cluster(element);
      if (element.id == ebml_id::tags) return read_tags(element);
      return ok();
    });
    if (!walked) return walked.error();
    for (MatroskaTrack& track : file_.tracks) track.blocks = blocks_[track.number];
    file_.trailing = source_.size() - segment.end;
    return std::move(file_);
  }

 private:
  Status read_cluster(const Element& cluster) {
    return reader_.children(cluster,
                            [this](const Element& element) { return read_block(element); });
  }

  Status read_block(const Element& element) {
    if (element.id == ebml_id::block_group)
      return reader_.children(element, [this](const Element& child) -> Status {
        return child.id == ebml_id::block ? count_block(child) : ok();
      });
    return element.id == ebml_id::simple_block ? count_block(element) : ok();
  }

  Status count_block(const Element& block) {
    uint64_t track = 0;
    if (const Status read = reader_.block_track(block, &track); !read) return read;
    if (blocks_.size() < most_tracks || blocks_.contains(track)) ++blocks_[track];
    return ok();
  }

  Status read_track(const Element& entry) {
    if (file_.tracks.size() >= most_tracks) return damaged("it has too many tracks");
    MatroskaTrack track;
    const Status read = reader_.children(entry, [&](const Element& element) -> Status {
      if (element.id == ebml_id::track_number) track.number = reader_.number(element);
      if (element.id == ebml_id::track_type) {
        track.video = reader_.number(element) == track_is_video;
        track.audio = reader_.number(element) == track_is_audio;
      }
      if (element.id == ebml_id::codec) track.codec = reader_.text(element);
      if (element.id != ebml_id::video) return ok();
      return reader_.children(element, [&](const Element& child) -> Status {
        constexpr uint64_t most = INT32_MAX;
        if (child.id == ebml_id::width)
          track.width = static_cast<int>(std::min(reader_.number(child), most));
        if (child.id == ebml_id::height)
          track.height = static_cast<int>(std::min(reader_.number(child), most));
        if (child.id == ebml_id::stereo_mode) track.stereo = reader_.number(child) != 0;
        if (child.id != ebml_id::projection) return ok();
        return reader_.children(child, [&](const Element& projection) -> Status {
          if (projection.id == ebml_id::projection_type) {
            const uint64_t type = reader_.number(projection);
            track.spherical = type == projection_equirectangular || type == projection_cube;
            track.cubemap = type == projection_cube;
          }
          return ok();
        });
      });
    });
    if (!read) return read;
    file_.tracks.push_back(std::move(track));
    return ok();
  }

  /// Some programs write the mark of an MP4 track as a tag.
  Status read_tags(const Element& tags) {
    return reader_.children(tags, [this](const Element& tag) -> Status {
      if (tag.id != ebml_id::tag) return ok();
      return reader_.children(tag, [this](const Element& simple) -> Status {
        if (simple.id != ebml_id::simple_tag) return ok();
        std::string name, text;
        const Status read = reader_.children(simple, [&](const Element& part) -> Status {
          if (part.id == ebml_id::tag_name) name = reader_.text(part);
          if (part.id == ebml_id::tag_string) text = reader_.text(part);
          return ok();
        });
        if (read && name == "SPHERICAL-VIDEO" && video_xml_is_spherical(text))
          for (MatroskaTrack& track : file_.tracks) track.spherical |= track.video;
        return read;
      });
    });
  }

  const Source& source_;
  EbmlReader reader_;
  MatroskaFile file_;
  std::map<uint64_t, uint64_t> blocks_;
};

}  // namespace

Result<MatroskaFile> check_matroska(const Source& source) { return Checker(source).run(); }

}  // namespace sphere::media
