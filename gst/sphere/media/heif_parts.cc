// SPDX-License-Identifier: LGPL-2.1-or-later
// What HEIC and AVIF pictures tell. All edits keep their lengths, because tables say where each
// item is, and the pictures stay where they are: what goes is replaced by an empty packet or by
// zeros.

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gst/sphere/base/bytes.h"
#include "gst/sphere/base/text.h"
#include "gst/sphere/media/codec_config.h"
#include "gst/sphere/media/colour_profile.h"
#include "gst/sphere/media/embedded.h"
#include "gst/sphere/media/exif.h"
#include "gst/sphere/media/findings.h"
#include "gst/sphere/media/heif_items.h"
#include "gst/sphere/media/isobmff_rules.h"
#include "gst/sphere/media/isobmff_samples.h"
#include "gst/sphere/media/part.h"
#include "gst/sphere/media/picture_examiner.h"
#include "gst/sphere/media/profile_texts.h"
#include "gst/sphere/media/sample_tables.h"
#include "gst/sphere/media/xmp.h"

namespace sphere::media {

namespace {

using Bytes = std::vector<uint8_t>;

constexpr size_t largest_exif = 4 << 20;
constexpr uint64_t largest_config = 1 << 16;
// How a picture is put together from others, and how two of them make one with more brightness.
constexpr uint64_t largest_recipe = 4096;
constexpr uint64_t grid_size = 8, wide_grid_size = 12;
constexpr std::string_view xmp_type = "application/rdf+xml";
// An Exif without a tag: where it begins, the head of TIFF, a list of no tags.
constexpr uint8_t empty_exif[] = {'I', 'I', '*', 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0};
constexpr std::string_view empty_xmp =
    "<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF "
    "xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'/></x:xmpmeta>";

/// The property of an item, and how many bytes of it say something.
struct PropertyRule {
  std::string_view type;
  uint64_t length;
};
constexpr PropertyRule plain_properties[] = {
    {"ispe", 12}, {"irot", 1},  {"imir", 1}, {"pasp", 8},  {"clap", 32}, {"rloc", 12}, {"lsel", 2},
    {"a1op", 1},  {"a1lx", 13}, {"clli", 4}, {"mdcv", 24}, {"amve", 8},  {"iscl", 12}};
bool is_known_property(std::string_view type) {
  // Six have a form of their own. The others tell something, and are taken out, or were.
  static constexpr std::string_view others[] = {"pixi", "colr", "auxC", "hvcC", "av1C", "avcC",
                                                "crtt", "mdft", "udes", "free", "skip"};
  return std::ranges::find(plain_properties, type, &PropertyRule::type) !=
             std::end(plain_properties) ||
         std::ranges::find(others, type) != std::end(others);
}

/// What a picture is for, if it is not shown itself; another text goes.
constexpr std::string_view auxiliary_kinds[] = {
    "urn:mpeg:hevc:2015:auxid:1",
    "urn:mpeg:hevc:2015:auxid:2",
    "urn:mpeg:avc:2015:auxid:1",
    "urn:mpeg:avc:2015:auxid:2",
    "urn:mpeg:mpegB:cicp:systems:auxiliary:alpha",
    "urn:mpeg:mpegB:cicp:systems:auxiliary:depth",
    "urn:com:apple:photo:2018:aux:portraiteffectsmatte",
    "urn:com:apple:photo:2019:aux:semantichairmatte",
    "urn:com:apple:photo:2019:aux:semanticskinmatte",
    "urn:com:apple:photo:2019:aux:semanticteethmatte",
    "urn:com:apple:photo:2020:aux:semanticglassesmatte",
    "urn:com:apple:photo:2020:aux:semanticskymatte",
    "urn:com:apple:photo:2020:aux:hdrgainmap",
    "urn:com:samsung:image:auxid:hdrgainmap",
};

constexpr std::string_view neutral_names[] = {"",           "Exif",  "XMP",  "Image",
                                              "HEVC Image", "Color", "Alpha"};

bool is_zero(std::span<const uint8_t> bytes) {
  return std::ranges::all_of(bytes, [](uint8_t byte) { return byte == 0; });
}
bool is_blank(std::string_view text) {
  return text.find_first_not_of(std::string_view(" \0", 2)) == text.npos;
}

SampleForm picture_form_of(std::string_view type) {
  if (type == "hvc1" || type == "hev1") return SampleForm::h265;
  if (type == "avc1") return SampleForm::h264;
  if (type == "av01") return SampleForm::av1;
  return type == "jpeg" ? SampleForm::jpeg : SampleForm::unknown;
}
/// Made of other pictures.
bool is_made(std::string_view type) {
  return type == "grid" || type == "iovl" || type == "iden" || type == "tmap";
}
const char* config_of(SampleForm form) {
  return form == SampleForm::h265 ? "hvcC" : form == SampleForm::h264 ? "avcC" : "av1C";
}

class Examiner : PictureExaminer {
 public:
  using PictureExaminer::PictureExaminer;

  Result<Examination> run() {
    Result<HeifLayout> layout = read_heif(source_);
    if (!layout) return layout.error();
    layout_ = std::move(*layout);
    if (const Status shown = check_shown(); !shown) return shown.error();
    for (const HeifTable& table : layout_.tables) cut_excess(table);
    for (const HeifTable& other : layout_.others) remove_box(other.box, other.path);
    read_handler();
    for (const Box& property : layout_.properties)
      if (const Status read = read_property(property); !read) return read.error();
    for (const HeifItem& item : layout_.items)
      if (const Status read = read_item(item); !read) return read.error();
    if (const Status cut = cut_gaps(); !cut) return cut.error();
    examine_trailing(source_, layout_.end, &findings_, &edits());
    report_.finish(&findings_);
    sort_edits(&edits());
    return finish();
  }

 private:
  bool unknown_stays() const { return findings_.keeps_everything(); }

  /// The picture, and those of which it is made, stay: so all of them must be known.
  Status check_shown() const {
    for (const uint32_t id : layout_.shown_items()) {
      const HeifItem* const item = layout_.item(id);
      if (!item) return damaged("its picture is missing");
      if (unknown_stays()) continue;
      if (!is_made(item->type) && picture_form_of(item->type) == SampleForm::unknown)
        return unsupported("the picture is coded as " + printable(item->type, 16) +
                           ", in which hidden data can't be searched for");
      if (const Status known = check_essential(id); !known) return known;
    }
    return ok();
  }
  /// What is taken out must not be what the picture can't be shown without.
  Status check_essential(uint32_t id) const {
    const auto list = layout_.essential_of.find(id);
    if (list == layout_.essential_of.end()) return ok();
    for (const uint32_t number : list->second) {
      if (number == 0 || number > layout_.properties.size()) continue;
      const std::string& type = layout_.properties[number - 1].type;
      if (!is_known_property(type))
        return unsupported("the picture needs a property that is not known (" +
                           printable(type, 16) + ")");
    }
    return ok();
  }

  Result<Bytes> read(uint64_t begin, uint64_t end) const {
    Bytes bytes(static_cast<size_t>(end - begin));
    if (!source_.read_all(begin, bytes)) return cut_off();
    return bytes;
  }
  void zero(uint64_t begin, uint64_t end) {
    if (end > begin) edits().push_back({begin, end - begin, {}, true});
  }
  /// Bytes of which nothing is known.
  void remove(uint64_t begin, uint64_t end, const std::string& path, const PartRule& rule) {
    if (only_zeros(source_, begin, end)) return;
    if (!findings_.add({begin, end - begin, path}, rule)) zero(begin, end);
  }

  void cut_excess(const HeifTable& table) {
    remove(table.end, table.box.end, table.path,
           {PartClass::unknown, "bytes after the end of a table"});
  }

  /// The box becomes free space, so that the numbers of those after it stay.
  void remove_box(const Box& box, const std::string& path, PartRule rule = {}) {
    const bool is_free = box.type == "free" || box.type == "skip";
    if (is_free && only_zeros(source_, box.content, box.end)) return;
    if (rule.what.empty()) rule.what = is_free ? "free space with something in it" : "not known";
    if (findings_.add({box.begin, box.end - box.begin, path}, rule)) return;
    if (!is_free) edits().push_back({box.begin + 4, 4, {'f', 'r', 'e', 'e'}});
    zero(box.content, box.end);
  }

  /// Names the one who has written the file, at most.
  void read_handler() {
    constexpr uint64_t reserved_at = 12, name_at = 24;
    const Box& box = layout_.handler;
    if (box.size() <= reserved_at) return;
    const uint64_t name = std::min(box.end, box.content + name_at);
    remove(box.content + reserved_at, name, "meta/hdlr",
           {PartClass::unknown, "bytes that are reserved"});
    const uint64_t end = std::min<uint64_t>(box.end, name + Findings::longest_value);
    const Result<Bytes> bytes = read(name, end);
    if (!bytes || (end == box.end && is_neutral_handler(as_text(*bytes)))) return;
    const std::string text(as_text(*bytes));
    if (!findings_.add({name, box.end - name, "meta/hdlr"},
                       {PartClass::identity, "name of the handler", text}))
      zero(name, box.end);
  }

  // --- properties ------------------------------------------------------------------------------

  Status read_property(const Box& box) {
    const std::string path = "meta/iprp/ipco/" + name_of_box(source_, box);
    for (const PropertyRule& rule : plain_properties)
      if (rule.type == box.type) {
        cut_excess({box, std::min(box.end, box.content + rule.length), path});
        return ok();
      }
    if (box.type == "crtt" || box.type == "mdft") {
      remove_box(box, path, {PartClass::time, "time of the picture"});
      return ok();
    }
    if (box.type == "udes") {
      remove_box(box, path, {PartClass::identity, "description"});
      return ok();
    }
    if (box.size() > largest_profile) {
      remove_box(box, path);
      return ok();
    }
    const Result<Bytes> bytes = read(box.content, box.end);
    if (!bytes) return bytes.error();
    if (box.type == "pixi" && bytes->size() >= 5)
      cut_excess({box, std::min(box.end, box.content + 5 + (*bytes)[4]), path});
    else if (box.type == "colr")
      read_colours(box, path, *bytes);
    else if (box.type == "auxC")
      read_auxiliary(box, path, *bytes);
    else if (box.type == "hvcC" || box.type == "av1C" || box.type == "avcC")
      return read_config(box, path, *bytes);
    else
      remove_box(box, path);
    return ok();
  }

  void read_colours(const Box& box, const std::string& path, const Bytes& bytes) {
    constexpr uint64_t numbers = 11;
    const std::string_view type = as_text(bytes).substr(0, 4);
    if (type == "nclx" && bytes.size() >= numbers)
      cut_excess({box, box.content + numbers, path});
    else if ((type == "prof" || type == "rICC") && is_colour_profile(std::span(bytes).subspan(4)))
      read_profile(box, path, std::span(bytes).subspan(4));
    else
      remove_box(box, path, {PartClass::unknown, "no colour profile"});
  }

  void read_profile(const Box& box, const std::string& path, std::span<const uint8_t> profile) {
    findings_.add({box.begin, box.end - box.begin, path}, {PartClass::useful, "colours"});
    const uint64_t begin = box.end - profile.size();
    if (auto clean = clean_profile(profile, {begin, profile.size(), path}, &findings_))
      edits().push_back({begin, profile.size(), std::move(*clean)});
  }

  void read_auxiliary(const Box& box, const std::string& path, const Bytes& bytes) {
    constexpr size_t head = 4;
    const std::string_view all = as_text(bytes);
    const std::string_view text = all.substr(std::min(head, all.size()));
    const std::string_view kind = text.substr(0, text.find('\0'));
    if (std::ranges::find(auxiliary_kinds, kind) == std::end(auxiliary_kinds))
      return remove_box(box, path, {PartClass::unknown, "kind of a picture that is not known"});
    cut_excess({box, std::min(box.end, box.content + head + kind.size() + 1), path});
  }

  Status read_config(const Box& box, const std::string& path, const Bytes& bytes) {
    if (bytes.size() > largest_config) return damaged("'" + path + "' is too large");
    SampleSettings settings;
    settings.form = box.type == "hvcC"   ? SampleForm::h265
                    : box.type == "avcC" ? SampleForm::h264
                                         : SampleForm::av1;
    settings.path = path;
    settings.keeps = Keeps::of(request_);
    const Result<size_t> used =
        edit_codec_config(source_, settings, box.content, bytes, &edits(), &report_);
    if (!used) return used.error();
    cut_excess({box, box.content + *used, path});
    return ok();
  }

  // --- items -----------------------------------------------------------------------------------

  Status read_item(const HeifItem& item) {
    const std::string path = "item " + std::to_string(item.id);
    read_name(item, path);
    const SampleForm form = picture_form_of(item.type);
    if (form != SampleForm::unknown) return read_picture(item, form, path);
    if (item.type == "grid" || item.type == "iovl" || item.type == "tmap") {
      read_recipe(item, path);
      return ok();
    }
    const bool is_xmp = item.type == "mime" && item.content_type == xmp_type && !item.coded;
    if (item.extents.empty() && (item.type == "Exif" || is_xmp)) return ok();
    const bool single = item.extents.size() == 1;
    if (item.type == "Exif" && single) return read_exif(item.extents.front(), path);
    if (is_xmp && single) return read_xmp(item.extents.front(), path);
    read_unknown(item, path);
    return ok();
  }

  void read_name(const HeifItem& item, const std::string& path) {
    const Result<Bytes> bytes = read(item.name.begin, item.name.end);
    if (!bytes) return;
    const std::string_view text = as_text(*bytes), name = text.substr(0, text.find('\0'));
    if (is_blank(name) || std::ranges::find(neutral_names, name) != std::end(neutral_names)) return;
    if (findings_.add({item.name.begin, bytes->size(), path + "/name"},
                      {PartClass::identity, "name of an item", std::string(name)}))
      return;
    edits().push_back({item.name.begin, name.size(), Bytes(name.size(), ' ')});
  }

  Status read_picture(const HeifItem& item, SampleForm form, const std::string& path) {
    SampleSettings settings;
    settings.form = form;
    settings.path = path;
    settings.keeps = Keeps::of(request_);
    if (form == SampleForm::h265 || form == SampleForm::h264) {
      const Box* const config = layout_.property(item.id, config_of(form));
      if (!config || config->size() > largest_config)
        return damaged("the picture of " + path + " has no description");
      const Result<Bytes> bytes = read(config->content, config->end);
      if (!bytes) return bytes.error();
      settings.length_size = unit_length_size(form, *bytes);
      if (settings.length_size < 0)
        return damaged("the picture of " + path + " has no description");
    }
    const std::unique_ptr<SampleEditor> editor = make_sample_editor(source_, settings);
    uint64_t length = 0;
    for (const ByteRange& extent : item.extents) {
      length += extent.end - extent.begin;
      const Status edited = editor->edit_sample(extent.begin, extent.end - extent.begin, &edits(),
                                                unknown_stays() ? nullptr : &report_);
      if (!edited) return edited;
    }
    if (!item.extents.empty())
      findings_.add({item.extents.front().begin, length, path},
                    {PartClass::useful, "picture", item.type});
    return ok();
  }

  /// How a picture is made of others: numbers.
  void read_recipe(const HeifItem& item, const std::string& path) {
    for (const ByteRange& extent : item.extents) {
      uint8_t head[2] = {};
      uint64_t length = std::min(extent.end - extent.begin, largest_recipe);
      if (item.type == "grid" && source_.read_all(extent.begin, head))
        length = std::min(length, head[1] & 1 ? wide_grid_size : grid_size);
      remove(extent.begin + length, extent.end, path,
             {PartClass::unknown, "bytes after the end of a table"});
    }
  }

  Status read_exif(const ByteRange& extent, const std::string& path) {
    constexpr uint64_t head = 4;
    const uint64_t length = extent.end - extent.begin;
    if (only_zeros(source_, extent.begin, extent.end)) return ok();
    uint8_t bytes[head] = {};
    const bool whole =
        length > head && length <= largest_exif && source_.read_all(extent.begin, bytes);
    ByteReader reader(bytes);
    const uint64_t before = reader.u32();
    if (!whole || before >= length - head) {
      remove(extent.begin, extent.end, path, {PartClass::unknown, "Exif that can't be read"});
      return ok();
    }
    const uint64_t begin = extent.begin + head + before;
    const Result<Bytes> mark = read(extent.begin + head, begin), tiff = read(begin, extent.end);
    if (!mark || !tiff) return cut_off();
    if (as_text(*mark) != std::string_view("Exif\0\0", 6))
      remove(extent.begin + head, begin, path, {PartClass::unknown, "bytes before the Exif"});
    // What is left where an empty one has no room.
    if (is_zero(*tiff)) return ok();
    const Result<NewPacket> made =
        examine_exif(*tiff, {begin, tiff->size(), path + "/Exif"}, &findings_);
    // A new one that would be longer has no room. Properties have the orientation, too.
    put(begin, *tiff, made ? *made : NewPacket(Bytes()), {empty_exif, sizeof empty_exif}, 0);
    return ok();
  }

  Status read_xmp(const ByteRange& extent, const std::string& path) {
    if (extent.end - extent.begin > largest_xmp)
      return unsupported("the XMP of the picture is too large to be examined");
    const Result<Bytes> bytes = read(extent.begin, extent.end);
    if (!bytes) return bytes.error();
    if (is_zero(*bytes)) return ok();
    const Result<NewPacket> made =
        examine_xmp(*bytes, {extent.begin, bytes->size(), path + "/XMP"}, {}, &findings_);
    if (!made) return made.error();
    put(extent.begin, *bytes, *made,
        {reinterpret_cast<const uint8_t*>(empty_xmp.data()), empty_xmp.size()}, ' ');
    return ok();
  }

  /// Writes a packet of the length of the old one. One that is removed becomes empty.
  void put(uint64_t offset, const Bytes& before, const NewPacket& packet,
           std::span<const uint8_t> empty, uint8_t filler) {
    if (!packet) return;
    Bytes after = *packet;
    if (after.empty() && empty.size() <= before.size()) after.assign(empty.begin(), empty.end());
    after.resize(before.size(), after.empty() ? uint8_t{0} : filler);
    if (after != before) edits().push_back({offset, after.size(), std::move(after)});
  }

  void read_unknown(const HeifItem& item, const std::string& path) {
    const std::string what = item.type == "Exif" || item.type == "mime" || item.type == "uri "
                                 ? "data of another program"
                                 : "item of an unknown kind";
    for (const ByteRange& extent : item.extents)
      remove(extent.begin, extent.end, path, {PartClass::unknown, what, item.type});
    // What kind it is says which program has written it. Its zeros stay, they end the texts.
    Result<Bytes> bytes = read(item.texts.begin, item.texts.end);
    if (!bytes || is_blank(as_text(*bytes))) return;
    if (findings_.add({item.texts.begin, bytes->size(), path + "/type"},
                      {PartClass::unknown, "type of an item", std::string(as_text(*bytes))}))
      return;
    for (uint8_t& byte : *bytes)
      if (byte != 0) byte = ' ';
    edits().push_back({item.texts.begin, bytes->size(), std::move(*bytes)});
  }

  /// What belongs to no item goes. Two items in the same bytes could be changed twice.
  Status cut_gaps() {
    std::vector<ByteRange> used;
    for (const HeifItem& item : layout_.items)
      used.insert(used.end(), item.extents.begin(), item.extents.end());
    std::ranges::sort(used, {}, &ByteRange::begin);
    for (size_t i = 1; i < used.size(); ++i)
      if (used[i].begin < used[i - 1].end && !unknown_stays())
        return damaged("items overlap at byte " + std::to_string(used[i].begin));
    for (const ByteRange& data : layout_.data) {
      uint64_t position = data.begin;
      const auto cut = [&](uint64_t end) {
        remove(position, end, "mdat", {PartClass::unknown, "bytes that belong to no item"});
      };
      for (const ByteRange& each : used) {
        if (each.begin < data.begin || each.end > data.end) continue;
        if (each.begin > position) cut(each.begin);
        position = std::max(position, each.end);
      }
      cut(data.end);
    }
    return ok();
  }

  HeifLayout layout_;
  SampleReport report_;
};

}  // namespace

Result<Examination> examine_heif(const Source& source, const Request& request) {
  if (request.mark || request.position)
    return unsupported("a marking or a position can't be put into HEIC and AVIF pictures");
  Request own = request;
  own.in_place = true;
  return Examiner(source, own).run();
}

}  // namespace sphere::media
