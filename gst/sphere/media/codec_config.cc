// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/media/codec_config.h"

#include "gst/sphere/base/bytes.h"
#include "gst/sphere/media/sample_tables.h"

namespace sphere::media {

namespace {

constexpr size_t avc_length_at = 4, hevc_length_at = 21, layer_length_at = 4, av1_head = 4;

class ConfigEditor {
 public:
  ConfigEditor(const Source& source, const SampleSettings& settings, uint64_t offset,
               std::span<const uint8_t> bytes, std::vector<Edit>* edits, SampleReport* report)
      : source_(source),
        settings_(settings),
        offset_(offset),
        bytes_(bytes),
        reader_(bytes),
        edits_(edits),
        report_(report) {}

  Result<size_t> run() {
    // ffmpeg writes an empty one into fragmented files, whose streams it does not know yet.
    if (settings_.form == SampleForm::av1 && bytes_.empty()) return size_t{0};
    const Status edited =
        settings_.form == SampleForm::h264   ? edit_avc()
        : settings_.form == SampleForm::h265 ? edit_hevc()
        : settings_.form == SampleForm::av1  ? edit_rest(av1_head)
        : settings_.form == SampleForm::mpeg2 || settings_.form == SampleForm::mpeg4 ? edit_rest(0)
                                                                                     : ok();
    if (!edited) return edited.error();
    if (!reader_.ok()) return damaged("'" + settings_.path + "' is too short");
    return reader_.position();
  }

 private:
  /// Units with a length of two bytes before each.
  Status edit_units(unsigned count) {
    for (unsigned i = 0; i < count; ++i) {
      const size_t length = reader_.u16();
      const uint64_t offset = offset_ + reader_.position();
      reader_.skip(length);
      if (!reader_.ok()) return damaged("'" + settings_.path + "' is too short");
      if (length == 0) continue;
      const Status edited = edit_unit(source_, settings_, offset, length, edits_, report_);
      if (!edited) return edited;
    }
    return ok();
  }

  Status edit_avc() {
    reader_.skip(1);
    const int profile = reader_.u8();
    reader_.skip(3);
    if (const Status read = edit_units(reader_.u8() & 31); !read) return read;
    if (const Status read = edit_units(reader_.u8()); !read) return read;
    // The high profiles have a part that some encoders leave out.
    if ((profile != 100 && profile != 110 && profile != 122 && profile != 144 && profile != 244) ||
        reader_.remaining() < 4 || (bytes_[reader_.position()] & 0xfc) != 0xfc)
      return ok();
    reader_.skip(3);
    return edit_units(reader_.u8());
  }

  Status edit_hevc() {
    reader_.skip((settings_.layer ? layer_length_at : hevc_length_at) + 1);
    const unsigned arrays = reader_.u8();
    for (unsigned i = 0; i < arrays && reader_.ok(); ++i) {
      reader_.skip(1);
      if (const Status read = edit_units(reader_.u16()); !read) return read;
    }
    return ok();
  }

  /// What is as in the pictures themselves, after a head.
  Status edit_rest(size_t head) {
    reader_.skip(head);
    const size_t rest = reader_.remaining();
    if (!reader_.ok() || rest == 0) return ok();
    const Status edited =
        make_sample_editor(source_, settings_)->edit_sample(offset_ + head, rest, edits_, report_);
    reader_.skip(rest);
    return edited;
  }

  const Source& source_;
  const SampleSettings& settings_;
  const uint64_t offset_;
  const std::span<const uint8_t> bytes_;
  ByteReader reader_;
  std::vector<Edit>* const edits_;
  SampleReport* const report_;
};

}  // namespace

int unit_length_size(SampleForm form, std::span<const uint8_t> config) {
  const size_t at = form == SampleForm::h264 ? avc_length_at : hevc_length_at;
  return at < config.size() ? (config[at] & 3) + 1 : -1;
}

std::vector<PictureTiming> picture_timings(SampleForm form, std::span<const uint8_t> config) {
  std::vector<PictureTiming> timings;
  if (form != SampleForm::h264) return timings;
  ByteReader reader(config);
  reader.skip(avc_length_at + 1);
  for (int count = reader.u8() & 31; count > 0 && reader.ok(); --count)
    add_picture_timing(reader.take(reader.u16()), &timings);
  return timings;
}

Result<size_t> edit_codec_config(const Source& source, const SampleSettings& settings,
                                 uint64_t offset, std::span<const uint8_t> bytes,
                                 std::vector<Edit>* edits, SampleReport* report) {
  return ConfigEditor(source, settings, offset, bytes, edits, report).run();
}

}  // namespace sphere::media
