// SPDX-License-Identifier: LGPL-2.1-or-later
// The sources of consent of an element, and the answer that is kept up to date.

#include "gst/sphere/consent/guard.h"

#include "gst/sphere/consent/gstsphereconsent.h"

namespace sphere::consent {

// --- sources ---------------------------------------------------------------------------------

void Consent::set_caps(const GstCaps* caps) {
  CapsRef copy(caps ? gst_caps_copy(caps) : nullptr);
  {
    const Lock lock(mutex_);
    caps_ = std::move(copy);
    changed();
  }
  tell();
}

CapsRef Consent::caps() const {
  const Lock lock(mutex_);
  return CapsRef(caps_ ? gst_caps_ref(caps_.get()) : nullptr);
}

void Consent::set_context(GstContext* context) {
  if (!context || !gst_context_has_context_type(context, context_type)) return;
  GstCaps* found = nullptr;
  if (!gst_context_get_sphere_consent(context, &found)) found = gst_caps_new_empty();
  CapsRef caps(found);
  {
    const Lock lock(mutex_);
    context_ = std::move(caps);
    changed();
  }
  tell();
}

bool Consent::has_context() const {
  const Lock lock(mutex_);
  return context_ != nullptr;
}

Status Consent::open_ledger_locked() {
  auto opened = open_(*ledger_);
  if (!opened) {
    ledger_problem_ = opened.error().message;
    source_.store(nullptr, std::memory_order_release);
    return opened.error();
  }
  ledger_problem_.clear();
  sources_.push_back(std::move(*opened));
  source_.store(sources_.back().get(), std::memory_order_release);
  return ok();
}

Status Consent::set_ledger(std::optional<std::string> name) {
  Status status = ok();
  {
    const Lock lock(mutex_);
    ledger_ = std::move(name);
    ledger_problem_.clear();
    if (!ledger_)
      source_.store(nullptr, std::memory_order_release);
    else
      status = open_ledger_locked();
    changed();
  }
  tell();
  return status;
}

Status Consent::retry_ledger() {
  Status status = ok();
  {
    const Lock lock(mutex_);
    if (ledger_problem_.empty()) return status;
    status = open_ledger_locked();
    changed();
  }
  tell();
  return status;
}

std::optional<std::string> Consent::ledger() const {
  const Lock lock(mutex_);
  return ledger_;
}

Answer Consent::ask(Category category, Purpose purpose) const {
  const int64_t time = now();
  std::vector<Answer> answers;
  const auto add = [&](const GstCaps* caps, const char* who) {
    answers.push_back(evaluate(caps, category, purpose, time));
    answers.back().reason = std::string(who) + ": " + answers.back().reason;
  };
  std::shared_ptr<GrantSource> source;
  {
    const Lock lock(mutex_);
    if (caps_) add(caps_.get(), "the property");
    if (context_) add(context_.get(), "the application");
    if (!ledger_problem_.empty()) {
      answers.emplace_back();
      answers.back().reason = "the ledger: " + ledger_problem_;
    } else if (ledger_) {
      source = sources_.back();
    }
  }
  if (source) {
    const CapsRef caps = source->caps();
    add(caps.get(), "the ledger");
  }
  return strictest(answers);
}

// --- the answer with each buffer -------------------------------------------------------------

bool Guard::allowed() {
  const Consent::Version version = consent_.version();
  if (asked_ && version == seen_) {
    if (!answer_.allowed && !clock_lost_) return false;
    if (answer_.allowed && answer_.expires == never) return true;
    const int64_t now = consent_.now();
    if (!answer_.allowed && now == no_clock) return false;
    if (answer_.allowed && now != no_clock && now < answer_.expires) return true;
  }
  const bool was_allowed = asked_ && answer_.allowed;
  // More than one change, or one while we ask: it may have been denied in between.
  const bool unbroken = was_allowed && (version == seen_ || seen_.next_to(version));
  answer_ = consent_.ask(category_, purpose_);
  clock_lost_ = !answer_.allowed && consent_.now() == no_clock;
  const bool steady = consent_.version() == version;
  asked_ = true;
  seen_ = version;
  ++looks_;
  if (answer_.allowed && !(unbroken && steady)) ++grants_;
  return answer_.allowed;
}

// --- stamps ----------------------------------------------------------------------------------

namespace {

std::string stamp_field(Category category, Purpose purpose) {
  return std::string(name_of(category)) + "-" + std::string(name_of(purpose));
}

}  // namespace

Stamper::Stamper(const Consent& consent, Category category, const std::vector<Purpose>& purposes,
                 Made made)
    : category_(category) {
  for (const Purpose purpose : purposes) {
    One one{.guard = Guard(consent, category, purpose), .purpose = purpose};
    if (made == Made::before_capture) {
      if (one.guard.allowed()) one.since = 0;
      one.grants = one.guard.grants();
    }
    all_.push_back(std::move(one));
  }
}

EventRef Stamper::before(const std::function<GstClockTime()>& fresh) {
  bool changed = epoch_ == 0;
  for (One& one : all_) {
    GstClockTime since = one.since;
    if (!one.guard.allowed())
      since = GST_CLOCK_TIME_NONE;
    else if (one.guard.grants() != one.grants)
      since = fresh();
    one.grants = one.guard.grants();
    changed = changed || since != one.since;
    one.since = since;
  }
  if (!changed) return nullptr;
  GstStructure* content = gst_structure_new(stamp_name, "epoch", G_TYPE_UINT64, ++epoch_, nullptr);
  for (const One& one : all_)
    gst_structure_set(content, stamp_field(category_, one.purpose).c_str(), G_TYPE_UINT64,
                      one.since, nullptr);
  return EventRef(gst_event_new_custom(GST_EVENT_CUSTOM_DOWNSTREAM_STICKY, content));
}

std::optional<GstClockTime> read_stamp(GstEvent* event, Category category, Purpose purpose) {
  if (GST_EVENT_TYPE(event) != GST_EVENT_CUSTOM_DOWNSTREAM_STICKY) return std::nullopt;
  const GstStructure* content = gst_event_get_structure(event);
  if (!gst_structure_has_name(content, stamp_name)) return std::nullopt;
  const std::string field = stamp_field(category, purpose);
  if (!gst_structure_has_field(content, field.c_str())) return std::nullopt;
  guint64 since = GST_CLOCK_TIME_NONE;
  // Of a wrong type: denied.
  gst_structure_get_uint64(content, field.c_str(), &since);
  return since;
}

void mark_stamping(GstPad* src) {
  g_object_set_data(G_OBJECT(src), stamp_name, GINT_TO_POINTER(TRUE));
}

bool is_stamping_peer(GstPad* sink) {
  const GstRef<GstPad> peer(gst_pad_get_peer(sink));
  return peer && g_object_get_data(G_OBJECT(peer.get()), stamp_name);
}

}  // namespace sphere::consent
