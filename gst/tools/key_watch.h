// SPDX-License-Identifier: LGPL-2.1-or-later
// Keys that are pressed in the window of a pipeline.

#pragma once

#include <gst/gst.h>
#include <gst/video/navigation.h>

#include <functional>
#include <memory>
#include <string>

#include "gst/sphere/base/gobject.h"

namespace sphere::tool {

/// To be destroyed in the thread of the default main context, where the keys are told.
class KeyWatch {
 public:
  using Press = std::function<void(const std::string& key)>;

  /// Calls `press` with the name of each key whose event comes upstream to `pad`; never within the
  /// event, in the middle of which the window may be.
  KeyWatch(GstPad* pad, Press press)
      : pad_(GST_PAD(gst_object_ref(pad))), press_(std::make_shared<Press>(std::move(press))) {
    probe_ = gst_pad_add_probe(
        pad, GST_PAD_PROBE_TYPE_EVENT_UPSTREAM, handle_event, new std::weak_ptr<Press>(press_),
        +[](gpointer weak) { delete static_cast<std::weak_ptr<Press>*>(weak); });
  }
  KeyWatch(const KeyWatch&) = delete;
  KeyWatch& operator=(const KeyWatch&) = delete;
  ~KeyWatch() { gst_pad_remove_probe(pad_.get(), probe_); }

 private:
  struct Call {
    std::weak_ptr<Press> press;
    std::string key;
  };

  static GstPadProbeReturn handle_event(GstPad*, GstPadProbeInfo* info, gpointer weak) {
    GstEvent* event = GST_PAD_PROBE_INFO_EVENT(info);
    const char* key = nullptr;
    if (GST_EVENT_TYPE(event) == GST_EVENT_NAVIGATION &&
        gst_navigation_event_get_type(event) == GST_NAVIGATION_EVENT_KEY_PRESS &&
        gst_navigation_event_parse_key_event(event, &key) && key)
      g_idle_add_full(
          G_PRIORITY_DEFAULT, tell, new Call{*static_cast<std::weak_ptr<Press>*>(weak), key},
          +[](gpointer call) { delete static_cast<Call*>(call); });
    return GST_PAD_PROBE_OK;
  }
  static gboolean tell(gpointer data) {
    const auto* call = static_cast<const Call*>(data);
    if (const auto press = call->press.lock()) (*press)(call->key);
    return G_SOURCE_REMOVE;
  }

  const GstRef<GstPad> pad_;
  const std::shared_ptr<Press> press_;
  gulong probe_ = 0;
};

}  // namespace sphere::tool
