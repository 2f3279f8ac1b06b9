// SPDX-License-Identifier: LGPL-2.1-or-later
// The closed-world decision. GStreamer's own caps functions can't be used for it: for them a
// missing field matches everything, EMPTY is a subset of all caps, and ANY contains all caps.

#include "gst/sphere/consent/decision.h"

#include <algorithm>

#include "gst/sphere/base/gobject.h"
#include "gst/sphere/base/printable.h"
#include "gst/sphere/base/result.h"
#include "gst/sphere/base/text.h"

namespace sphere::consent {

namespace {

constexpr std::string_view name_prefix = "consent/";
// There are seven categories; many more structures than that are a mistake or an attack.
constexpr guint max_structures = 64;
constexpr guint max_list = 64;

template <typename E, size_t n>
std::optional<E> find_name(const std::array<std::string_view, n>& names, std::string_view name) {
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) return std::nullopt;
  return static_cast<E>(found - names.begin());
}

/// Text from outside, in quotes, fit for a log.
std::string quoted(std::string_view text) {
  constexpr size_t max_bytes = 40;
  return "'" + printable(text, max_bytes) + "'";
}

std::string type_in_words(const GValue* value) {
  if (GST_VALUE_HOLDS_LIST(value)) return "a list";
  if (GST_VALUE_HOLDS_ARRAY(value)) return "an array";
  if (G_VALUE_HOLDS_BOOLEAN(value)) return "a boolean";
  if (G_VALUE_HOLDS_STRING(value)) return "a string without content";
  if (GST_VALUE_HOLDS_INT_RANGE(value) || GST_VALUE_HOLDS_INT64_RANGE(value) ||
      GST_VALUE_HOLDS_DOUBLE_RANGE(value) || GST_VALUE_HOLDS_FRACTION_RANGE(value))
    return "a range";
  if (G_VALUE_HOLDS_INT(value) || G_VALUE_HOLDS_UINT(value) || G_VALUE_HOLDS_INT64(value) ||
      G_VALUE_HOLDS_UINT64(value))
    return "a number";
  return "a " + to_string(G_VALUE_TYPE_NAME(value));
}

/// The one string that a value is.
Result<std::string_view> string_in(const GValue* value, std::string_view field) {
  if (G_VALUE_HOLDS_STRING(value))
    if (const char* text = g_value_get_string(value)) return std::string_view(text);
  return invalid(std::string(field) + " is " + type_in_words(value) +
                 " where there must be one (string)");
}

/// What one structure says.
struct Grant {
  bool given = false;
  std::string state;
  Purposes purposes = 0;
  Precision precision = Precision::exact;
  int64_t expires = never;
};

Result<Purposes> read_purpose(const GValue* value, const CategoryInfo& info) {
  const auto name = string_in(value, "purpose");
  if (!name) return name.error();
  const std::optional<Purpose> purpose = purpose_of(*name);
  if (!purpose || !(info.purposes & bit(*purpose)))
    return invalid(quoted(*name) + " is not a purpose of " + std::string(info.name));
  return bit(*purpose);
}

Result<Purposes> read_purposes(const GValue* value, const CategoryInfo& info) {
  if (!GST_VALUE_HOLDS_LIST(value)) return read_purpose(value, info);
  const guint size = gst_value_list_get_size(value);
  if (size == 0) return invalid("the list of purposes is empty");
  if (size > max_list) return invalid("the list of purposes is too long");
  Purposes all = 0;
  for (guint i = 0; i < size; ++i) {
    const auto one = read_purpose(gst_value_list_get_value(value, i), info);
    if (!one) return one;
    all |= *one;
  }
  return all;
}

Status read_field(std::string_view field, const GValue* value, const CategoryInfo& info,
                  Grant& grant) {
  if (field.starts_with("x-")) return ok();
  if (field == "purpose") {
    const auto purposes = read_purposes(value, info);
    if (!purposes) return purposes.error();
    grant.purposes = *purposes;
    return ok();
  }
  const bool known = field == "state" || field == "expires" || field == "policy" ||
                     (field == "precision" && info.category == Category::location);
  if (!known)
    return invalid("a grant of " + std::string(info.name) + " has no field " + quoted(field));
  const auto text = string_in(value, field);
  if (!text) return text.error();
  if (field == "state") {
    grant.given = *text == "given";
    grant.state = *text;
  } else if (field == "precision") {
    const std::optional<Precision> precision = precision_of(*text);
    if (!precision) return invalid(quoted(*text) + " is not a precision");
    grant.precision = *precision;
  } else if (field == "expires") {
    const std::optional<int64_t> expires = parse_expiry(*text);
    if (!expires)
      return invalid("expires is " + quoted(*text) +
                     ", must be like 2027-01-01 or like 2027-01-01T00:00:00Z");
    grant.expires = *expires;
  } else if (text->empty()) {
    return invalid("policy is empty");
  }
  return ok();
}

Result<Grant> read_grant(const GstStructure* structure, const CategoryInfo& info) {
  Grant grant;
  grant.purposes = default_purposes(info.category);
  if (!gst_structure_has_field(structure, "state")) return invalid("it has no state");
  const int count = gst_structure_n_fields(structure);
  for (int i = 0; i < count; ++i) {
    const char* field = gst_structure_nth_field_name(structure, static_cast<guint>(i));
    const Status read = read_field(field, gst_structure_get_value(structure, field), info, grant);
    if (!read) return read.error();
  }
  return grant;
}

const CategoryInfo* info_of_structure(const GstStructure* structure) {
  const std::string_view name = gst_structure_get_name(structure);
  if (!name.starts_with(name_prefix)) return nullptr;
  const std::optional<Category> category = category_of(name.substr(name_prefix.size()));
  return category ? &info_of(*category) : nullptr;
}

/// The reason why these caps as a whole are not a set of grants.
Status check_whole(const GstCaps* caps) {
  if (!caps) return invalid("nothing was given");
  if (gst_caps_is_any(caps)) return invalid("ANY is not a grant");
  if (gst_caps_is_empty(caps)) return invalid("nothing was given");
  const guint size = gst_caps_get_size(caps);
  if (size > max_structures) return invalid("there are too many structures");
  for (guint i = 0; i < size; ++i) {
    const GstStructure* structure = gst_caps_get_structure(caps, i);
    if (!info_of_structure(structure))
      return invalid(quoted(gst_structure_get_name(structure)) +
                     " is not a category, and may be a restriction that is not known");
    const GstCapsFeatures* features = gst_caps_get_features(caps, i);
    // ANY features are equal to all.
    if (features && (gst_caps_features_is_any(features) ||
                     !gst_caps_features_is_equal(features, GST_CAPS_FEATURES_MEMORY_SYSTEM_MEMORY)))
      return invalid("a grant must not have caps features");
  }
  return ok();
}

Answer denied(std::string reason) {
  Answer answer;
  answer.reason = std::move(reason);
  return answer;
}

std::string time_in_words(int64_t utc_us) {
  g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(utc_us / G_USEC_PER_SEC);
  if (!time) return "a time that can't be written";
  const GString_ text(g_date_time_format(time, "%Y-%m-%dT%H:%M:%SZ"));
  return to_string(text.get());
}

/// Why a grant with a valid form does not allow now, or "".
std::string refusal(const Grant& grant, int64_t now) {
  if (!grant.given) return "its state is " + quoted(grant.state) + ", not 'given'";
  if (grant.expires == never) return {};
  if (now < 0) return "it has an expiry, and the clock is wrong";
  if (now >= grant.expires) return "it expired at " + time_in_words(grant.expires);
  return {};
}

}  // namespace

std::optional<Category> category_of(std::string_view name) {
  for (const CategoryInfo& info : categories)
    if (info.name == name) return info.category;
  return std::nullopt;
}

std::optional<Purpose> purpose_of(std::string_view name) {
  return find_name<Purpose>(purpose_names, name);
}

std::optional<Precision> precision_of(std::string_view name) {
  return find_name<Precision>(precision_names, name);
}

double grid_degrees(Precision precision) {
  constexpr std::array<double, precision_names.size()> grid = {0, 0.001, 0.01, 0.1, 1};
  return grid[static_cast<size_t>(precision)];
}

std::optional<int64_t> parse_expiry(std::string_view text) {
  size_t at = 0;
  const auto number = [&](size_t digits) -> std::optional<int> {
    int value = 0;
    for (size_t end = at + digits; at < end; ++at) {
      if (at >= text.size() || text[at] < '0' || text[at] > '9') return std::nullopt;
      value = value * 10 + (text[at] - '0');
    }
    return value;
  };
  const auto take = [&](char c) { return at < text.size() && text[at] == c && ++at; };

  const auto year = number(4);
  if (!year || !take('-')) return std::nullopt;
  const auto month = number(2);
  if (!month || !take('-')) return std::nullopt;
  const auto day = number(2);
  if (!day) return std::nullopt;
  std::optional<int> hour = 0, minute = 0, second = 0;
  int64_t fraction = 0;
  if (at < text.size()) {
    if (!take('T') || !(hour = number(2)) || !take(':') || !(minute = number(2)))
      return std::nullopt;
    if (take(':')) {
      if (!(second = number(2))) return std::nullopt;
      if (take('.')) {
        int64_t unit = G_USEC_PER_SEC / 10;
        const size_t first = at;
        for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at, unit /= 10)
          fraction += (text[at] - '0') * unit;
        if (at == first) return std::nullopt;
      }
    }
    if (!take('Z') || at != text.size()) return std::nullopt;
  }
  g_autoptr(GDateTime) time = g_date_time_new_utc(*year, *month, *day, *hour, *minute, *second);
  if (!time) return std::nullopt;
  return g_date_time_to_unix(time) * G_USEC_PER_SEC + fraction;
}

Answer evaluate(const GstCaps* caps, Category category, Purpose purpose, int64_t now_utc_us) {
  const std::string name(name_of(category));
  if (const Status whole = check_whole(caps); !whole) return denied(whole.error().message);
  const CategoryInfo& info = info_of(category);
  if (!(info.purposes & bit(purpose)))
    return denied("'" + std::string(name_of(purpose)) + "' is not a purpose of " + name);

  Answer answer;
  answer.precision = Precision::exact;
  const guint size = gst_caps_get_size(caps);
  for (guint i = 0; i < size; ++i) {
    const GstStructure* structure = gst_caps_get_structure(caps, i);
    if (info_of_structure(structure) != &info) continue;
    const auto grant = read_grant(structure, info);
    if (!grant) return denied("consent/" + name + ": " + grant.error().message);
    if (const std::string why = refusal(*grant, now_utc_us); !why.empty())
      return denied("consent/" + name + ": " + why);
    if (!(grant->purposes & bit(purpose)))
      return denied("consent/" + name + ": not for " + quoted(name_of(purpose)));
    answer.allowed = true;
    answer.precision = std::max(answer.precision, grant->precision);
    answer.expires = std::min(answer.expires, grant->expires);
  }
  if (!answer.allowed) return denied("nothing was given for " + name);
  answer.reason = name + " is given for " + std::string(name_of(purpose));
  if (answer.expires != never) answer.reason += " until " + time_in_words(answer.expires);
  return answer;
}

Answer strictest(std::span<const Answer> answers) {
  if (answers.empty()) return denied("no property, no application and no ledger gives it");
  Answer all;
  all.allowed = true;
  all.precision = Precision::exact;
  std::vector<std::string> reasons;
  for (const Answer& answer : answers) all.allowed = all.allowed && answer.allowed;
  for (const Answer& answer : answers) {
    all.precision = std::max(all.precision, answer.precision);
    all.expires = std::min(all.expires, answer.expires);
    if (answer.allowed == all.allowed) reasons.push_back(answer.reason);
    if (all.problem.empty()) all.problem = answer.problem;
  }
  if (!all.allowed) {
    all.precision = Precision::country;
    all.expires = never;
  }
  std::sort(reasons.begin(), reasons.end());
  reasons.erase(std::unique(reasons.begin(), reasons.end()), reasons.end());
  for (const std::string& reason : reasons) all.reason += (all.reason.empty() ? "" : "; ") + reason;
  return all;
}

// --- a text in words -------------------------------------------------------------------------

namespace {

// Nested brackets are read by recursion; nobody types as much as this.
constexpr size_t max_text = 4096;

/// Splits at a character that stands neither in quotes nor in brackets.
std::vector<std::string_view> split(std::string_view text, char at) {
  std::vector<std::string_view> parts;
  size_t start = 0;
  int depth = 0;
  bool in_quotes = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\\') {
      ++i;
    } else if (c == '"') {
      in_quotes = !in_quotes;
    } else if (!in_quotes) {
      if (c == '{' || c == '[' || c == '<') ++depth;
      if (c == '}' || c == ']' || c == '>') --depth;
      if (c == at && depth <= 0) {
        parts.push_back(text.substr(start, i - start));
        start = i + 1;
      }
    }
  }
  parts.push_back(text.substr(start));
  return parts;
}

/// Fields that are written twice: GStreamer keeps the last and does not say so.
void find_doubles(std::string_view structure, std::vector<std::string>& problems) {
  std::vector<std::string_view> seen;
  for (const std::string_view part : split(structure, ',')) {
    const size_t equals = part.find('=');
    if (equals == std::string_view::npos) continue;
    const std::string_view field = trimmed(part.substr(0, equals));
    if (std::find(seen.begin(), seen.end(), field) != seen.end())
      problems.push_back("the field " + quoted(field) + " appears twice; the last one counts");
    seen.push_back(field);
  }
}

std::string purposes_in_words(Purposes purposes) {
  std::string words;
  for (size_t i = 0; i < purpose_names.size(); ++i)
    if (purposes & bit(static_cast<Purpose>(i)))
      words += (words.empty() ? "" : ", ") + std::string(purpose_names[i]);
  return words;
}

void tell_category(const GstCaps* caps, const CategoryInfo& info, int64_t now, CapsCheck& check) {
  Purposes allowed = 0;
  Answer best, refused;
  for (size_t i = 0; i < purpose_names.size(); ++i) {
    const auto purpose = static_cast<Purpose>(i);
    if (!(info.purposes & bit(purpose))) continue;
    const Answer answer = evaluate(caps, info.category, purpose, now);
    if (answer.allowed) {
      allowed |= bit(purpose);
      best = answer;
    } else if (bit(purpose) & default_purposes(info.category)) {
      refused = answer;
    }
  }
  if (!allowed) {
    check.grants.push_back(std::string(info.name) + " is denied: " + refused.reason);
    return;
  }
  std::string words = std::string(info.name) + " is given for " + purposes_in_words(allowed);
  if (info.category == Category::location) {
    words += ", " + std::string(name_of(best.precision));
    if (best.precision != Precision::exact) {
      char degrees[32];
      g_snprintf(degrees, sizeof degrees, "%g", grid_degrees(best.precision));
      words += " (rounded to " + std::string(degrees) + " degrees)";
    }
  }
  if (best.expires != never) words += ", until " + time_in_words(best.expires);
  check.grants.push_back(words);
}

}  // namespace

std::vector<std::string> problems_of(const GstCaps* caps) {
  if (!caps || gst_caps_is_empty(caps)) return {};
  if (const Status whole = check_whole(caps); !whole) return {whole.error().message};
  std::vector<std::string> problems;
  for (guint i = 0; i < gst_caps_get_size(caps); ++i) {
    const GstStructure* structure = gst_caps_get_structure(caps, i);
    const CategoryInfo* info = info_of_structure(structure);
    if (const auto grant = read_grant(structure, *info); !grant)
      problems.push_back("consent/" + std::string(info->name) + ": " + grant.error().message);
  }
  return problems;
}

CapsCheck check_caps_text(std::string_view text, int64_t now_utc_us) {
  CapsCheck check;
  const auto problem = [&](std::string words) { check.problems.push_back(std::move(words)); };
  if (text.size() > max_text || text.find('\0') != std::string_view::npos) {
    problem("the text is too long, or it is not UTF-8");
    return check;
  }
  const CapsRef caps(gst_caps_from_string(std::string(text).c_str()));
  if (!caps) {
    for (const std::string_view part : split(text, ';')) {
      if (trimmed(part).empty()) continue;
      const CapsRef one(gst_caps_from_string(std::string(part).c_str()));
      if (!one) problem("it does not have the form of caps: " + quoted(trimmed(part)));
    }
    if (check.problems.empty()) problem("it does not have the form of caps");
    return check;
  }
  for (const std::string_view part : split(text, ';')) find_doubles(part, check.problems);
  if (const Status whole = check_whole(caps.get()); !whole) {
    problem(whole.error().message);
    return check;
  }
  for (std::string& words : problems_of(caps.get())) problem(std::move(words));
  std::array<bool, categories.size()> named = {};
  for (guint i = 0; i < gst_caps_get_size(caps.get()); ++i) {
    const CategoryInfo* info = info_of_structure(gst_caps_get_structure(caps.get(), i));
    named[static_cast<size_t>(info->category)] = true;
  }
  for (const CategoryInfo& info : categories)
    if (named[static_cast<size_t>(info.category)])
      tell_category(caps.get(), info, now_utc_us, check);
  return check;
}

}  // namespace sphere::consent
