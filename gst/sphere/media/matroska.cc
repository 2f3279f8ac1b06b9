// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/media/matroska.h"

#include <algorithm>
#include <bit>
#include <functional>
#include <map>

#include "gst/sphere/media/spherical.h"

namespace sphere::media {

namespace {

enum Id : uint32_t {
  id_ebml = 0x1A45DFA3,
  id_doc_type = 0x4282,
  id_segment = 0x18538067,
  id_seek_head = 0x114D9B74,
  id_info = 0x1549A966,
  id_tracks = 0x1654AE6B,
  id_track = 0xAE,
  id_track_number = 0xD7,
  id_track_type = 0x83,
  id_codec = 0x86,
  id_video = 0xE0,
  id_width = 0xB0,
  id_height = 0xBA,
  id_projection = 0x7670,
  id_projection_type = 0x7671,
  id_cluster = 0x1F43B675,
  id_simple_block = 0xA3,
  id_block_group = 0xA0,
  id_block = 0xA1,
  id_cues = 0x1C53BB6B,
  id_chapters = 0x1043A770,
  id_attachments = 0x1941A469,
  id_tags = 0x1254C367,
  id_tag = 0x7373,
  id_simple_tag = 0x67C8,
  id_tag_name = 0x45A3,
  id_tag_string = 0x4487,
};

constexpr uint64_t track_is_video = 1, track_is_audio = 2;
constexpr uint64_t projection_equirectangular = 1, projection_cube = 2;

// A year of pictures at 30 a second and its sound is more; no file is that long.
constexpr uint64_t most_elements = uint64_t{1} << 31;
constexpr size_t most_tracks = 127;
constexpr uint64_t longest_text = 1 << 16;
// Elements are passed over, and only their heads are read.
constexpr size_t window_size = 64;

Error cut_off() { return invalid("the file ends too early; it was cut off"); }
Error damaged(const std::string& what) { return invalid("the file is damaged: " + what); }

struct Element {
  uint32_t id = 0;
  uint64_t content = 0, end = 0;
  bool unknown_size = false;
  uint64_t size() const { return end - content; }
};

/// Elements that stand in the segment itself, and end a cluster whose size is unknown.
bool is_top_level(uint32_t id) {
  switch (id) {
    case id_seek_head:
    case id_info:
    case id_tracks:
    case id_cluster:
    case id_cues:
    case id_chapters:
    case id_attachments:
    case id_tags:
      return true;
    default:
      return false;
  }
}

class Checker {
 public:
  explicit Checker(const Source& source) : source_(source), window_(source, 0, window_size) {}

  Result<MatroskaFile> run() {
    Element header, segment;
    if (const Status read = read_element(0, source_.size(), &header); !read) return read.error();
    if (header.id != id_ebml || header.unknown_size) return invalid("not a Matroska file");
    const Status named = children(header, [this](const Element& element) -> Status {
      if (element.id == id_doc_type) file_.webm = text_of(element) == "webm";
      return ok();
    });
    if (!named) return named.error();
    if (header.end >= source_.size()) return cut_off();
    if (const Status read = read_element(header.end, source_.size(), &segment); !read)
      return read.error();
    if (segment.id != id_segment) return damaged("it has no segment");
    const Status walked = children(segment, [this](const Element& element) -> Status {
      if (element.id == id_tracks)
        return children(element, [this](const Element& entry) -> Status {
          return entry.id == id_track ? read_track(entry) : ok();
        });
      if (element.id == id_cluster) return read_cluster(element);
      if (element.id == id_tags) return read_tags(element);
      return ok();
    });
    if (!walked) return walked.error();
    for (MatroskaTrack& track : file_.tracks) track.blocks = blocks_[track.number];
    file_.trailing = source_.size() - segment.end;
    return std::move(file_);
  }

 private:
  using Visit = std::function<Status(const Element&)>;

  /// A number of one to eight bytes, whose first one says how many.
  Status read_number(bool keep_marker, uint64_t* value, bool* unknown = nullptr) {
    const int first = window_.next();
    if (first < 0) return cut_off();
    const int more = std::countl_zero(static_cast<uint8_t>(first));
    if (more > 7) return damaged("an element where none can be");
    const uint64_t mask = (uint64_t{0x80} >> more) - 1;
    *value = keep_marker ? static_cast<uint64_t>(first) : static_cast<uint64_t>(first) & mask;
    bool ones = (static_cast<uint64_t>(first) & mask) == mask;
    for (int i = 0; i < more; ++i) {
      const int byte = window_.next();
      if (byte < 0) return cut_off();
      *value = *value << 8 | static_cast<uint64_t>(byte);
      ones = ones && byte == 0xff;
    }
    if (unknown) *unknown = ones;
    return ok();
  }

  /// The element that begins there. It must end at `end` at the latest.
  Status read_element(uint64_t position, uint64_t end, Element* element) {
    if (++elements_ > most_elements) return damaged("it has too many elements");
    window_.seek(position);
    uint64_t id = 0, size = 0;
    if (const Status read = read_number(true, &id); !read) return read;
    if (const Status read = read_number(false, &size, &element->unknown_size); !read) return read;
    element->id = static_cast<uint32_t>(std::min<uint64_t>(id, UINT32_MAX));
    element->content = window_.position();
    if (element->unknown_size) {
      element->end = end;
      return ok();
    }
    if (element->content > end || size > end - element->content)
      return end == source_.size() ? cut_off()
                                   : damaged("an element is longer than the one it is in");
    element->end = element->content + size;
    return ok();
  }

  Status children(const Element& parent, const Visit& visit) {
    for (uint64_t position = parent.content; position < parent.end;) {
      Element element;
      if (const Status read = read_element(position, parent.end, &element); !read) return read;
      if (element.unknown_size) {
        if (element.id != id_cluster) return damaged("an element without a size");
        if (const Status read = read_open_cluster(&element); !read) return read;
      } else if (const Status visited = visit(element); !visited) {
        return visited;
      }
      position = element.end;
    }
    return ok();
  }

  Status read_cluster(const Element& cluster) {
    return children(cluster, [this](const Element& element) { return read_block(element); });
  }

  /// A cluster whose size is unknown ends where the next element of the segment begins.
  Status read_open_cluster(Element* cluster) {
    uint64_t position = cluster->content;
    while (position < cluster->end) {
      Element element;
      if (const Status read = read_element(position, cluster->end, &element); !read) return read;
      if (is_top_level(element.id)) break;
      if (element.unknown_size) return damaged("an element without a size");
      if (const Status read = read_block(element); !read) return read;
      position = element.end;
    }
    cluster->end = position;
    return ok();
  }

  Status read_block(const Element& element) {
    if (element.id == id_block_group)
      return children(element, [this](const Element& child) -> Status {
        return child.id == id_block ? count_block(child) : ok();
      });
    return element.id == id_simple_block ? count_block(element) : ok();
  }

  Status count_block(const Element& block) {
    window_.seek(block.content);
    uint64_t track = 0;
    if (const Status read = read_number(false, &track); !read) return read;
    if (blocks_.size() < most_tracks || blocks_.contains(track)) ++blocks_[track];
    return ok();
  }

  Status read_track(const Element& entry) {
    if (file_.tracks.size() >= most_tracks) return damaged("it has too many tracks");
    MatroskaTrack track;
    const Status read = children(entry, [&](const Element& element) -> Status {
      if (element.id == id_track_number) track.number = number_of(element);
      if (element.id == id_track_type) {
        track.video = number_of(element) == track_is_video;
        track.audio = number_of(element) == track_is_audio;
      }
      if (element.id == id_codec) track.codec = text_of(element);
      if (element.id != id_video) return ok();
      return children(element, [&](const Element& child) -> Status {
        constexpr uint64_t most = INT32_MAX;
        if (child.id == id_width) track.width = static_cast<int>(std::min(number_of(child), most));
        if (child.id == id_height)
          track.height = static_cast<int>(std::min(number_of(child), most));
        if (child.id != id_projection) return ok();
        return children(child, [&](const Element& projection) -> Status {
          if (projection.id == id_projection_type) {
            const uint64_t type = number_of(projection);
            track.spherical = type == projection_equirectangular || type == projection_cube;
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
    return children(tags, [this](const Element& tag) -> Status {
      if (tag.id != id_tag) return ok();
      return children(tag, [this](const Element& simple) -> Status {
        if (simple.id != id_simple_tag) return ok();
        std::string name, text;
        const Status read = children(simple, [&](const Element& part) -> Status {
          if (part.id == id_tag_name) name = text_of(part);
          if (part.id == id_tag_string) text = text_of(part);
          return ok();
        });
        if (read && name == "SPHERICAL-VIDEO" && video_xml_is_spherical(text))
          for (MatroskaTrack& track : file_.tracks) track.spherical |= track.video;
        return read;
      });
    });
  }

  uint64_t number_of(const Element& element) {
    uint64_t value = 0;
    window_.seek(element.content);
    if (element.size() > 8 || !window_.number(static_cast<int>(element.size()), &value)) return 0;
    return value;
  }

  std::string text_of(const Element& element) {
    std::string text(static_cast<size_t>(std::min(element.size(), longest_text)), '\0');
    if (!source_.read_all(element.content, {reinterpret_cast<uint8_t*>(text.data()), text.size()}))
      return {};
    text.resize(std::min(text.size(), text.find('\0')));
    return text;
  }

  const Source& source_;
  Window window_;
  MatroskaFile file_;
  std::map<uint64_t, uint64_t> blocks_;
  uint64_t elements_ = 0;
};

}  // namespace

Result<MatroskaFile> check_matroska(const Source& source) { return Checker(source).run(); }

}  // namespace sphere::media
