// SPDX-License-Identifier: LGPL-2.1-or-later

#include "plugins/privacy/stream_content.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "plugins/privacy/buffer_bytes.h"
#include "plugins/privacy/captions.h"
#include "plugins/privacy/description.h"
#include "plugins/privacy/klv.h"
#include "plugins/privacy/sound_caps.h"
#include "plugins/privacy/stream_events.h"
#include "plugins/privacy/tags.h"

namespace sphere::privacy {

namespace {

// Pictures, and captions in forms that hold nothing else.
constexpr auto plain_types = std::to_array<std::string_view>(
    {"video/x-raw", "video/x-bayer", "video/x-vp8", "video/x-vp9", "video/x-h263", "video/x-prores",
     "closedcaption/x-cea-608", "closedcaption/x-cea-708"});
constexpr auto picture_types =
    std::to_array<std::string_view>({"image/jpeg", "image/png", "image/webp"});
// Text and records, which may tell anything, and can be missed.
constexpr auto data_types =
    std::to_array<std::string_view>({"text/", "subpicture/", "meta/", "application/x-subtitle",
                                     "application/x-onvif-metadata", "application/x-teletext"});

bool is_sound(const GstCaps* caps) {
  static const CapsRef sound(gst_caps_from_string(SPHERE_SOUND_CAPS));
  return gst_caps_can_intersect(caps, sound.get());
}

/// The buffer with other bytes; null if there are none, the same if they are equal.
BufferRef with_bytes(BufferRef buffer, const std::vector<uint8_t>& before,
                     const std::vector<uint8_t>& bytes) {
  if (bytes == before) return buffer;
  if (bytes.empty()) return nullptr;
  BufferRef own(gst_buffer_new_memdup(bytes.data(), bytes.size()));
  gst_buffer_copy_into(own.get(), buffer.get(), GST_BUFFER_COPY_METADATA, 0, G_MAXSIZE);
  return own;
}

}  // namespace

StreamContent::StreamContent(const GstCaps* caps) {
  if (!caps || gst_caps_get_size(caps) == 0) return;
  const GstStructure* structure = gst_caps_get_structure(caps, 0);
  name_ = gst_structure_get_name(structure);
  if (CodedVideo::is_such(structure)) {
    kind_ = Kind::coded_video;
    auto video = CodedVideo::make(structure);
    if (video)
      video_ = *video;
    else
      problem_ = video.error().message;
  } else if (name_ == "closedcaption/x-cea-708" &&
             g_strcmp0(gst_structure_get_string(structure, "format"), "cc_data") != 0) {
    kind_ = Kind::captions;
  } else if (std::ranges::find(plain_types, name_) != plain_types.end()) {
    kind_ = Kind::plain;
  } else if (std::ranges::find(picture_types, name_) != picture_types.end()) {
    kind_ = Kind::picture;
  } else if (name_ == "meta/x-klv") {
    kind_ = Kind::klv;
  } else if (std::ranges::any_of(data_types,
                                 [&](auto begin) { return name_.starts_with(begin); })) {
    kind_ = Kind::data;
  } else if (is_sound(caps)) {
    headers_ = headers_of(structure);
    clean_headers_ = clean_headers(name_, headers_);
    kind_ = Kind::sound;
  }
}

CapsRef StreamContent::clean_caps(const GstCaps* caps, const Allowance& allowance) const {
  if (allowance.everything()) return CapsRef(gst_caps_copy(caps));
  if (kind_ == Kind::sound) return without_description(caps);
  if (video_) return video_->clean_caps(caps, allowance.policy());
  CapsRef clean(gst_caps_copy(caps));
  for (guint i = 0; i < gst_caps_get_size(clean.get()); ++i)
    gst_structure_remove_field(gst_caps_get_structure(clean.get(), i), "streamheader");
  return clean;
}

/// In Xiph's codecs the headers, with their comments, are in the stream once more.
BufferRef StreamContent::clean_header(BufferRef buffer) const {
  if (!headers_.empty()) {
    const std::vector<uint8_t> bytes = bytes_of(buffer.get());
    const auto found = std::ranges::find(headers_, bytes);
    if (found == headers_.end()) return buffer;
    const auto index = static_cast<size_t>(found - headers_.begin());
    return with_bytes(std::move(buffer), bytes,
                      index < clean_headers_.size() ? clean_headers_[index] : Header());
  }
  if (name_ == "audio/x-opus") {
    const std::vector<uint8_t> bytes = bytes_of(buffer.get());
    const Header clean = clean_opus_header(bytes);
    return clean.empty() ? std::move(buffer) : with_bytes(std::move(buffer), bytes, clean);
  }
  return buffer;
}

Result<BufferRef> StreamContent::clean(BufferRef buffer, const Allowance& allowance) {
  if (allowance.everything()) return buffer;
  switch (kind_) {
    case Kind::plain:
      return buffer;
    case Kind::sound:
      return clean_header(std::move(buffer));
    case Kind::coded_video:
      if (!video_) return unsupported(problem_ + ": put a parser before the gate");
      return video_->clean(std::move(buffer), allowance.policy());
    case Kind::picture: {
      const std::vector<uint8_t> bytes = bytes_of(buffer.get());
      const std::vector<uint8_t> clean = allowed_picture(bytes, allowance);
      if (clean.empty()) return unsupported("a picture can't be examined");
      return with_bytes(std::move(buffer), bytes, clean);
    }
    case Kind::klv: {
      const std::vector<uint8_t> bytes = bytes_of(buffer.get());
      return with_bytes(std::move(buffer), bytes, allowed_klv(bytes, allowance));
    }
    case Kind::captions: {
      const std::vector<uint8_t> bytes = bytes_of(buffer.get());
      return with_bytes(std::move(buffer), bytes, allowed_captions(bytes, allowance));
    }
    case Kind::data:
      return BufferRef();
    case Kind::unknown:
      break;
  }
  if (name_.empty()) return unsupported("the stream has no caps");
  return unsupported("the content of " + name_ +
                     " can't be examined: put the gate before what makes it");
}

}  // namespace sphere::privacy
