// SPDX-License-Identifier: LGPL-2.1-or-later

#include "plugins/privacy/tag_setters.h"

#include <gst/base/gstaggregator.h>

#include <algorithm>
#include <iterator>
#include <set>

#include "gst/sphere/base/gobject.h"
#include "gst/sphere/base/iterator.h"
#include "gst/sphere/base/thread.h"
#include "plugins/privacy/tags.h"

namespace sphere::privacy {

struct TagSetters::Shared {
  Mutex mutex;  // protects what follows, and is held for nothing else
  Allowance allowance SPHERE_GUARDED_BY(mutex);

  Allowance get() {
    const Lock lock(mutex);
    return allowance;
  }
};

struct TagSetters::Probe {
  GstRef<GstPad> pad;
  gulong id = 0;
};

namespace {

/// All elements that what leaves a pad can come to.
void collect_elements(GstPad* src, std::set<GstPad*>& seen,
                      std::vector<GstRef<GstElement>>& found) {
  const GstRef<GstPad> peer(gst_pad_get_peer(src));
  if (!peer || !seen.insert(peer.get()).second) return;
  const GstRef<GstElement> element(gst_pad_get_parent_element(peer.get()));
  if (element && !GST_IS_BIN(element.get()) &&
      std::ranges::none_of(found, [&](const auto& other) { return other == element; }))
    found.emplace_back(GST_ELEMENT(gst_object_ref(element.get())));
  for (const auto& next : objects_of<GstPad>(gst_pad_iterate_internal_links(peer.get())))
    collect_elements(next.get(), seen, found);
}

void clean(GstTagSetter* setter, const Allowance& allowance) {
  const GstTagList* tags = gst_tag_setter_get_tag_list(setter);
  if (!tags || !has_denied_tags(tags, allowance)) return;
  const TagsRef allowed = allowed_tags(tags, allowance);
  gst_tag_setter_reset_tags(setter);
  gst_tag_setter_merge_tags(setter, allowed.get(), GST_TAG_MERGE_REPLACE_ALL);
}

}  // namespace

TagSetters::TagSetters(GstPad* src) : src_(src), shared_(std::make_shared<Shared>()) {}

TagSetters::~TagSetters() { stop(); }

void TagSetters::set_allowance(const Allowance& allowance) {
  const Lock lock(shared_->mutex);
  shared_->allowance = allowance;
}

void TagSetters::find() {
  std::set<GstPad*> seen;
  std::vector<GstRef<GstElement>> elements;
  collect_elements(src_, seen, elements);
  std::vector<GstRef<GstPad>> wanted;
  for (const GstRef<GstElement>& element : elements) {
    if (!GST_IS_TAG_SETTER(element.get())) continue;
    // An aggregator handles its events in the thread that pushes, others in those that are pushed
    // to.
    std::ranges::move(objects_of<GstPad>(GST_IS_AGGREGATOR(element.get())
                                             ? gst_element_iterate_src_pads(element.get())
                                             : gst_element_iterate_sink_pads(element.get())),
                      std::back_inserter(wanted));
  }
  std::erase_if(probes_, [&](const Probe& probe) {
    const bool stays = std::ranges::find(wanted, probe.pad) != wanted.end();
    if (!stays) gst_pad_remove_probe(probe.pad.get(), probe.id);
    return !stays;
  });
  for (GstRef<GstPad>& pad : wanted) {
    if (std::ranges::any_of(probes_, [&](const Probe& probe) { return probe.pad == pad; }))
      continue;
    Probe probe;
    probe.id = gst_pad_add_probe(
        pad.get(), static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_DATA_DOWNSTREAM),
        [](GstPad* at, GstPadProbeInfo*, gpointer data) {
          const GstRef<GstElement> element(gst_pad_get_parent_element(at));
          if (element)
            clean(GST_TAG_SETTER(element.get()),
                  (*static_cast<std::shared_ptr<Shared>*>(data))->get());
          return GST_PAD_PROBE_OK;
        },
        new std::shared_ptr<Shared>(shared_),
        [](gpointer data) { delete static_cast<std::shared_ptr<Shared>*>(data); });
    probe.pad = std::move(pad);
    probes_.push_back(std::move(probe));
  }
}

void TagSetters::stop() {
  for (const Probe& probe : probes_) gst_pad_remove_probe(probe.pad.get(), probe.id);
  probes_.clear();
}

}  // namespace sphere::privacy
