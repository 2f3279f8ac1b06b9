// SPDX-License-Identifier: LGPL-2.1-or-later
// See lens/recording.h.

#include "gst/sphere/lens/recording.h"

#include <fcntl.h>

#include <cerrno>
#include <cstring>

#include "gst/sphere/base/bytes.h"
#include "gst/sphere/base/descriptor.h"
#include "gst/sphere/lens/table.h"
#include "gst/sphere/makers/capture.h"
#include "gst/sphere/media/isobmff.h"
#include "gst/sphere/media/source.h"

namespace sphere {

bool is_recording(std::span<const uint8_t> head) {
  const media::Kind kind = media::sniff(media::MemorySource(head));
  return kind == media::Kind::isobmff || kind == media::Kind::jpeg ||
         ByteReader(head).starts_with({"II*\0", 4}) || ByteReader(head).starts_with({"MM\0*", 4});
}

Result<LensPair> lens_of_recording(const std::string& path) {
  // Opened without blocking: open() would wait for the writer of a named pipe, which is an error
  // anyway.
  const Descriptor descriptor(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!descriptor) return failed(path + ": can't be read: " + std::strerror(errno));
  const Result<media::FileSource> source = media::FileSource::make(descriptor.get());
  if (!source) return invalid(path + ": " + source.error().message);
  const Result<makers::CaptureInfo> info = makers::read_file(*source);
  if (!info) return invalid(path + ": " + info.error().message);
  if (!info->lens_table.empty()) return parse_table(info->lens_table, path);
  return invalid(path + ": has no lens table" +
                 (info->problems.empty() ? "" : ": " + info->problems.front()));
}

}  // namespace sphere
