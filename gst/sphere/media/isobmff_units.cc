// SPDX-License-Identifier: LGPL-2.1-or-later
// Units beside the pictures in H.264 and H.265, such as messages (SEI). They are replaced by filler
// of the same length.

#include <algorithm>
#include <array>
#include <optional>

#include "gst/sphere/base/bytes.h"
#include "gst/sphere/media/isobmff_samples.h"
#include "gst/sphere/media/nal.h"
#include "gst/sphere/media/sei.h"

namespace sphere::media {

namespace {

// Bytes. Larger units of messages are replaced as a whole; larger samples can't be examined.
constexpr uint64_t largest_message_unit = 1 << 20, largest_sample = 64 << 20;
// Delimiters and ends of streams have one to three bytes.
constexpr uint64_t largest_delimiter = 4;
// Bytes of a parameter set. Real ones have less than hundred.
constexpr uint64_t largest_parameters = 1 << 16;

Error damaged_sample(const std::string& path, uint64_t offset) {
  return invalid("the file is damaged: " + path + ", the sample at byte " + std::to_string(offset) +
                 " can't be read");
}

/// H.264 and H.265 with a length before each unit.
class NalEditor : public SampleEditor {
 public:
  NalEditor(const Source& source, const SampleSettings& settings)
      : source_(source),
        settings_(settings),
        codec_(settings.form == SampleForm::h264 ? NalCodec::h264 : NalCodec::h265),
        keep_([keeps = settings.keeps](const SeiMessage& message) {
          return keeps(message.part_class);
        }),
        window_(source, 0, 256) {}

  Status edit_sample(uint64_t offset, uint64_t size, std::vector<Edit>* edits,
                     SampleReport* report) override {
    const uint64_t end = offset + size;
    while (offset < end) {
      if (end - offset < static_cast<uint64_t>(settings_.length_size)) {
        zero_rest(offset, end, edits, report);
        return ok();
      }
      uint64_t length = 0;
      window_.seek(offset);
      if (!window_.number(settings_.length_size, &length)) return cut_off();
      offset += static_cast<uint64_t>(settings_.length_size);
      if (length > end - offset) return damaged_sample(settings_.path, offset);
      if (length > 0) {
        const int first = window_.next();
        if (first < 0) return cut_off();
        const Status edited = edit_unit(offset, length, first, edits, report);
        if (!edited) return edited;
      }
      offset += length;
    }
    return ok();
  }

  /// One unit, without its length.
  Status edit_unit(uint64_t offset, uint64_t length, std::vector<Edit>* edits,
                   SampleReport* report) {
    window_.seek(offset);
    const int first = window_.next();
    if (first < 0) return cut_off();
    return edit_unit(offset, length, first, edits, report);
  }

 private:
  enum class Kind { picture, parameters, layer, message, filler, delimiter, unknown };

  Kind kind_of(int first) const {
    if (codec_ == NalCodec::h264) {
      const int type = first & 31;
      if (type >= 1 && type <= 5) return Kind::picture;
      if (type == 7 || type == 8) return Kind::parameters;
      // Players of the usual profiles ignore them.
      if ((type >= 13 && type <= 15) || (type >= 19 && type <= 21)) return Kind::layer;
      if (type == 6) return Kind::message;
      if (type == 12) return Kind::filler;
      return type >= 9 && type <= 11 ? Kind::delimiter : Kind::unknown;
    }
    const int type = first >> 1 & 63;
    if (type >= 32 && type <= 34) return Kind::parameters;
    if (type <= 9 || (type >= 16 && type <= 21) || (settings_.dolby && (type == 62 || type == 63)))
      return Kind::picture;
    if (type == 39 || type == 40) return Kind::message;
    if (type == 38) return Kind::filler;
    return type >= 35 && type <= 37 ? Kind::delimiter : Kind::unknown;
  }

  Status edit_unit(uint64_t offset, uint64_t length, int first, std::vector<Edit>* edits,
                   SampleReport* report) {
    const Kind kind = kind_of(first);
    if (kind == Kind::picture || (kind == Kind::delimiter && length <= largest_delimiter))
      return ok();
    if (kind == Kind::message && length <= largest_message_unit)
      return edit_messages(offset, length, edits, report);
    if (kind == Kind::parameters) return edit_parameters(offset, length, edits, report);
    if (kind == Kind::filler && is_filler(offset, length)) return ok();
    const bool stays = settings_.keeps(PartClass::unknown);
    if (report)
      report->add(settings_.path, PartClass::unknown,
                  kind == Kind::filler  ? "filler with something in it"
                  : kind == Kind::layer ? layer_units
                                        : "unit of an unknown kind",
                  {}, offset, length, !stays);
    if (stays) return ok();
    if (length > largest_sample) return damaged_sample(settings_.path, offset);
    std::vector<uint8_t> bytes(static_cast<size_t>(length), 0xff);
    bytes[0] = codec_ == NalCodec::h264 ? 12 : 38 << 1;
    if (codec_ == NalCodec::h265 && length > 1) bytes[1] = 1;
    if (length > header_size()) bytes.back() = 0x80;
    edits->push_back({offset, length, std::move(bytes), false});
    return ok();
  }

  /// Bytes behind the end of a parameter set are no part of it.
  Status edit_parameters(uint64_t offset, uint64_t length, std::vector<Edit>* edits,
                         SampleReport* report) {
    const bool stays = settings_.keeps(PartClass::unknown);
    if (stays && !report) return ok();
    if (length > largest_parameters) return damaged_sample(settings_.path, offset);
    std::vector<uint8_t> unit(static_cast<size_t>(length));
    if (!source_.read_all(offset, unit)) return cut_off();
    const bool h264 = codec_ == NalCodec::h264;
    if (h264) add_picture_timing(unit, &settings_.timings);
    const std::optional<size_t> used =
        h264 ? h264_parameter_length(unit) : h265_parameter_length(unit);
    // Some extensions of H.265 have no end that can be found.
    if (!used && (stays || !h264)) return ok();
    if (!used)
      return unsupported(settings_.path +
                         " has a description of its pictures (parameter set, byte " +
                         std::to_string(offset) + ") that can't be read");
    const uint64_t rest = length - *used;
    if (std::ranges::all_of(std::span(unit).subspan(*used), [](uint8_t byte) { return byte == 0; }))
      return ok();
    if (report)
      report->add(settings_.path, PartClass::unknown, "bytes behind a parameter set", {},
                  offset + *used, rest, !stays);
    if (!stays) edits->push_back({offset + *used, rest, {}, true});
    return ok();
  }

  Status edit_messages(uint64_t offset, uint64_t length, std::vector<Edit>* edits,
                       SampleReport* report) {
    std::vector<uint8_t> unit(static_cast<size_t>(length));
    if (!source_.read_all(offset, unit)) return cut_off();
    if (report) {
      Traces traces;
      for (const SeiMessage& message : read_sei(codec_, unit, settings_.timings, &traces))
        if (message.part_class != PartClass::useful)
          report->add(settings_.path + "/SEI", message.part_class, message.what, message.value,
                      offset + message.offset, message.length, !keep_(message));
      for (const Position& position : traces.positions) report->add(position);
      for (const std::string& text : traces.identities) report->identity(text);
    }
    std::vector<uint8_t> blanked = blank_sei(codec_, unit, settings_.timings, keep_);
    if (blanked != unit) edits->push_back({offset, length, std::move(blanked), false});
    return ok();
  }

  uint64_t header_size() const { return codec_ == NalCodec::h264 ? 1 : 2; }

  bool is_filler(uint64_t offset, uint64_t length) {
    if (length <= header_size()) return true;
    window_.seek(offset + header_size());
    for (uint64_t i = header_size(); i < length; ++i) {
      const int byte = window_.next();
      if (byte == 0x80 && i + 1 == length) return true;
      if (byte != 0xff) return false;
    }
    return true;
  }

  void zero_rest(uint64_t offset, uint64_t end, std::vector<Edit>* edits, SampleReport* report) {
    std::array<uint8_t, 4> rest{};
    const auto bytes = std::span(rest).first(static_cast<size_t>(end - offset));
    if (!source_.read_all(offset, bytes) ||
        std::ranges::all_of(bytes, [](uint8_t byte) { return byte == 0; }))
      return;
    const bool stays = settings_.keeps(PartClass::unknown);
    if (report)
      report->add(settings_.path, PartClass::unknown, "bytes that belong to no unit", {}, offset,
                  end - offset, !stays);
    if (!stays) edits->push_back({offset, end - offset, {}, true});
  }

  const Source& source_;
  SampleSettings settings_;
  NalCodec codec_;
  KeepSei keep_;
  Window window_;
};

}  // namespace

Status edit_unit(const Source& source, const SampleSettings& settings, uint64_t offset,
                 uint64_t length, std::vector<Edit>* edits, SampleReport* report) {
  return NalEditor(source, settings).edit_unit(offset, length, edits, report);
}

std::unique_ptr<SampleEditor> make_unit_editor(const Source& source,
                                               const SampleSettings& settings) {
  return std::make_unique<NalEditor>(source, settings);
}

}  // namespace sphere::media
