// SPDX-License-Identifier: LGPL-2.1-or-later
// Sets what can be set while an element plays, from another thread.

#pragma once

// The standard library comes first: check defines `fail` as a macro.
#include <algorithm>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <gst/check/gstcheck.h>

#include "gst/sphere/base/gobject.h"
#include "tests/check/pipeline.h"

namespace sphere::test {

/// Sets and reads every property of a stitcher that may be set while it plays, at random within its
/// range. Each picture starts some rounds, which continue while it is drawn and afterwards. A
/// thread that never waits would leave too little time for the others.
class PropertyChanger {
 public:
  explicit PropertyChanger(GstElement* element)
      : element_(GST_ELEMENT(gst_object_ref(element))),
        sink_(gst_element_get_static_pad(element, "sink")),
        probe_(gst_pad_add_probe(
            sink_.get(), GST_PAD_PROBE_TYPE_BUFFER,
            +[](GstPad*, GstPadProbeInfo*, gpointer self) {
              static_cast<PropertyChanger*>(self)->set_off();
              return GST_PAD_PROBE_OK;
            },
            this, nullptr)),
        thread_([this] { run(); }) {}
  ~PropertyChanger() { stop(); }
  PropertyChanger(const PropertyChanger&) = delete;
  PropertyChanger& operator=(const PropertyChanger&) = delete;

  /// How often all of them were set.
  long stop() {
    {
      std::lock_guard lock(mutex_);
      done_ = true;
    }
    due_.notify_one();
    if (thread_.joinable()) {
      thread_.join();
      gst_pad_remove_probe(sink_.get(), probe_);
    }
    return rounds_;
  }

 private:
  static constexpr int rounds_a_picture = 20;

  void set_off() {
    {
      std::lock_guard lock(mutex_);
      wanted_ = rounds_a_picture;
    }
    due_.notify_one();
  }

  /// Waits for a picture after which all rounds so far are done; false at the end.
  bool next() {
    std::unique_lock lock(mutex_);
    due_.wait(lock, [this] { return done_ || wanted_ > 0; });
    --wanted_;
    return !done_;
  }

  void run() {
    guint count = 0;
    g_autofree GParamSpec** specs =
        g_object_class_list_properties(G_OBJECT_GET_CLASS(element_.get()), &count);
    while (next()) {
      for (guint i = 0; i < count; ++i)
        if (specs[i]->flags & GST_PARAM_MUTABLE_PLAYING) change(specs[i]);
      ++rounds_;
    }
  }

  void change(GParamSpec* spec) {
    GValue value = G_VALUE_INIT;
    g_value_init(&value, spec->value_type);
    const auto any = [this](auto most) {
      return static_cast<decltype(most)>(random_() % (static_cast<unsigned>(most) + 1));
    };
    if (std::strcmp(spec->name, "lens") == 0) {
      static constexpr const char* lenses[] = {"dual-190", "gear360", "mi-sphere"};
      g_value_set_static_string(&value, lenses[any(2)]);
    } else if (G_IS_PARAM_SPEC_ENUM(spec)) {
      const GEnumClass* klass = G_PARAM_SPEC_ENUM(spec)->enum_class;
      g_value_set_enum(&value, klass->values[any(klass->n_values - 1)].value);
    } else if (G_IS_PARAM_SPEC_DOUBLE(spec)) {
      const GParamSpecDouble* range = G_PARAM_SPEC_DOUBLE(spec);
      g_value_set_double(&value,
                         range->minimum + (range->maximum - range->minimum) * any(1000) / 1000.0);
    } else if (G_IS_PARAM_SPEC_INT(spec)) {
      // More threads would only be slower.
      g_value_set_int(&value, G_PARAM_SPEC_INT(spec)->minimum + any(4));
    } else {
      g_value_unset(&value);
      return;
    }
    g_object_set_property(G_OBJECT(element_.get()), spec->name, &value);
    g_object_get_property(G_OBJECT(element_.get()), spec->name, &value);
    g_value_unset(&value);
  }

  const GstRef<GstElement> element_;
  const GstRef<GstPad> sink_;
  const gulong probe_;
  std::minstd_rand random_;
  long rounds_ = 0;
  // Protects these two; held for nothing else.
  std::mutex mutex_;
  bool done_ = false;
  int wanted_ = 0;
  std::condition_variable due_;
  // The last member: it uses all others.
  std::thread thread_;
};

/// A launch line with a stitcher `s` and an appsink `sink` gives all of its pictures while the
/// properties of the stitcher are set.
inline void play_while_changed(const std::string& line, int pictures) {
  Pipeline p(line);
  PropertyChanger changer(p.child("s").get());
  p.play();
  int buffers = 0;
  while (p.pull()) ++buffers;
  const long changes = changer.stop();
  fail_unless_equals_int(buffers, pictures);
  fail_unless(changes >= pictures, "%ld changes", changes);
}

}  // namespace sphere::test
