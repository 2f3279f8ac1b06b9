// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/live/branch.h"

#include <utility>

#include "gst/live/encoding.h"
#include "gst/sphere/base/gobject.h"

namespace sphere::live {

using consent::bit;
using consent::Purpose;

namespace {

// The purposes that the gates know, in the order in which they stand.
constexpr Purpose place_purposes[] = {Purpose::geotag, Purpose::share};
constexpr Purpose sound_purposes[] = {Purpose::live, Purpose::record, Purpose::share};

// kbit/s, stereo.
constexpr int aac_bitrate = 128000, opus_bitrate = 96000;

/// Links elements in a new bin, whose pads are the first one's `sink` and the last one's `src`.
Result<GstElement*> make_chain(const std::vector<GstElement*>& elements) {
  GstElement* bin = gst_bin_new(nullptr);
  GstElement* before = nullptr;
  bool linked = true;
  for (GstElement* element : elements) {
    gst_bin_add(GST_BIN(bin), element);
    linked = linked && (!before || gst_element_link(before, element));
    before = element;
  }
  if (!linked) {
    gst_object_unref(gst_object_ref_sink(bin));
    return failed("the gates before an output can't be linked");
  }
  const GstRef<GstPad> sink(gst_element_get_static_pad(elements.front(), "sink"));
  gst_element_add_pad(bin, gst_ghost_pad_new("sink", sink.get()));
  if (const GstRef<GstPad> src{gst_element_get_static_pad(elements.back(), "src")})
    gst_element_add_pad(bin, gst_ghost_pad_new("src", src.get()));
  return bin;
}

/// Makes all or none.
class Elements {
 public:
  ~Elements() {
    for (GstElement* element : made_) gst_object_unref(gst_object_ref_sink(element));
  }
  GstElement* add(const char* factory) {
    GstElement* element = gst_element_factory_make(factory, nullptr);
    if (element)
      made_.push_back(element);
    else if (missing_.empty())
      missing_ = factory;
    return element;
  }
  Result<GstElement*> link() {
    if (!missing_.empty()) return missing_element(missing_);
    return make_chain(std::exchange(made_, {}));
  }

 private:
  std::vector<GstElement*> made_;
  std::string missing_;
};

GstElement* add_sink(Elements* elements) {
  GstElement* sink = elements->add("appsink");
  if (sink)
    g_object_set(sink, "sync", FALSE, "async", FALSE, "max-buffers", 4u, "enable-last-sample",
                 FALSE, nullptr);
  return sink;
}

}  // namespace

void Branch::set_up_gate(GstElement* gate, Purpose purpose, bool sound) {
  if (!gate) return;
  gst_util_set_object_arg(G_OBJECT(gate), "purpose", std::string(name_of(purpose)).c_str());
  const OutputConsent given = consent();
  const bool own = sound && given.sound;
  if (const auto& text = own ? given.sound : given.caps) {
    const CapsRef caps(gst_caps_from_string(text->c_str()));
    g_object_set(gate, "consent", caps.get(), nullptr);
  }
  if (given.ledger && !own) g_object_set(gate, "ledger", given.ledger->c_str(), nullptr);
  const Lock lock(mutex_);
  gates_.push_back({GstRef<GstElement>(GST_ELEMENT(gst_object_ref(gate))), sound});
}

Result<GstElement*> Branch::make_video(Feed* feed, std::function<void()> end) {
  Elements elements;
  if (needs_.video == VideoForm::raw) {
    // A window that is slow must not hold up the encoders.
    GstElement* queue = elements.add("queue");
    if (queue) {
      g_object_set(queue, "max-size-buffers", 1u, "max-size-bytes", 0u, "max-size-time", guint64{0},
                   nullptr);
      gst_util_set_object_arg(G_OBJECT(queue), "leaky", "downstream");
    }
  }
  for (const Purpose purpose : place_purposes)
    if (needs_.location_purposes & bit(purpose))
      set_up_gate(elements.add("spheregeogate"), purpose, false);
  GstElement* sink = add_sink(&elements);
  if (sink) feed->watch_video(GST_APP_SINK(sink), std::move(end));
  return elements.link();
}

Result<GstElement*> Branch::make_sound_gates() {
  Elements elements;
  elements.add("queue");
  for (const Purpose purpose : sound_purposes)
    if (needs_.audio_purposes & bit(purpose))
      set_up_gate(elements.add("sphereaudiogate"), purpose, true);
  return elements.link();
}

Result<GstElement*> Branch::make_audio(Feed* feed, bool coded) {
  Elements elements;
  if (!coded && needs_.audio != AudioForm::raw) {
    elements.add("audioconvert");
    GstElement* encoder = elements.add(needs_.audio == AudioForm::opus ? "opusenc" : "avenc_aac");
    if (encoder)
      g_object_set(encoder, "bitrate", needs_.audio == AudioForm::opus ? opus_bitrate : aac_bitrate,
                   nullptr);
    if (needs_.audio == AudioForm::aac) elements.add("aacparse");
  }
  GstElement* sink = add_sink(&elements);
  if (sink) feed->watch_audio(GST_APP_SINK(sink));
  return elements.link();
}

std::vector<Branch::Gate> Branch::gates() const {
  std::vector<Gate> copies;
  const Lock lock(mutex_);
  for (const Gate& gate : gates_)
    copies.push_back(
        {GstRef<GstElement>(GST_ELEMENT(gst_object_ref(gate.element.get()))), gate.sound});
  return copies;
}

void Branch::set_consent(const std::optional<std::string>& caps,
                         const std::optional<std::string>& ledger) {
  {
    const Lock lock(mutex_);
    consent_.caps = caps;
    consent_.ledger = ledger;
  }
  for (const Gate& gate : gates()) {
    if (caps) {
      const CapsRef given(gst_caps_from_string(caps->c_str()));
      g_object_set(gate.element.get(), "consent", given.get(), nullptr);
    }
    if (ledger) g_object_set(gate.element.get(), "ledger", ledger->c_str(), nullptr);
  }
}

void Branch::take_back_sound() {
  const CapsRef nothing(gst_caps_new_empty());
  for (const Gate& gate : gates())
    if (gate.sound) g_object_set(gate.element.get(), "consent", nothing.get(), nullptr);
}

OutputConsent Branch::consent() const {
  const Lock lock(mutex_);
  return consent_;
}

}  // namespace sphere::live
