// SPDX-License-Identifier: LGPL-2.1-or-later

#include "plugins/camera/audio_branch.h"

#include <algorithm>
#include <string>
#include <utility>

#include "plugins/camera/live_pad.h"

GST_DEBUG_CATEGORY_EXTERN(spherecamsrc_debug);
#define GST_CAT_DEFAULT spherecamsrc_debug

namespace sphere::camera {

using consent::Category;
using consent::Purpose;

namespace {

GstFlowReturn chain(GstPad* pad, GstObject* parent, GstBuffer* buffer) {
  const GstFlowReturn flow = gst_proxy_pad_chain_default(pad, parent, buffer);
  // Downstream wants no more sound. The rest of the pipeline behind this pad is told with an EOS.
  if (flow == GST_FLOW_EOS) gst_pad_push_event(GST_PAD(parent), gst_event_new_eos());
  return flow;
}

}  // namespace

bool AudioBranch::allowed() const { return consent_.ask(Category::audio, Purpose::live).allowed; }

bool AudioBranch::changed_since_asked() {
  const Lock lock(mutex_);
  return consent_.version() != asked_;
}

bool AudioBranch::allowed_to_ask() {
  {
    const Lock lock(mutex_);
    asked_ = consent_.version();
  }
  const consent::Answer answer = consent_.ask(Category::audio, Purpose::live);
  GST_INFO_OBJECT(bin_, "%s: %s", answer.allowed ? "asking for sound" : "no sound is asked for",
                  answer.reason.c_str());
  return answer.allowed;
}

AudioBranch::Linked AudioBranch::link(GstPad* sound, const std::string& codec) {
  GstElement* parts = nullptr;
  {
    const Lock lock(mutex_);
    parts = parts_;
  }
  const bool other = parts && codec != GST_OBJECT_NAME(parts);
  if (other) remove();
  const bool anew = !parts || other;
  if (anew && !build(codec)) return Linked::no;
  GstRef<GstPad> sink;
  {
    const Lock lock(mutex_);
    sink.reset(gst_element_get_static_pad(parts_, "sink"));
  }
  if (gst_pad_link(sound, sink.get()) != GST_PAD_LINK_OK) return Linked::no;
  return anew ? Linked::to_new_pad : Linked::to_old_pad;
}

bool AudioBranch::build(const std::string& codec) {
  g_autoptr(GError) error = nullptr;
  GstElement* parts = gst_parse_bin_from_description_full(
      "identity name=in silent=true ! sphereaudiogate name=gate", TRUE, nullptr,
      GST_PARSE_FLAG_FATAL_ERRORS, &error);
  if (!parts) {
    GST_ELEMENT_WARNING(bin_, CORE, MISSING_PLUGIN,
                        ("There is no sound, because the element 'sphereaudiogate' is missing; set "
                         "GST_PLUGIN_PATH to the folder of gst-sphere's plugins."),
                        ("%s", error->message));
    return false;
  }
  gst_object_set_name(GST_OBJECT(parts), codec.c_str());
  {
    const Lock lock(mutex_);
    gate_.reset(gst_bin_get_by_name(GST_BIN(parts), "gate"));
  }
  pass_consent();
  const GstRef<GstElement> in(gst_bin_get_by_name(GST_BIN(parts), "in"));
  const GstRef<GstPad> from(gst_element_get_static_pad(in.get(), "src"));
  auto splicer = std::make_unique<StreamSplicer>(from.get());
  const int number = ++number_;
  GstPad* pad = gst_ghost_pad_new_no_target_from_template(
      "audio", gst_element_class_get_pad_template(GST_ELEMENT_GET_CLASS(bin_), "audio"));
  refuse_seeks(pad);
  const GString_ id(gst_pad_create_stream_id_printf(pad, GST_ELEMENT(bin_), "audio-%d", number));
  splicer->restart(id.get(), group_);
  const std::vector purposes{Purpose::live, Purpose::record, Purpose::edit, Purpose::share};
  event_maker_.emplace(consent_, Category::audio, purposes);
  gst_pad_add_probe(from.get(), GST_PAD_PROBE_TYPE_BUFFER, stamp, this, nullptr);
  consent::mark_consent_event_source(from.get());

  // The gate starts before it is added to a running pipeline, as if it had been there from the
  // start. The same applies to event_maker_. This is correct only if nothing has changed since the
  // sound was requested.
  GList* contexts = gst_element_get_contexts(GST_ELEMENT(bin_));
  for (GList* one = contexts; one; one = one->next)
    gst_element_set_context(parts, GST_CONTEXT_CAST(one->data));
  g_list_free_full(contexts, [](gpointer one) { gst_context_unref(GST_CONTEXT_CAST(one)); });
  gst_element_set_state(parts, GST_STATE_PAUSED);
  if (changed_since_asked()) {
    gst_element_set_state(parts, GST_STATE_READY);
    event_maker_.emplace(consent_, Category::audio, purposes,
                         consent::ConsentEventMaker::Start::during_capture);
  }
  gst_bin_add(bin_, parts);
  const GstRef<GstPad> source(gst_element_get_static_pad(parts, "src"));
  gst_ghost_pad_set_target(GST_GHOST_PAD(pad), source.get());
  const GstRef<GstPad> internal(GST_PAD(gst_proxy_pad_get_internal(GST_PROXY_PAD(pad))));
  gst_pad_set_chain_function(internal.get(), chain);
  {
    const Lock lock(mutex_);
    parts_ = parts;
    pad_ = pad;
    splicer_ = std::move(splicer);
  }
  gst_pad_set_active(pad, TRUE);
  gst_element_add_pad(GST_ELEMENT(bin_), pad);
  gst_element_sync_state_with_parent(parts);
  return true;
}

void AudioBranch::pass_consent() {
  GstRef<GstElement> gate;
  {
    const Lock lock(mutex_);
    if (!gate_) return;
    gate.reset(GST_ELEMENT(gst_object_ref(gate_.get())));
  }
  // Threads may set them at the same time. Whoever comes last here leaves the present values.
  std::optional<std::string> ledger;
  do {
    ledger = consent_.ledger();
    g_autofree char* present = nullptr;
    g_object_get(gate.get(), "ledger", &present, nullptr);
    const char* wanted = ledger ? ledger->c_str() : nullptr;
    if (g_strcmp0(present, wanted) != 0) g_object_set(gate.get(), "ledger", wanted, nullptr);
  } while (consent_.ledger() != ledger);
  CapsRef caps;
  do {
    caps = consent_.caps();
    // If nobody has set the property, the gate's is not set either: an empty value would deny.
    if (caps) g_object_set(gate.get(), "consent", caps.get(), nullptr);
  } while (consent_.caps().get() != caps.get());
}

GstPadProbeReturn AudioBranch::stamp(GstPad* pad, GstPadProbeInfo* info, gpointer data) {
  auto* self = static_cast<AudioBranch*>(data);
  GstBuffer* buffer = GST_PAD_PROBE_INFO_BUFFER(info);
  // Times are running times here. What arrives from now on was captured after now, and what has
  // already arrived ends before its own end.
  const auto fresh = [&] {
    GstElement* bin = GST_ELEMENT(self->bin_);
    GstClockTime time = 0;
    if (const GstRef<GstClock> clock{gst_element_get_clock(bin)})
      time = gst_clock_get_time(clock.get()) - gst_element_get_base_time(bin);
    if (!GST_BUFFER_PTS_IS_VALID(buffer)) return time;
    const GstClockTime length =
        GST_BUFFER_DURATION_IS_VALID(buffer) ? GST_BUFFER_DURATION(buffer) : 0;
    return std::max(time, GST_BUFFER_PTS(buffer) + length);
  };
  if (EventRef event = self->event_maker_->before(fresh)) gst_pad_push_event(pad, event.release());
  return GST_PAD_PROBE_OK;
}

void AudioBranch::remove() {
  GstElement* parts = nullptr;
  GstPad* pad = nullptr;
  std::unique_ptr<StreamSplicer> splicer;
  {
    const Lock lock(mutex_);
    parts = std::exchange(parts_, nullptr);
    gate_.reset();
    pad = std::exchange(pad_, nullptr);
    splicer = std::move(splicer_);
  }
  if (!parts) return;
  const GstRef<GstElement> gone(GST_ELEMENT(gst_object_ref(parts)));
  // It waits while downstream holds a buffer; a bin waits for its children when its own state
  // changes.
  gst_bin_remove(bin_, gone.get());
  gst_element_set_state(gone.get(), GST_STATE_NULL);
  // A muxer must not wait for this pad.
  gst_pad_push_event(pad, gst_event_new_eos());
  gst_pad_set_active(pad, FALSE);
  gst_element_remove_pad(GST_ELEMENT(bin_), pad);
}

}  // namespace sphere::camera
