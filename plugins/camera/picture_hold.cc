// SPDX-License-Identifier: LGPL-2.1-or-later

#include "plugins/camera/picture_hold.h"

#include <utility>

namespace sphere::camera {

PictureHold::PictureHold(GstPad* pad, std::function<void()> held)
    : pad_(pad ? GST_PAD(gst_object_ref(pad)) : nullptr), held_(std::move(held)) {}

void PictureHold::begin() {
  end();
  {
    const Lock lock(mutex_);
    told_ = false;
  }
  const gulong probe =
      gst_pad_add_probe(pad_.get(), GST_PAD_PROBE_TYPE_BLOCK_DOWNSTREAM, block, this, nullptr);
  const Lock lock(mutex_);
  probe_ = probe;
}

void PictureHold::end() {
  gulong probe = 0;
  {
    const Lock lock(mutex_);
    probe = std::exchange(probe_, 0);
  }
  if (probe) gst_pad_remove_probe(pad_.get(), probe);
}

GstPadProbeReturn PictureHold::block(GstPad*, GstPadProbeInfo*, gpointer data) {
  auto* self = static_cast<PictureHold*>(data);
  {
    const Lock lock(self->mutex_);
    if (std::exchange(self->told_, true)) return GST_PAD_PROBE_OK;
  }
  self->held_();
  return GST_PAD_PROBE_OK;
}

}  // namespace sphere::camera
