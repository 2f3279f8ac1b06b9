// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/warp/drawerbin.h"

#include <utility>
#include <vector>

#include "config.h"
#include "gst/sphere/base/gobject.h"
#if HAVE_GL
#include "gst/sphere/gl/headless.h"
#endif

namespace sphere {

namespace {

/// Which element to take, and the reason in words.
struct Choice {
  bool gl = false;
  std::string reason;
};

Choice choose() {
#if HAVE_GL
  const GlProbe& gl = probe_gl();
  if (!gl.usable) return {false, "GL can't be used: " + gl.reason};
  if (gl.software) return {false, "GL is drawn in software (" + gl.renderer + ")"};
  return {true, "GL runs on " + gl.renderer};
#else
  return {false, "built without GL"};
#endif
}

GstPad* add_ghost_pad(GstElement* bin, const char* name) {
  GstPadTemplate* made = gst_element_class_get_pad_template(GST_ELEMENT_GET_CLASS(bin), name);
  GstPad* pad = gst_ghost_pad_new_no_target_from_template(name, made);
  gst_element_add_pad(bin, pad);
  return pad;
}

/// Applies the values of a GstController to the bin's properties, by stream time. GstBaseTransform
/// does this for its own elements, but a bin does not.
GstPadProbeReturn sync_values(GstPad* pad, GstPadProbeInfo* info, gpointer data) {
  auto* bin = GST_OBJECT(data);
  if (!gst_object_has_active_control_bindings(bin)) return GST_PAD_PROBE_OK;
  g_autoptr(GstEvent) event = gst_pad_get_sticky_event(pad, GST_EVENT_SEGMENT, 0);
  const GstSegment* segment = nullptr;
  if (event) gst_event_parse_segment(event, &segment);
  if (!segment || segment->format != GST_FORMAT_TIME) return GST_PAD_PROBE_OK;
  const GstClockTime time = gst_segment_to_stream_time(
      segment, GST_FORMAT_TIME, GST_BUFFER_PTS(GST_PAD_PROBE_INFO_BUFFER(info)));
  if (GST_CLOCK_TIME_IS_VALID(time)) gst_object_sync_values(bin, time);
  return GST_PAD_PROBE_OK;
}

/// The properties of a bin that its element may have, too: those that can be set.
std::vector<GParamSpec*> settable_properties(GstBin* bin) {
  guint count = 0;
  g_autofree GParamSpec** all = g_object_class_list_properties(G_OBJECT_GET_CLASS(bin), &count);
  std::vector<GParamSpec*> settable(all, all + count);
  std::erase_if(settable, [bin](const GParamSpec* spec) {
    return spec->owner_type != G_OBJECT_TYPE(bin) || !(spec->flags & G_PARAM_WRITABLE);
  });
  return settable;
}

/// What a property of an object is at this moment.
class PropertyValue {
 public:
  PropertyValue(GObject* object, GParamSpec* spec) : spec_(spec) {
    g_value_init(&value_, spec->value_type);
    g_object_get_property(object, spec->name, &value_);
  }
  ~PropertyValue() { g_value_unset(&value_); }
  PropertyValue(const PropertyValue&) = delete;
  PropertyValue& operator=(const PropertyValue&) = delete;

  const GValue* get() const { return &value_; }
  void swap(PropertyValue& other) { std::swap(value_, other.value_); }
  bool operator==(const PropertyValue& other) const {
    return g_param_values_cmp(spec_, &value_, &other.value_) == 0;
  }

 private:
  GParamSpec* const spec_;
  GValue value_ = G_VALUE_INIT;
};

/// What the handler of an element's property has.
struct Link {
  const std::function<void(GObject*)> changed;
  GWeakRef bin;
};

}  // namespace

DrawerBin::DrawerBin(GstBin* bin, const Names& names, Inside inside, SetOwn set_own)
    : bin_(bin),
      names_(names),
      inside_(inside),
      set_own_(std::move(set_own)),
      shared_(settable_properties(bin)),
      sink_(add_ghost_pad(GST_ELEMENT(bin), "sink")),
      src_(add_ghost_pad(GST_ELEMENT(bin), "src")) {
  gst_pad_add_probe(sink_, GST_PAD_PROBE_TYPE_BUFFER, sync_values, bin, nullptr);
}

// The properties are not kept equal by GBinding, because threads may set them while another thread
// removes the element, and because a value that is set must be there when the call returns.

void DrawerBin::pass_property(guint id) const {
  std::vector<ObjectRef<GObject>> elements;
  {
    const Lock lock(mutex_);
    for (const auto& element : elements_)
      elements.emplace_back(G_OBJECT(g_object_ref(element.get())));
  }
  if (elements.empty()) return;
  for (GParamSpec* spec : shared_)
    if (spec->param_id == id)
      for (const auto& element : elements) pass(spec, element.get());
}

void DrawerBin::pass(GParamSpec* spec, GObject* element) const {
  if (!g_object_class_find_property(G_OBJECT_GET_CLASS(element), spec->name)) return;
  // If threads do this at the same time, the last one sees the present value.
  PropertyValue value(G_OBJECT(bin_), spec);
  for (;;) {
    g_object_set_property(element, spec->name, value.get());
    PropertyValue now(G_OBJECT(bin_), spec);
    if (now == value) return;
    value.swap(now);
  }
}

/// The element has changed a property by itself.
void DrawerBin::follow(GParamSpec* spec, GObject* element) const {
  PropertyValue value(element, spec);
  if (value == PropertyValue(G_OBJECT(bin_), spec)) return;
  for (;;) {
    set_own_(spec->param_id, value.get());
    PropertyValue now(element, spec);
    if (now == value) break;
    value.swap(now);
  }
  g_object_notify_by_pspec(G_OBJECT(bin_), spec);
}

void DrawerBin::keep_equal(GstElement* element) {
  {
    const Lock lock(mutex_);
    elements_.emplace_back(G_OBJECT(gst_object_ref(element)));
  }
  for (GParamSpec* spec : shared_) pass(spec, G_OBJECT(element));
  if (inside_ == Inside::changes_nothing) return;
  for (GParamSpec* spec : shared_) {
    // The element may notify in one thread while another ends the bin.
    auto* link = new Link{[this, spec](GObject* changed) { follow(spec, changed); }, {}};
    g_weak_ref_init(&link->bin, bin_);
    g_signal_connect_data(
        element, (std::string("notify::") + spec->name).c_str(),
        G_CALLBACK(+[](GObject* changed, GParamSpec*, Link* link) {
          const ObjectRef<GObject> bin(G_OBJECT(g_weak_ref_get(&link->bin)));
          if (bin) link->changed(changed);
        }),
        link,
        [](gpointer data, GClosure*) {
          auto* link = static_cast<Link*>(data);
          g_weak_ref_clear(&link->bin);
          delete link;
        },
        GConnectFlags{});
  }
}

bool DrawerBin::add_elements(bool gl) {
  std::vector<const char*> factories = {names_.cpu};
  if (gl) factories = {"glupload", names_.gl, "gldownload"};
  GstElement* first = nullptr;
  GstElement* last = nullptr;
  for (const char* factory : factories) {
    GstElement* element = gst_element_factory_make(factory, nullptr);
    if (!element) {
      GST_ELEMENT_ERROR(bin_, CORE, MISSING_PLUGIN,
                        ("The element '%s' is missing; install GStreamer's base plugins.", factory),
                        (nullptr));
      return false;
    }
    gst_bin_add(bin_, element);
    keep_equal(element);
    if (last && !gst_element_link(last, element)) return false;
    if (!first) first = element;
    last = element;
  }
  g_autoptr(GstPad) sink = gst_element_get_static_pad(first, "sink");
  g_autoptr(GstPad) src = gst_element_get_static_pad(last, "src");
  return gst_ghost_pad_set_target(GST_GHOST_PAD(sink_), sink) &&
         gst_ghost_pad_set_target(GST_GHOST_PAD(src_), src);
}

void DrawerBin::empty() {
  gst_ghost_pad_set_target(GST_GHOST_PAD(sink_), nullptr);
  gst_ghost_pad_set_target(GST_GHOST_PAD(src_), nullptr);
  {
    const Lock lock(mutex_);
    elements_.clear();
  }
  while (GList* child = GST_BIN_CHILDREN(bin_)) {
    auto* element = GST_ELEMENT(child->data);
    gst_element_set_state(element, GST_STATE_NULL);
    gst_bin_remove(bin_, element);
  }
}

bool DrawerBin::fill() {
  const Choice chosen = choose();
  const char* name = chosen.gl ? names_.gl : names_.cpu;
  {
    const Lock lock(mutex_);
    name_ = name;
    reason_ = chosen.reason;
  }
  GST_CAT_INFO_OBJECT(names_.category, bin_, "uses %s: %s", name, chosen.reason.c_str());
  gst_element_post_message(
      GST_ELEMENT(bin_),
      gst_message_new_element(
          GST_OBJECT(bin_),
          gst_structure_new(names_.message, names_.member, G_TYPE_STRING, name, "reason",
                            G_TYPE_STRING, chosen.reason.c_str(), nullptr)));
  g_object_notify(G_OBJECT(bin_), names_.member);
  g_object_notify(G_OBJECT(bin_), "reason");
  return add_elements(chosen.gl);
}

GstStateChangeReturn DrawerBin::change_state(GstStateChange transition,
                                             GstStateChangeReturn (*parent)(GstElement*,
                                                                            GstStateChange)) {
  if (transition == GST_STATE_CHANGE_NULL_TO_READY && !fill()) {
    empty();
    return GST_STATE_CHANGE_FAILURE;
  }
  const GstStateChangeReturn result = parent(GST_ELEMENT(bin_), transition);
  if (transition == GST_STATE_CHANGE_READY_TO_NULL ||
      (transition == GST_STATE_CHANGE_NULL_TO_READY && result == GST_STATE_CHANGE_FAILURE))
    empty();
  return result;
}

bool DrawerBin::get_property(guint id, GValue* value) {
  const guint member_id = names_.member_id, reason_id = member_id + 1;
  if (id != member_id && id != reason_id) return false;
  const Lock lock(mutex_);
  const std::string& text = id == member_id ? name_ : reason_;
  g_value_set_string(value, name_.empty() ? nullptr : text.c_str());
  return true;
}

void install_choice_properties(GObjectClass* klass, guint member_id, const char* member,
                               const char* nick, const char* blurb, const char* reason_blurb) {
  constexpr auto readable = static_cast<GParamFlags>(G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  g_object_class_install_property(klass, member_id,
                                  g_param_spec_string(member, nick, blurb, nullptr, readable));
  g_object_class_install_property(
      klass, member_id + 1,
      g_param_spec_string("reason", "Reason", reason_blurb, nullptr, readable));
}

}  // namespace sphere
