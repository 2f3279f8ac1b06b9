// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/media/isobmff_tracks.h"

#include <algorithm>
#include <span>
#include <string>
#include <utility>

#include "gst/sphere/base/bytes.h"
#include "gst/sphere/media/box_edits.h"
#include "gst/sphere/media/codec_config.h"
#include "gst/sphere/media/esds.h"

namespace sphere::media {

namespace {

constexpr uint64_t visual_entry_head = 78;
// Sizes of records are rewritten in memory; a track with more samples goes whole.
constexpr uint64_t most_resized_samples = 1 << 20;

std::string track_name(const Track& track) { return "track " + std::to_string(track.id); }

/// The entries of `stsd`.
Result<std::vector<Box>> descriptions(const Source& source, const SampleTables& tables) {
  std::vector<Box> entries;
  if (tables.descriptions.type.empty()) return entries;
  int count = 0;
  const Status read = for_each_child(source, tables.descriptions, 8, &count, [&](const Box& box) {
    entries.push_back(box);
    return entries.size() > 64 ? Status(damaged("a track has too many descriptions")) : ok();
  });
  if (!read) return read.error();
  return entries;
}

/// Reads the number of bytes before each unit from the description of pictures.
Status read_length_size(const Source& source, const Box& entry, SampleSettings* samples) {
  if (entry.size() < visual_entry_head) return damaged("'" + entry.type + "' is too short");
  const bool h264 = samples->form == SampleForm::h264;
  const uint64_t begin = entry.content + visual_entry_head;
  const std::optional<Box> config =
      find_box(source, begin, entry.end, false, h264 ? "avcC" : "hvcC");
  constexpr uint64_t largest_config = 1 << 16;
  std::vector<uint8_t> bytes(
      static_cast<size_t>(config ? std::min(config->size(), largest_config) : 0));
  if (!config || !source.read_all(config->content, bytes) ||
      (samples->length_size = unit_length_size(samples->form, bytes)) < 0)
    return damaged("the pictures of " + samples->path + " have no description");
  for (const PictureTiming& timing : picture_timings(samples->form, bytes))
    samples->timings.push_back(timing);
  for (const char* type : {"dvcC", "dvvC", "dvwC"})
    if (find_box(source, begin, entry.end, false, type)) samples->dolby = true;
  return ok();
}

/// Which codec an entry says that it has, where its name can mean many.
std::optional<uint8_t> object_type_of(const Source& source, const Box& entry, bool sound) {
  // QuickTime's versions of sound have more fields, and put the box into another.
  static constexpr uint64_t sound_heads[] = {28, 44, 64}, visual_heads[] = {visual_entry_head};
  constexpr uint64_t largest_config = 1 << 16;
  for (const uint64_t head :
       sound ? std::span<const uint64_t>(sound_heads) : std::span<const uint64_t>(visual_heads)) {
    if (entry.size() < head) continue;
    std::optional<Box> box = find_box(source, entry.content + head, entry.end, false, "esds");
    if (!box)
      if (const auto wave = find_box(source, entry.content + head, entry.end, false, "wave"))
        box = find_box(source, wave->content, wave->end, false, "esds");
    if (!box || box->size() > largest_config) continue;
    std::vector<uint8_t> bytes(static_cast<size_t>(box->size()));
    if (!source.read_all(box->content, bytes)) continue;
    const std::optional<CodecConfig> config = read_esds(bytes);
    if (config && (sound || config->more.empty())) return config->object_type;
    // Of pictures that nobody can tell, which is said by 0.
    if (!sound) return uint8_t{0};
  }
  return std::nullopt;
}

/// Motion JPEG has Exif in each picture; Vorbis has comments in its description.
SampleForm form_of(const Source& source, const Box& entry, bool sound) {
  if (sound && !is_known_sound(entry.type)) return SampleForm::unknown;
  const SampleForm form = sound ? SampleForm::harmless : picture_form(entry.type);
  if (entry.type != "mp4v" && entry.type != "mp4a") return form;
  const std::optional<uint8_t> type = object_type_of(source, entry, sound);
  return type ? form_of_object(*type, sound) : form;
}

/// Sets the form of the samples from the track's descriptions, which must agree.
Status read_form(const Source& source, const Track& track, const SampleTables& tables,
                 SampleSettings* samples) {
  const Result<std::vector<Box>> entries = descriptions(source, tables);
  if (!entries) return entries.error();
  std::optional<int> length_size;
  std::optional<SampleForm> form;
  for (const Box& entry : *entries) {
    if (is_encrypted_format(entry.type))
      return unsupported("the file is encrypted (" + track_name(track) + ")");
    SampleForm own = SampleForm::unknown;
    if (track.handler == "vide" || track.handler == "soun")
      own = form_of(source, entry, track.handler == "soun");
    if (track.handler != "vide" && track.handler != "soun") {
      if (entry.type == "camm") own = SampleForm::camm;
      if (entry.type == "gpmd") own = SampleForm::gpmf;
    }
    samples->form = form && *form != own ? SampleForm::unknown : own;
    form = samples->form;
    if (own != SampleForm::h264 && own != SampleForm::h265) continue;
    if (const Status read = read_length_size(source, entry, samples); !read) return read;
    if (length_size && *length_size != samples->length_size)
      return unsupported("the descriptions of " + track_name(track) + " do not agree");
    length_size = samples->length_size;
  }
  if (!form) samples->form = SampleForm::unknown;
  return ok();
}

const char* kind_of_track(const Track& track) {
  struct Kind {
    std::string_view codec;
    const char* what;
  };
  static constexpr Kind codecs[] = {
      {"camm", "records of the camera (CAMM)"},  {"gpmd", "records of the camera (GPMF)"},
      {"rtmd", "records of the camera (Sony)"},  {"CTMD", "records of the camera (Canon)"},
      {"djmd", "records of the camera (DJI)"},   {"dbgi", "records of the camera (DJI)"},
      {"fdsc", "records of the camera (GoPro)"}, {"tmcd", "time code"},
      {"mebx", "records of the camera (Apple)"}};
  for (const Kind& kind : codecs)
    if (track.codec == kind.codec) return kind.what;
  if (track.handler == "vide") return "pictures";
  if (track.handler == "soun") return "sound";
  if (track.handler == "text" || track.handler == "sbtl" || track.handler == "subt" ||
      track.handler == "clcp")
    return "subtitles or another text";
  return "data of an unknown kind";
}

}  // namespace

Result<std::vector<TrackPlan>> plan_tracks(const Source& source, const IsoLayout& layout,
                                           Findings* findings) {
  const Request& request = findings->request();
  const bool everything = findings->keeps_everything();
  std::vector<TrackPlan> plans;
  bool pictures = false;
  for (size_t i = 0; i < layout.file.tracks.size(); ++i) {
    const Track& track = layout.file.tracks[i];
    TrackPlan plan;
    plan.samples.path = track_name(track);
    plan.samples.keeps = Keeps::of(request);
    const Status read = read_form(source, track, layout.tables[i], &plan.samples);
    if (!read) return read.error();
    const bool known = plan.samples.form != SampleForm::unknown;
    plan.kept = known || everything;
    if (track.handler == "soun" && !request.policy.sound_tracks) plan.kept = false;
    if (track.handler == "vide" && plan.kept) pictures = true;
    plans.push_back(std::move(plan));
  }
  for (size_t i = 0; i < plans.size(); ++i) {
    const Track& track = layout.file.tracks[i];
    if (plans[i].kept) continue;
    if (track.handler == "vide" && !pictures)
      return unsupported("the pictures of the file (" + track.codec +
                         ") are in a format in which it is not known what may be hidden");
    if (track.handler == "soun" && !request.policy.sound_tracks) continue;
    findings->remark("track " + std::to_string(track.id) + " (" + kind_of_track(track) + ", " +
                     name_of_type(track.codec) + ") was taken out");
  }
  return plans;
}

namespace {

/// Whether a track's samples can be examined with bounded effort.
bool is_examined(const Track& track, const SampleSettings& samples) {
  if (samples.form == SampleForm::harmless) return false;
  return samples.form != SampleForm::unknown ||
         (track.handler != "vide" && track.handler != "soun");
}

/// Whether the samples are pictures that are not read, because the request says so.
bool is_skipped(const SampleSettings& samples, const Request& request) {
  return request.skip_pictures && is_picture(samples.form);
}

/// Collects the sizes of CAMM samples after their edit.
class NewSizes {
 public:
  NewSizes(const Source& source, const IsoLayout& layout, bool in_place,
           std::vector<TrackPlan>* plans)
      : source_(source),
        layout_(layout),
        in_place_(in_place),
        plans_(*plans),
        sizes_(plans->size()),
        possible_(plans->size(), true) {}

  Status add(const MediaRun& run, const std::vector<uint32_t>& sizes) {
    if (run.fragment) {
      add_fragment(run, sizes);
      return ok();
    }
    const SampleSizes& table = layout_.tables[run.track].sizes;
    std::vector<uint32_t>& all = sizes_[run.track];
    if (table.count > most_resized_samples || (in_place_ && (table.same || table.bits != 32))) {
      possible_[run.track] = false;
      return ok();
    }
    all.resize(static_cast<size_t>(table.count));
    std::ranges::copy(sizes, all.begin() + static_cast<std::ptrdiff_t>(run.first_sample));
    return ok();
  }
  bool possible(size_t track) const { return possible_[track]; }
  std::vector<uint8_t> box(size_t track) const {
    if (sizes_[track].empty()) return {};
    std::vector<uint8_t> content(8);
    append32(&content, sizes_[track].size());
    for (const uint32_t size : sizes_[track]) append32(&content, size);
    return make_box("stsz", content);
  }

 private:
  void add_fragment(const MediaRun& run, const std::vector<uint32_t>& sizes) {
    const FragmentRun& fragment = *run.fragment;
    std::vector<Edit>& edits = plans_[run.track].size_edits;
    RunSizeReader old(source_, fragment);
    for (size_t i = 0; i < sizes.size(); ++i) {
      uint64_t size = 0;
      if (!old.next(&size) || size == sizes[i]) continue;
      if (fragment.size_at < 0 || edits.size() == most_resized_samples) {
        possible_[run.track] = false;
        return;
      }
      Edit edit{fragment.entries + i * fragment.entry + static_cast<uint64_t>(fragment.size_at),
                4,
                {},
                false};
      append32(&edit.bytes, sizes[i]);
      edits.push_back(std::move(edit));
    }
  }
  const Source& source_;
  const IsoLayout& layout_;
  bool in_place_;
  std::vector<TrackPlan>& plans_;
  std::vector<std::vector<uint32_t>> sizes_;
  std::vector<bool> possible_;
};

}  // namespace

Status examine_samples(const Source& source, const std::shared_ptr<const IsoLayout>& layout,
                       std::vector<TrackPlan>* plans, Findings* findings) {
  std::vector<SampleSettings> settings;
  std::vector<bool> examined;
  for (size_t i = 0; i < plans->size(); ++i) {
    settings.push_back((*plans)[i].samples);
    const bool skipped = is_skipped(settings[i], findings->request());
    examined.push_back(!skipped && is_examined(layout->file.tracks[i], settings[i]));
    if (skipped) findings->skip_pictures(settings[i].path);
  }
  SampleReport report;
  NewSizes sizes(source, *layout, findings->request().in_place, plans);
  SampleEdits edits(source, layout, settings, examined, &report);
  edits.on_new_sizes(
      [&](const MediaRun& run, const std::vector<uint32_t>& all) { return sizes.add(run, all); });
  for (;;) {
    const Result<std::optional<Edit>> edit = edits.next();
    if (!edit) return edit.error();
    if (!*edit) break;
    (*plans)[edits.track()].edited = true;
  }
  const bool everything = findings->keeps_everything();
  for (size_t i = 0; i < plans->size(); ++i) {
    TrackPlan& plan = (*plans)[i];
    const Track& track = layout->file.tracks[i];
    const bool records =
        plan.samples.form == SampleForm::camm || plan.samples.form == SampleForm::gpmf;
    const bool useful = report.keeps_useful(plan.samples.path);
    if (records && plan.kept && plan.edited && !sizes.possible(i)) {
      findings->remark(plan.samples.path + " (" + kind_of_track(track) +
                       ") was taken out whole, because its records can't be taken out alone");
      plan.kept = false;
    }
    if (records && !useful && !everything) plan.kept = false;
    // Another position replaces all old ones, and this track can't be edited.
    if (plan.samples.form == SampleForm::unknown && findings->request().position &&
        report.has(plan.samples.path, PartClass::place))
      plan.kept = false;
    if (plan.kept && plan.edited && plan.samples.form == SampleForm::camm)
      plan.sizes_box = sizes.box(i);
    if (!plan.kept) {
      plan.edited = false;
      plan.size_edits.clear();
      report.remove_all(plan.samples.path);
    }
    const Box& trak = layout->tables[i].trak;
    const bool media = track.handler == "vide" || track.handler == "soun" || records;
    findings->add(
        {trak.begin, trak.end - trak.begin, plan.samples.path,
         media && plan.samples.form != SampleForm::unknown ? PartClass::useful : PartClass::unknown,
         kind_of_track(track), shortened(name_of_type(track.codec)), 1, !plan.kept});
  }
  for (const TrackPlan& plan : *plans) report.remark(plan.samples.path, findings);
  report.finish(findings);
  return findings->status();
}

}  // namespace sphere::media
