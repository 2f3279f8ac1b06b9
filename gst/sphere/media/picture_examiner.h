// SPDX-License-Identifier: LGPL-2.1-or-later
// What the examiners of all formats of pictures have in common.

#pragma once

#include <algorithm>
#include <utility>
#include <vector>

#include "gst/sphere/media/findings.h"
#include "gst/sphere/media/part.h"
#include "gst/sphere/media/source.h"

namespace sphere::media {

class PictureExaminer {
 public:
  PictureExaminer(const Source& source, const Request& request)
      : source_(source), request_(request), findings_(request, &examination_) {}
  PictureExaminer(const PictureExaminer&) = delete;
  PictureExaminer& operator=(const PictureExaminer&) = delete;

 protected:
  std::vector<Edit>& edits() { return examination_.edits; }

  /// To be called once, at the end: the edits in the order of the file, and what was found.
  Result<Examination> finish() {
    std::ranges::sort(edits(), {}, &Edit::offset);
    if (const Status status = findings_.status(); !status) return status.error();
    return std::move(examination_);
  }

  const Source& source_;
  const Request& request_;
  Examination examination_;
  Findings findings_;
};

}  // namespace sphere::media
