// SPDX-License-Identifier: LGPL-2.1-or-later
// The decision: what caps give, mistakes that must not give anything, and rules for random caps.

// The standard library comes first: check defines `fail` as a macro.
#include <algorithm>
#include <initializer_list>
#include <memory>
#include <ostream>
#include <random>
#include <string>
#include <vector>

#include <gst/check/gstcheck.h>

#include "gst/sphere/base/gobject.h"
#include "gst/sphere/consent/decision.h"
#include "gst/sphere/consent/gstsphereconsent.h"
#include "gst/sphere/consent/guard.h"

using namespace sphere::consent;
using sphere::CapsRef;
using sphere::EventRef;

namespace {

// 2026-01-01, noon.
constexpr int64_t now = 1767268800LL * G_USEC_PER_SEC;

CapsRef caps_of(const std::string& text) {
  CapsRef caps(gst_caps_from_string(text.c_str()));
  fail_unless(caps != nullptr, "'%s' are no caps", text.c_str());
  return caps;
}

Answer ask(const std::string& text, Category category = Category::audio,
           Purpose purpose = Purpose::live) {
  return evaluate(caps_of(text).get(), category, purpose, now);
}

GST_START_TEST(test_given) {
  struct {
    const char* text;
    Category category;
    Purpose purpose;
    Precision precision;
  } const cases[] = {
      {"consent/audio, state=(string)given", Category::audio, Purpose::live, Precision::exact},
      {"consent/audio, state=given, purpose=live", Category::audio, Purpose::live,
       Precision::exact},
      {"consent/audio, state=given, purpose=(string){ live, record }", Category::audio,
       Purpose::record, Precision::exact},
      {"consent/audio, state=given, purpose=(string){ share }", Category::audio, Purpose::share,
       Precision::exact},
      {"consent/audio, state=given, x-by=(int)[ 1, 3 ], policy=(string)\"2021-11-03\"",
       Category::audio, Purpose::live, Precision::exact},
      {"consent/audio, state=given, expires=(string)2026-01-02", Category::audio, Purpose::live,
       Precision::exact},
      {"consent/audio, state=given, expires=(string)2026-01-01T12:00:00.000001Z", Category::audio,
       Purpose::live, Precision::exact},
      {"consent/location, state=given, precision=(string)city; consent/audio, state=withdrawn",
       Category::location, Purpose::geotag, Precision::city},
      {"consent/location, state=given, precision=street; consent/location, state=given, "
       "precision=country",
       Category::location, Purpose::camera, Precision::country},
      {"consent/device, state=given; consent/network, state=given", Category::network,
       Purpose::bind, Precision::exact},
  };
  for (const auto& c : cases) {
    const Answer answer = ask(c.text, c.category, c.purpose);
    fail_unless(answer.allowed, "%s: %s", c.text, answer.reason.c_str());
    fail_unless(answer.precision == c.precision, "%s", c.text);
    fail_unless(!answer.reason.empty());
  }
}
GST_END_TEST

// None of these gives consent, although each looks like consent to a person or a parser.
GST_START_TEST(test_what_only_looks_like_consent) {
  struct {
    const char* text;
    const char* reason;
  } const cases[] = {
      {"ANY", "ANY"},
      {"EMPTY", "nothing"},
      {"NONE", "nothing"},
      {"audio/x-raw", "not a category"},
      {"consent/audio", "no state"},
      {"consent/audio, purpose=(string)live", "no state"},
      {"consent/location, state=(string)given", "nothing was given for audio"},
      {"consent/Audio, state=(string)given", "not a category"},
      {"consent/audio, state=(string)given; consent/audoi, state=(string)withdrawn",
       "not a category"},
      {"consent/audio, state=(string)given; consent/audio, state=(string)withdrawn", "withdrawn"},
      {"consent/audio, state=(string)withdrawn; consent/audio, state=(string)given", "withdrawn"},
      // The parser guesses the type of a value without quotation marks.
      {"consent/audio, state=yes", "boolean"},
      {"consent/audio, state=true", "boolean"},
      {"consent/audio, state=(boolean)true", "boolean"},
      {"consent/audio, state=1", "number"},
      {"consent/audio, state=(string)Given", "'Given'"},
      {"consent/audio, state=(string)\"given \"", "'given '"},
      {"consent/audio, state=(string)renewed", "renewed"},
      {"consent/audio, state=(string)\"\"", "''"},
      {"consent/audio, state=(string)NULL", "state"},
      {"consent/audio, state=(string){ given }", "a list"},
      {"consent/audio, state=(string){ given, withdrawn }", "a list"},
      {"consent/audio, state=(string)< given >", "an array"},
      {"consent/audio, state=(int)[ 0, 1 ]", "a range"},
      {"consent/audio, state=(GstCaps)[consent/audio]", "state is a"},
      {"consent/audio(memory:GLMemory), state=(string)given", "features"},
      {"consent/audio(ANY), state=(string)given", "features"},
      {"consent/audio(consent:Yes), state=(string)given", "features"},
      // An error in the structure of another category may have been a restriction for all.
      {"consent/audio, state=(string)given; consent/location(ANY), state=(string)given",
       "features"},
      {"consent/audio, state=(string)given, purpose=(string)record", "not for 'live'"},
      {"consent/audio, state=(string)given, purpose=(string)share", "not for 'live'"},
      {"consent/audio, state=(string)given, purpose=(string){ }", "empty"},
      {"consent/audio, state=(string)given, purpose=(string)\"live,record\"", "not a purpose"},
      {"consent/audio, state=(string)given, purpose=(string){ live, geotag }", "not a purpose"},
      {"consent/audio, state=(string)given, purpose=(string){ live, Live }", "not a purpose"},
      {"consent/audio, state=(string)given, purpose=(string)\"*\"", "not a purpose"},
      {"consent/audio, state=(string)given, purpose=(string)< live >", "an array"},
      {"consent/audio, state=(string)given, purpose=(int)3", "number"},
      {"consent/audio, state=(string)given, precision=(string)city", "no field"},
      {"consent/audio, state=(string)given, expire=(string)2030-01-01", "no field"},
      {"consent/audio, state=(string)given, Expires=(string)2030-01-01", "no field"},
      {"consent/audio, state=(string)given, version=(int)1", "no field"},
      {"consent/audio, state=(string)given, policy=(int)3", "number"},
      {"consent/audio, state=(string)given, policy=(string)\"\"", "policy is empty"},
      // GStreamer reads a large number without a type as a negative one.
      {"consent/audio, state=(string)given, expires=4102444800", "number"},
      {"consent/audio, state=(string)given, expires=(guint64)4102444800", "number"},
      {"consent/audio, state=(string)given, expires=(string)4102444800", "must be like"},
      {"consent/audio, state=(string)given, expires=(string)2030-13-01", "must be like"},
      {"consent/audio, state=(string)given, expires=(string)2030-02-30", "must be like"},
      {"consent/audio, state=(string)given, expires=(string)2030-1-1", "must be like"},
      {"consent/audio, state=(string)given, expires=(string)2030-01-01T00:00:00", "must be like"},
      {"consent/audio, state=(string)given, expires=(string)2030-01-01T00:00:00+02:00",
       "must be like"},
      {"consent/audio, state=(string)given, expires=(string)2030-01-01T24:00:00Z", "must be like"},
      {"consent/audio, state=(string)given, expires=(string)\"2030-01-01 \"", "must be like"},
      {"consent/audio, state=(string)given, expires=(string)\"\"", "must be like"},
      {"consent/audio, state=(string)given, expires=(string)never", "must be like"},
      {"consent/audio, state=(string)given, expires=(string)2026-01-01", "expired"},
      {"consent/audio, state=(string)given, expires=(string)2026-01-01T12:00:00Z", "expired"},
      {"consent/audio, state=(string)given, expires=(string)2025-12-31", "expired"},
      {"consent/audio, state=(string)given, expires=(string){ 2030-01-01, 2031-01-01 }", "a list"},
  };
  for (const auto& c : cases) {
    const Answer answer = ask(c.text);
    fail_unless(!answer.allowed, "%s is allowed: %s", c.text, answer.reason.c_str());
    fail_unless(answer.reason.find(c.reason) != std::string::npos, "%s: '%s' does not say '%s'",
                c.text, answer.reason.c_str(), c.reason);
  }
  fail_unless(!evaluate(nullptr, Category::audio, Purpose::live, now).allowed);
  fail_unless(
      !ask("consent/location, state=(string)given", Category::location, Purpose::share).allowed);
  fail_unless(!ask("consent/audio, state=given", Category::audio, Purpose::geotag).allowed);
  // gst_caps_can_intersect() accepts the first of these, therefore it is not used.
  const CapsRef bare = caps_of("consent/audio");
  const CapsRef given = caps_of("consent/audio, state=(string)given");
  fail_unless(gst_caps_can_intersect(bare.get(), given.get()));
  fail_unless(!evaluate(bare.get(), Category::audio, Purpose::live, now).allowed);

  const CapsRef null_string = caps_of("consent/audio");
  GValue value = G_VALUE_INIT;
  g_value_init(&value, G_TYPE_STRING);
  gst_caps_set_value(null_string.get(), "state", &value);
  g_value_unset(&value);
  fail_unless(!evaluate(null_string.get(), Category::audio, Purpose::live, now).allowed);
}
GST_END_TEST

GST_START_TEST(test_clock) {
  const CapsRef caps = caps_of("consent/audio, state=given, expires=(string)2030-01-01");
  fail_unless(evaluate(caps.get(), Category::audio, Purpose::live, now).allowed);
  fail_unless(!evaluate(caps.get(), Category::audio, Purpose::live, no_clock).allowed);
  fail_unless(parse_expiry("1970-01-01") == 0);
  fail_unless(parse_expiry("1970-01-01T00:00:01.5Z") == 1500000);
  fail_unless(parse_expiry("1970-01-01T00:01Z") == 60000000);
  fail_unless(!parse_expiry("0000-01-01") && !parse_expiry("1970-01-01T00:00:60Z"));

  static int64_t time;
  time = now;
  Consent consent([] { return time; });
  Guard guard(consent, Category::audio, Purpose::live);
  fail_unless(!guard.allowed());
  consent.set_caps(caps.get());
  fail_unless(guard.allowed());
  const uint64_t grants = guard.grants();
  time -= 1;
  fail_unless(!guard.allowed(), "a clock that goes backwards");
  fail_unless(!guard.allowed());
  time = now + 1;
  fail_unless(guard.allowed(), "a clock that came right");
  fail_unless(guard.grants() == grants + 1);
  time = *parse_expiry("2030-01-01") - 1;
  fail_unless(guard.allowed());
  time += 1;
  fail_unless(!guard.allowed(), "expired between two buffers");
}
GST_END_TEST

GST_START_TEST(test_sources) {
  fail_unless(!strictest({}).allowed);
  Consent consent;
  Guard guard(consent, Category::audio, Purpose::live);
  int told = 0;
  consent.on_change([&] { ++told; });
  const CapsRef given = caps_of("consent/audio, state=given");
  const CapsRef withdrawn = caps_of("consent/audio, state=withdrawn");
  fail_unless(!guard.allowed(), "nobody was asked");

  consent.set_caps(given.get());
  fail_unless(told == 1 && guard.allowed() && guard.grants() == 1);
  const uint64_t decisions = guard.decisions();
  for (int i = 0; i < 100; ++i) fail_unless(guard.allowed());
  fail_unless(guard.decisions() == decisions, "worked out anew without a change");

  // Setting the same caps again changes nothing. A withdrawal and a grant between two checks count
  // as a new grant.
  consent.set_caps(given.get());
  fail_unless(guard.allowed() && guard.grants() == 1);
  consent.set_caps(withdrawn.get());
  consent.set_caps(given.get());
  fail_unless(guard.allowed() && guard.grants() == 2);

  GstContext* context = gst_context_new_sphere_consent(withdrawn.get());
  consent.set_context(context);
  gst_context_unref(context);
  fail_unless(!guard.allowed());
  fail_unless(guard.answer().reason.find("the application") != std::string::npos);
  context = gst_context_new("gst.something.else", TRUE);
  consent.set_context(context);
  gst_context_unref(context);
  fail_unless(!guard.allowed(), "somebody else's context");
  context = gst_context_new_sphere_consent(given.get());
  consent.set_context(context);
  gst_context_unref(context);
  fail_unless(guard.allowed());
  context = gst_context_new(context_type, TRUE);  // without caps
  consent.set_context(context);
  gst_context_unref(context);
  fail_unless(!guard.allowed());
  context = gst_context_new_sphere_consent(given.get());
  consent.set_context(context);
  gst_context_unref(context);

  fail_unless(!consent.set_ledger("/nonesuch/ledger"));
  fail_unless(!guard.allowed(), "a ledger that can't be opened");
  fail_unless(guard.answer().reason.find("the ledger") != std::string::npos);
  fail_unless(!consent.retry_ledger());
  fail_unless(!consent.set_ledger(""));
  fail_unless(!guard.allowed(), "a ledger without a name");
  fail_unless(bool(consent.set_ledger(std::nullopt)));
  fail_unless(guard.allowed());
  const CapsRef empty(gst_caps_new_empty());
  consent.set_caps(empty.get());
  fail_unless(!guard.allowed(), "empty caps are a source that gives nothing");
  consent.set_caps(nullptr);
  fail_unless(guard.allowed(), "the application alone");
}
GST_END_TEST

/// A ledger whose contents the test writes.
class Written : public GrantSource {
 public:
  uint64_t version() override { return version_; }
  Grants grants(Category, Purpose) const override {
    ++reads;
    return {.version = version_,
            .caps = caps_of(text_),
            .problem = problem_,
            .passes = false,
            .taken = taken_};
  }
  /// `taken`: this text withdraws what the test asks for, if it was given.
  void write(const char* text, bool taken = false, const char* problem = "") {
    text_ = text;
    problem_ = problem;
    taken_ += taken;
    ++version_;
  }
  mutable int reads = 0;

 private:
  std::string text_ = "EMPTY", problem_;
  uint64_t version_ = 0, taken_ = 0;
};
std::shared_ptr<Written> written;

GST_START_TEST(test_ledger) {
  constexpr const char* given = "consent/audio, state=(string)given";
  written = std::make_shared<Written>();
  Consent consent(g_get_real_time,
                  [](const std::string& name) -> sphere::Result<std::shared_ptr<GrantSource>> {
                    if (name != "here") return sphere::not_found("no ledger");
                    return std::shared_ptr<GrantSource>(written);
                  });
  Guard guard(consent, Category::audio, Purpose::live);
  fail_unless(bool(consent.set_ledger("here")));
  fail_unless(!guard.allowed(), "an empty ledger");
  written->write(given);
  fail_unless(guard.allowed() && guard.grants() == 1);
  const int reads = written->reads;
  for (int i = 0; i < 100; ++i) fail_unless(guard.allowed());
  fail_unless(written->reads == reads, "the ledger is read without a change");
  written->write("consent/audio, state=(string)given; consent/location, state=(string)given");
  fail_unless(guard.allowed() && guard.grants() == 1, "a line about something else");
  for (int i = 0; i < 3; ++i) written->write(given);
  fail_unless(guard.allowed() && guard.grants() == 1, "several lines about something else");
  written->write("EMPTY", true);
  fail_unless(!guard.allowed());
  written->write(given);
  fail_unless(guard.allowed() && guard.grants() == 2);
  written->write("EMPTY", true);
  written->write(given);
  fail_unless(guard.allowed() && guard.grants() == 3, "taken back and given again unseen");
  written->write("EMPTY", true, "it is damaged");
  fail_unless(!guard.allowed() && guard.answer().problem == "it is damaged");
  fail_unless(guard.answer().reason == "the ledger: it is damaged");
  written->write(given);
  fail_unless(guard.allowed() && guard.answer().problem.empty());
  // The property must allow, too.
  const CapsRef nothing(gst_caps_new_empty());
  consent.set_caps(nothing.get());
  fail_unless(!guard.allowed());
  consent.set_caps(nullptr);
  fail_unless(guard.allowed());
  fail_unless(!consent.set_ledger("elsewhere"));
  fail_unless(!guard.allowed(), "the ledger before is no ledger now");
  written.reset();
}
GST_END_TEST

// --- random caps -----------------------------------------------------------------------------

/// Random caps as a person could type them: mostly right, with all kinds of mistakes.
class Random {
 public:
  explicit Random(uint32_t seed) : engine_(seed) {}

  guint below(guint end) { return static_cast<guint>(engine_() % end); }
  bool one_in(guint n) { return below(n) == 0; }
  Category category() { return static_cast<Category>(below(categories.size())); }
  Purpose purpose() { return static_cast<Purpose>(below(purpose_names.size())); }

  GstStructure* structure() {
    static const char* const other[] = {"audio/x-raw", "consent/", "consent/Audio", "consent"};
    const std::string name = one_in(60) ? other[below(G_N_ELEMENTS(other))]
                                        : "consent/" + std::string(name_of(category()));
    GstStructure* s = gst_structure_new_empty(name.c_str());
    if (!one_in(20)) add(s, "state", one_in(6));
    if (one_in(2)) add(s, "purpose", one_in(12));
    if (one_in(4)) add(s, "precision", one_in(12));
    if (one_in(3)) add(s, "expires", one_in(12));
    if (one_in(5)) add(s, "policy", one_in(20));
    if (one_in(5)) add(s, "x-note", true);
    if (one_in(40)) add(s, "colour", true);
    return s;
  }
  CapsRef caps() {
    if (one_in(200)) return CapsRef(gst_caps_new_any());
    CapsRef made(gst_caps_new_empty());
    for (guint i = below(4); i > 0; --i) {
      GstCapsFeatures* features =
          one_in(80) ? gst_caps_features_new("consent:Yes", nullptr) : nullptr;
      gst_caps_append_structure_full(made.get(), structure(), features);
    }
    return made;
  }
  /// One more field, or one whole structure: never more than before.
  void tighten(GstCaps* caps) {
    if (gst_caps_is_any(caps)) return;
    const guint size = gst_caps_get_size(caps);
    if (size == 0 || one_in(3)) {
      gst_caps_append_structure(caps, structure());
      return;
    }
    GstStructure* s = gst_caps_get_structure(caps, below(size));
    static const char* const fields[] = {"purpose", "precision", "expires", "policy", "colour"};
    const char* field = fields[below(G_N_ELEMENTS(fields))];
    // Not `purpose=share`: it would replace the default purposes, which is no restriction.
    if (!gst_structure_has_field(s, field)) add(s, field, one_in(3), false);
  }

 private:
  void add(GstStructure* s, const char* field, bool wrong, bool share = true) {
    const std::string_view name(field);
    if (wrong) {
      switch (below(5)) {
        case 0:
          gst_structure_set(s, field, G_TYPE_BOOLEAN, TRUE, nullptr);
          break;
        case 1:
          gst_structure_set(s, field, G_TYPE_INT, 1, nullptr);
          break;
        case 2:
          gst_structure_set(s, field, GST_TYPE_INT_RANGE, 0, 9, nullptr);
          break;
        case 3:
          gst_structure_set(s, field, G_TYPE_STRING, "withdrawn", nullptr);
          break;
        default:
          gst_structure_set(s, field, G_TYPE_STRING, nullptr, nullptr);
      }
      return;
    }
    if (name == "purpose") {
      GValue list = G_VALUE_INIT, one = G_VALUE_INIT;
      g_value_init(&list, GST_TYPE_LIST);
      const std::optional<Category> own =
          category_of(std::string_view(gst_structure_get_name(s))
                          .substr(std::min<size_t>(strlen(gst_structure_get_name(s)), 8)));
      for (guint i = 1 + below(3); i > 0; --i) {
        Purpose p = purpose();
        while (own && !one_in(12) && !(info_of(*own).purposes & bit(p))) p = purpose();
        while (!share && p == Purpose::share) p = purpose();
        g_value_init(&one, G_TYPE_STRING);
        g_value_set_string(&one, std::string(name_of(p)).c_str());
        gst_value_list_append_and_take_value(&list, &one);
      }
      gst_structure_take_value(s, field, &list);
      return;
    }
    static const char* const times[] = {"2030-01-01", "2026-01-01", "2026-01-01T12:00:01Z",
                                        "2026-02-30", "1999-12-31"};
    const char* text = name == "state"       ? "given"
                       : name == "precision" ? std::data(precision_names[below(5)])
                       : name == "expires"   ? times[below(G_N_ELEMENTS(times))]
                                             : "2021-11-03";
    gst_structure_set(s, field, G_TYPE_STRING, text, nullptr);
  }

  std::mt19937 engine_;
};

int structures_of(const GstCaps* caps, Category category) {
  int count = 0;
  for (guint i = 0; i < gst_caps_get_size(caps); ++i)
    count += gst_structure_get_name(gst_caps_get_structure(caps, i)) ==
             "consent/" + std::string(name_of(category));
  return count;
}

/// The same rule, written in another way, for the values that this test makes.
bool plainly_given(const GstCaps* caps, Category category, Purpose purpose) {
  if (gst_caps_is_any(caps)) return false;
  const auto is_one_of = [](const char* text, std::initializer_list<const char*> all) {
    return std::any_of(all.begin(), all.end(),
                       [text](const char* one) { return g_strcmp0(text, one) == 0; });
  };
  bool any = false;
  for (guint i = 0; i < gst_caps_get_size(caps); ++i) {
    const GstStructure* s = gst_caps_get_structure(caps, i);
    const char* name = gst_structure_get_name(s);
    if (!is_one_of(name, {"consent/location", "consent/audio", "consent/storage", "consent/device",
                          "consent/network", "consent/environment", "consent/statistics"}) ||
        !gst_caps_features_is_equal(gst_caps_get_features(caps, i),
                                    GST_CAPS_FEATURES_MEMORY_SYSTEM_MEMORY))
      return false;
    if (name != "consent/" + std::string(name_of(category))) continue;
    const char* const text[] = {
        gst_structure_get_string(s, "state"), gst_structure_get_string(s, "precision"),
        gst_structure_get_string(s, "expires"), gst_structure_get_string(s, "policy")};
    if (!is_one_of(text[0], {"given"})) return false;
    if (gst_structure_has_field(s, "colour")) return false;
    if (gst_structure_has_field(s, "precision") &&
        (category != Category::location ||
         !is_one_of(text[1], {"exact", "street", "neighbourhood", "city", "country"})))
      return false;
    if (gst_structure_has_field(s, "expires") &&
        !is_one_of(text[2], {"2030-01-01", "2026-01-01T12:00:01Z"}))
      return false;
    if (gst_structure_has_field(s, "policy") && !text[3]) return false;
    const GValue* purposes = gst_structure_get_value(s, "purpose");
    bool named = !purposes && purpose != Purpose::share;
    if (purposes && !GST_VALUE_HOLDS_LIST(purposes)) return false;
    for (guint k = 0; purposes && k < gst_value_list_get_size(purposes); ++k) {
      const std::string one = g_value_get_string(gst_value_list_get_value(purposes, k));
      named = named || one == name_of(purpose);
      if (!(info_of(category).purposes & bit(*purpose_of(one)))) return false;
    }
    if (!named) return false;
    any = true;
  }
  return any && (info_of(category).purposes & bit(purpose));
}

GST_START_TEST(test_random_caps) {
#if defined(__SANITIZE_ADDRESS__)
  const int rounds = 30000;
#else
  const int rounds = g_getenv("SPHERE_VALGRIND") ? 2000 : 334000;  // three caps each
#endif
  Random random(5);
  int allowed = 0, narrowed = 0;
  for (int i = 0; i < rounds; ++i) {
    CapsRef a = random.caps();
    // Mostly a category that the caps mention.
    Category category = random.category();
    if (!random.one_in(4) && !gst_caps_is_any(a.get()) && !gst_caps_is_empty(a.get())) {
      const std::string name = gst_structure_get_name(gst_caps_get_structure(a.get(), 0));
      category = category_of(name.substr(std::min<size_t>(name.size(), 8))).value_or(category);
    }
    Purpose purpose = random.purpose();
    while (!random.one_in(8) && !(info_of(category).purposes & bit(purpose)))
      purpose = random.purpose();
    const Answer first = evaluate(a.get(), category, purpose, now);
    allowed += first.allowed;
    fail_unless(first.allowed == plainly_given(a.get(), category, purpose), "%s: %" GST_PTR_FORMAT,
                first.reason.c_str(), a.get());

    // The order of structures has no effect.
    if (!gst_caps_is_any(a.get()) && gst_caps_get_size(a.get()) > 1) {
      CapsRef turned(gst_caps_new_empty());
      for (guint k = gst_caps_get_size(a.get()); k > 0; --k)
        gst_caps_append_structure_full(
            turned.get(), gst_structure_copy(gst_caps_get_structure(a.get(), k - 1)),
            gst_caps_features_copy(gst_caps_get_features(a.get(), k - 1)));
      const Answer other = evaluate(turned.get(), category, purpose, now);
      fail_unless(other.allowed == first.allowed && other.precision == first.precision &&
                      other.expires == first.expires,
                  "the order of structures matters: %" GST_PTR_FORMAT, a.get());
    }

    // Neither has the order of sources; and one more source never allows more.
    const CapsRef b = random.caps(), c = random.caps();
    const Answer second = evaluate(b.get(), category, purpose, now);
    const Answer third = evaluate(c.get(), category, purpose, now);
    fail_unless(second.allowed == plainly_given(b.get(), category, purpose) &&
                third.allowed == plainly_given(c.get(), category, purpose));
    const Answer answers[] = {first, second, third};
    const Answer backwards[] = {third, second, first};
    const Answer all = strictest(answers), same = strictest(backwards);
    fail_unless(all.allowed == (first.allowed && second.allowed && third.allowed));
    fail_unless(same.allowed == all.allowed && same.precision == all.precision &&
                same.expires == all.expires && same.reason == all.reason);
    if (all.allowed)
      for (const Answer& one : answers)
        fail_unless(all.precision >= one.precision && all.expires <= one.expires);

    // A restriction never allows more. (The first structure of a category is none: it is a grant.)
    const bool spoken_of = structures_of(a.get(), category) > 0;
    random.tighten(a.get());
    const Answer less = evaluate(a.get(), category, purpose, now);
    if (less.allowed && spoken_of)
      fail_unless(first.allowed, "a restriction allows more: %" GST_PTR_FORMAT, a.get());
    if (less.allowed && first.allowed)
      fail_unless(less.precision >= first.precision && less.expires <= first.expires);
    narrowed += first.allowed && !less.allowed;
  }
  // Both answers must have been given often.
  fail_unless(allowed > rounds / 100, "%d of %d are allowed", allowed, rounds);
  fail_unless(narrowed > rounds / 2000, "%d of %d were narrowed", narrowed, rounds);
}
GST_END_TEST

GST_START_TEST(test_check_text) {
  CapsCheck check = check_caps_text(
      "consent/location, state=(string)given, purpose=(string){ geotag, camera }, "
      "precision=(string)city, expires=(string)2027-01-01T00:00:00Z ; consent/audio, "
      "state=(string)given, purpose=(string)live",
      now);
  fail_unless(check.problems.empty(), "%s", check.problems.front().c_str());
  fail_unless_equals_int(check.grants.size(), 2);
  fail_unless_equals_string(check.grants[0].c_str(),
                            "location is given for geotag, camera, city (rounded to 0.1 degrees), "
                            "until 2027-01-01T00:00:00Z");
  fail_unless_equals_string(check.grants[1].c_str(), "audio is given for live");
  check = check_caps_text("consent/audio, state=yes", now);
  fail_unless(check.problems.size() == 1 && check.grants.size() == 1);
  fail_unless(check.grants[0].find("audio is denied") == 0);
  check = check_caps_text("consent/audio, state=(string)given; consent/location, state=(", now);
  fail_unless(check.problems.size() == 1 && check.grants.empty());
  fail_unless(check.problems[0].find("location") != std::string::npos);
  check = check_caps_text("consent/audio, state=(string)withdrawn, state=(string)given", now);
  fail_unless(check.problems.size() == 1, "a field that is there twice");
  for (const char* wrong : {"", "ANY", "consent/audio,", "given", "consent/audio, state=\"giv"}) {
    check = check_caps_text(wrong, now);
    fail_unless(!check.problems.empty(), "'%s' has no problem", wrong);
  }
  fail_unless(!check_caps_text(std::string(100000, '{'), now).problems.empty());
  fail_unless(!check_caps_text(std::string_view("consent/audio\0", 14), now).problems.empty());
}
GST_END_TEST

GST_START_TEST(test_stamps) {
  Consent consent;
  const CapsRef given = caps_of("consent/audio, state=given, purpose=live");
  const CapsRef nothing(gst_caps_new_empty());
  const auto since = [](const EventRef& event, Purpose purpose) {
    return read_consent_event(event.get(), Category::audio, purpose);
  };
  consent.set_caps(given.get());
  ConsentEventMaker event_maker(consent, Category::audio, {Purpose::live, Purpose::record});
  EventRef event = event_maker.before([] { return GstClockTime{10}; });
  fail_unless(event && (GST_EVENT_TYPE(event.get()) & +GST_EVENT_TYPE_STICKY));
  fail_unless(since(event, Purpose::live) == 0u, "given all along");
  fail_unless(since(event, Purpose::record) == GST_CLOCK_TIME_NONE);
  fail_unless(!since(event, Purpose::edit), "not spoken of");
  fail_unless(!event_maker.before([] { return GstClockTime{20}; }), "nothing has changed");
  consent.set_caps(nothing.get());
  event = event_maker.before([] { return GstClockTime{30}; });
  fail_unless(event && since(event, Purpose::live) == GST_CLOCK_TIME_NONE);
  consent.set_caps(given.get());
  event = event_maker.before([] { return GstClockTime{40}; });
  fail_unless(event && since(event, Purpose::live) == 40u);
  consent.set_caps(nothing.get());
  consent.set_caps(given.get());
  event = event_maker.before([] { return GstClockTime{50}; });
  fail_unless(event && since(event, Purpose::live) == 50u, "an interruption that nobody saw");
  ConsentEventMaker late(consent, Category::audio, {Purpose::live},
                         ConsentEventMaker::Start::during_capture);
  event = late.before([] { return GstClockTime{60}; });
  fail_unless(event && since(event, Purpose::live) == 60u, "nobody knows what was before");
  fail_unless(!late.before([] { return GstClockTime{70}; }));
  event.reset(gst_event_new_custom(
      GST_EVENT_CUSTOM_DOWNSTREAM_STICKY,
      gst_structure_new(consent_event_name, "audio-live", G_TYPE_STRING, "yes", nullptr)));
  fail_unless(since(event, Purpose::live) == GST_CLOCK_TIME_NONE, "of a wrong type");
}
GST_END_TEST

GST_START_TEST(test_c_api) {
  const CapsRef caps = caps_of("consent/location, state=given, precision=street");
  g_autoptr(GstSphereConsent) consent = gst_sphere_consent_new(caps.get());
  g_autofree gchar* reason = nullptr;
  fail_unless(gst_sphere_consent_allows(consent, GST_SPHERE_CONSENT_LOCATION,
                                        GST_SPHERE_CONSENT_FOR_GEOTAG, &reason));
  fail_unless(reason != nullptr);
  fail_unless(!gst_sphere_consent_allows(consent, GST_SPHERE_CONSENT_AUDIO,
                                         GST_SPHERE_CONSENT_FOR_LIVE, nullptr));
  GstSphereConsentPrecision precision;
  fail_unless(gst_sphere_consent_get_precision(consent, GST_SPHERE_CONSENT_FOR_CAMERA, &precision));
  fail_unless(precision == GST_SPHERE_CONSENT_STREET);
  fail_unless(!gst_sphere_consent_get_precision(consent, GST_SPHERE_CONSENT_FOR_SHARE, &precision));
  fail_unless_equals_float(gst_sphere_consent_round_degrees(GST_SPHERE_CONSENT_CITY, 113.3245),
                           113.3);
  g_autoptr(GError) error = nullptr;
  fail_unless(!gst_sphere_consent_new_from_string("consent/audio, state=yes", &error));
  fail_unless(error && strstr(error->message, "boolean"));
  g_autoptr(GstSphereConsent) parsed =
      gst_sphere_consent_new_from_string("consent/audio, state=(string)given", nullptr);
  fail_unless(gst_sphere_consent_allows(parsed, GST_SPHERE_CONSENT_AUDIO,
                                        GST_SPHERE_CONSENT_FOR_RECORD, nullptr));
}
GST_END_TEST

}  // namespace

static Suite* consent_suite(void) {
  Suite* suite = suite_create("consent");
  TCase* tests = tcase_create("general");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, test_given);
  tcase_add_test(tests, test_what_only_looks_like_consent);
  tcase_add_test(tests, test_clock);
  tcase_add_test(tests, test_sources);
  tcase_add_test(tests, test_ledger);
  tcase_add_test(tests, test_random_caps);
  tcase_add_test(tests, test_check_text);
  tcase_add_test(tests, test_stamps);
  tcase_add_test(tests, test_c_api);
  return suite;
}

GST_CHECK_MAIN(consent)
