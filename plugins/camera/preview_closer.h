// SPDX-License-Identifier: LGPL-2.1-or-later
// Closes the previews of spherecamsrc.

#pragma once

#include <gst/gst.h>

#include <memory>
#include <vector>

#include "hw/camera.h"

namespace sphere::camera {

/// A preview can't be closed while downstream holds one of its buffers. A sink may hold sound until
/// another one has its first picture, which the next preview brings: so the next one is not waited
/// for. All functions are called in one thread.
class PreviewCloser {
 public:
  PreviewCloser();
  /// Waits until all are closed.
  ~PreviewCloser();
  PreviewCloser(const PreviewCloser&) = delete;
  PreviewCloser& operator=(const PreviewCloser&) = delete;

  /// Takes the preview out of this bin and closes it. Waits for a second at most, unless downstream
  /// holds buffers of several earlier ones.
  void close(GstBin* bin, std::shared_ptr<hw::Preview> preview);
  /// Waits until all are closed. To be called when downstream holds nothing any more.
  void finish();

 private:
  struct Closing;
  std::vector<std::unique_ptr<Closing>> closing_;
};

}  // namespace sphere::camera
