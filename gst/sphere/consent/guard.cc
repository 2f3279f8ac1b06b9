// SPDX-License-Identifier: LGPL-2.1-or-later
// The sources of consent of an element, and the answer that is kept up to date.

#include "gst/sphere/consent/guard.h"

namespace sphere::consent {

// --- sources ---------------------------------------------------------------------------------

void Consent::set_caps(const GstCaps* caps) {
  CapsRef copy(caps ? gst_caps_copy(caps) : nullptr);
  {
    const Lock lock(mutex_);
    caps_ = std::move(copy);
    ++version_;
  }
  tell();
}

CapsRef Consent::caps() const {
  const Lock lock(mutex_);
  return CapsRef(caps_ ? gst_caps_ref(caps_.get()) : nullptr);
}

CapsRef caps_of_context(const GstContext* context) {
  if (!gst_context_has_context_type(context, context_type)) return nullptr;
  const GValue* value = gst_structure_get_value(gst_context_get_structure(context), context_field);
  if (!value || !GST_VALUE_HOLDS_CAPS(value) || !gst_value_get_caps(value)) return nullptr;
  return CapsRef(gst_caps_ref(const_cast<GstCaps*>(gst_value_get_caps(value))));
}

void Consent::set_context(GstContext* context) {
  if (!context || !gst_context_has_context_type(context, context_type)) return;
  CapsRef caps = caps_of_context(context);
  if (!caps) caps.reset(gst_caps_new_empty());
  {
    const Lock lock(mutex_);
    context_ = std::move(caps);
    ++version_;
  }
  tell();
}

bool Consent::has_context() const {
  const Lock lock(mutex_);
  return context_ != nullptr;
}

Status Consent::open(std::optional<std::string> name, bool again) {
  Status status = ok();
  std::shared_ptr<GrantSource> opened;
  if (name) {
    auto result = open_(*name);
    if (result)
      opened = std::move(*result);
    else
      status = result.error();
  }
  {
    const Lock lock(mutex_);
    // Somebody else has set it meanwhile.
    if (again && (ledger_ != name || ledger_problem_.empty())) return ok();
    ledger_ = std::move(name);
    ledger_problem_ = status ? std::string() : status.error().message;
    source_.swap(opened);
    // By two, because it is not known what happened in the ledger before it was opened.
    version_ += 2;
  }
  tell();
  return status;
}

Status Consent::set_ledger(std::optional<std::string> name) { return open(std::move(name), false); }

Status Consent::retry_ledger() {
  std::optional<std::string> name;
  {
    const Lock lock(mutex_);
    if (ledger_problem_.empty()) return ok();
    name = ledger_;
  }
  return open(std::move(name), true);
}

std::optional<std::string> Consent::ledger() const {
  const Lock lock(mutex_);
  return ledger_;
}

std::shared_ptr<GrantSource> Consent::source() const {
  const Lock lock(mutex_);
  return source_;
}

Consent::Version Consent::version() const {
  Version version;
  std::shared_ptr<GrantSource> source;
  {
    const Lock lock(mutex_);
    version.own = version_;
    source = source_;
  }
  if (source) version.ledger = source->version();
  return version;
}

Consent::VersionedAnswer Consent::answer_of_version(Category category, Purpose purpose) const {
  const int64_t time = now();
  VersionedAnswer result;
  std::vector<Answer> answers;
  const auto add = [&](const GstCaps* caps, const char* who) {
    answers.push_back(evaluate(caps, category, purpose, time));
    answers.back().reason = std::string(who) + ": " + answers.back().reason;
  };
  const auto deny = [&](const std::string& problem, bool passes = false) {
    answers.emplace_back();
    answers.back().reason = "the ledger: " + problem;
    if (!passes) answers.back().problem = problem;
  };
  std::shared_ptr<GrantSource> source;
  {
    const Lock lock(mutex_);
    result.version.own = version_;
    if (caps_) add(caps_.get(), "the property");
    if (context_) add(context_.get(), "the application");
    if (!ledger_problem_.empty()) deny(ledger_problem_);
    source = source_;
  }
  if (source) {
    const GrantSource::Grants grants = source->grants(category, purpose);
    result.version.ledger = grants.version;
    result.taken = grants.taken;
    if (grants.problem.empty())
      add(grants.caps.get(), "the ledger");
    else
      deny(grants.problem, grants.passes);
  }
  result.answer = strictest(answers);
  return result;
}

Answer Consent::ask(Category category, Purpose purpose) const {
  if (const auto ledger = source()) ledger->version();
  return answer_of_version(category, purpose).answer;
}

// --- the answer with each buffer -------------------------------------------------------------

bool Guard::allowed(const Consent::Version& version) {
  if (asked_ && version == seen_) {
    if (!answer_.allowed && !clock_lost_) return false;
    if (answer_.allowed && answer_.expires == never) return true;
    const int64_t now = consent_.now();
    if (!answer_.allowed && now == no_clock) return false;
    if (answer_.allowed && now != no_clock && now < answer_.expires) return true;
  }
  const Consent::VersionedAnswer current = consent_.answer_of_version(category_, purpose_);
  const int64_t now = consent_.now();
  // Each source gave it all the time: at most one change of the own sources has happened, the
  // ledger has counted no withdrawal, and the grant had not expired.
  const bool unbroken = asked_ && answer_.allowed && current.version.own - seen_.own <= 1 &&
                        current.taken == taken_ &&
                        (answer_.expires == never || now < answer_.expires);
  answer_ = current.answer;
  clock_lost_ = !answer_.allowed && now == no_clock;
  asked_ = true;
  seen_ = current.version;
  taken_ = current.taken;
  ++decisions_;
  if (answer_.allowed && !unbroken) ++grants_;
  return answer_.allowed;
}

// --- consent events
// ----------------------------------------------------------------------------------

namespace {

std::string consent_field(Category category, Purpose purpose) {
  return std::string(name_of(category)) + "-" + std::string(name_of(purpose));
}

}  // namespace

ConsentEventMaker::ConsentEventMaker(const Consent& consent, Category category,
                                     const std::vector<Purpose>& purposes, Start start)
    : consent_(consent), category_(category) {
  for (const Purpose purpose : purposes) {
    PurposeState one{.guard = Guard(consent, category, purpose), .purpose = purpose};
    if (start == Start::before_capture) {
      if (one.guard.allowed()) one.since = 0;
      one.grants = one.guard.grants();
    }
    states_.push_back(std::move(one));
  }
}

EventRef ConsentEventMaker::before(const std::function<GstClockTime()>& fresh) {
  bool changed = epoch_ == 0;
  const Consent::Version version = consent_.version();
  for (PurposeState& one : states_) {
    GstClockTime since = one.since;
    if (!one.guard.allowed(version))
      since = GST_CLOCK_TIME_NONE;
    else if (one.guard.grants() != one.grants)
      since = fresh();
    one.grants = one.guard.grants();
    changed = changed || since != one.since;
    one.since = since;
  }
  if (!changed) return nullptr;
  GstStructure* content =
      gst_structure_new(consent_event_name, "epoch", G_TYPE_UINT64, ++epoch_, nullptr);
  for (const PurposeState& one : states_)
    gst_structure_set(content, consent_field(category_, one.purpose).c_str(), G_TYPE_UINT64,
                      one.since, nullptr);
  return EventRef(gst_event_new_custom(GST_EVENT_CUSTOM_DOWNSTREAM_STICKY, content));
}

std::optional<GstClockTime> read_consent_event(GstEvent* event, Category category,
                                               Purpose purpose) {
  if (GST_EVENT_TYPE(event) != GST_EVENT_CUSTOM_DOWNSTREAM_STICKY) return std::nullopt;
  const GstStructure* content = gst_event_get_structure(event);
  if (!gst_structure_has_name(content, consent_event_name)) return std::nullopt;
  const std::string field = consent_field(category, purpose);
  if (!gst_structure_has_field(content, field.c_str())) return std::nullopt;
  guint64 since = GST_CLOCK_TIME_NONE;
  // A field of a wrong type counts as denied.
  gst_structure_get_uint64(content, field.c_str(), &since);
  return since;
}

void mark_consent_event_source(GstPad* src) {
  g_object_set_data(G_OBJECT(src), consent_event_name, GINT_TO_POINTER(TRUE));
}

bool is_consent_event_peer(GstPad* sink) {
  const GstRef<GstPad> peer(gst_pad_get_peer(sink));
  return peer && g_object_get_data(G_OBJECT(peer.get()), consent_event_name);
}

}  // namespace sphere::consent
