// SPDX-License-Identifier: LGPL-2.1-or-later
// When each element of this process pushed each of its pictures.

#pragma once

#ifndef GST_USE_UNSTABLE_API
#error "tracers are no stable interface: define GST_USE_UNSTABLE_API before the first header"
#endif
#include <gst/gst.h>
#include <gst/gsttracer.h>

#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "gst/sphere/base/gobject.h"

namespace {

/// When each element pushed each of its pictures; camera and client are in this one process.
class PushTimes {
 public:
  static PushTimes& of_all() {
    static PushTimes pushes;
    return pushes;
  }
  void note(GstPad* pad) {
    const sphere::GstRef<GstElement> element(gst_pad_get_parent_element(pad));
    GstElementFactory* factory = element ? gst_element_get_factory(element.get()) : nullptr;
    if (!factory) return;
    const std::string name = gst_plugin_feature_get_name(factory);
    const gint64 now = g_get_monotonic_time();
    const std::lock_guard lock(mutex_);
    times_[name].push_back(now);
  }
  std::vector<gint64> of(const std::string& factory) {
    const std::lock_guard lock(mutex_);
    return times_[factory];
  }

 private:
  std::mutex mutex_;
  std::map<std::string, std::vector<gint64>> times_;
};

struct BenchTracer {
  GstTracer parent;
};
struct BenchTracerClass {
  GstTracerClass parent_class;
};
GType bench_tracer_get_type();
G_DEFINE_TYPE(BenchTracer, bench_tracer, GST_TYPE_TRACER)

void pushed(GObject*, GstClockTime, GstPad* pad, GstBuffer*) { PushTimes::of_all().note(pad); }

void bench_tracer_class_init(BenchTracerClass*) {}
void bench_tracer_init(BenchTracer* self) {
  gst_tracing_register_hook(GST_TRACER(self), "pad-push-pre", G_CALLBACK(pushed));
}

}  // namespace
