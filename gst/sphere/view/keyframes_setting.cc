// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/view/keyframes_setting.h"

#include "gst/sphere/view/file.h"

namespace sphere {

KeyframesSetting::KeyframesSetting(const char* file_or_text) {
  if (!file_or_text || !*file_or_text) return;
  words_ = file_or_text;
  path_ = std::make_shared<const Result<ViewPath>>(load_view_path(words_));
}

Projection KeyframesSetting::first_projection(Projection otherwise) const {
  return path_ && *path_ ? (*path_)->keyframes().front().projection : otherwise;
}

Status KeyframesSetting::apply(const GstSegment& segment, GstBuffer* buffer, View* view) const {
  if (!path_) return ok();
  if (!*path_) return invalid("the keyframes can't be used: " + path_->error().message);
  // An application's appsrc has no times in its segment where it was not told to.
  const GstClockTime time =
      segment.format == GST_FORMAT_TIME
          ? gst_segment_to_stream_time(&segment, GST_FORMAT_TIME, GST_BUFFER_PTS(buffer))
          : GST_BUFFER_PTS(buffer);
  *view = (*path_)->at(GST_CLOCK_TIME_IS_VALID(time) ? static_cast<double>(time) / GST_SECOND : 0);
  return ok();
}

}  // namespace sphere
