// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/consent/chain.h"

#include <algorithm>

#include "gst/sphere/consent/notice.h"

namespace sphere::consent {

namespace {

constexpr size_t hash_length = 64;
const std::string no_hash(hash_length, '0');

/// A line that was cut off counts as one that gave only if it begins with this.
constexpr std::string_view giving = "{\"act\":\"give\",";

/// A word that needs no escape in JSON and can hold nobody's name or place by accident.
bool is_word(std::string_view text) {
  return !text.empty() && text.size() <= 40 && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == '-' || c == '.';
  });
}

/// Reads the members of a line one after the other. The form has no nesting.
class Line {
 public:
  explicit Line(std::string_view text) : rest_(text) {}

  bool take(std::string_view expected) {
    if (!rest_.starts_with(expected)) return false;
    rest_.remove_prefix(expected.size());
    return true;
  }
  /// `,"NAME":"VALUE"`, or nothing.
  std::optional<std::string> member(std::string_view name) {
    if (!take(",\"" + std::string(name) + "\":\"")) return std::nullopt;
    return text();
  }
  /// Up to the closing quote.
  std::optional<std::string> text() {
    const size_t end = rest_.find('"');
    if (end == std::string_view::npos) return std::nullopt;
    std::string value(rest_.substr(0, end));
    rest_.remove_prefix(end + 1);
    return value;
  }

 private:
  std::string_view rest_;
};

std::optional<Act> act_of(std::string_view name) {
  const auto found = std::find(act_names.begin(), act_names.end(), name);
  if (found == act_names.end()) return std::nullopt;
  return static_cast<Act>(found - act_names.begin());
}

Status check_meaning(const Entry& entry) {
  const bool one = entry.act == Act::give || entry.act == Act::withdraw;
  if (one != entry.category.has_value())
    return invalid(one ? "its category is missing" : "it has a category");
  if (entry.act == Act::give) {
    if (!entry.purposes || (entry.purposes & ~info_of(*entry.category).purposes))
      return invalid("its category does not have these purposes");
  } else if (entry.purposes || !entry.expires.empty() || entry.precision != Precision::exact) {
    return invalid("it has members that do not belong to its act");
  }
  if (entry.precision != Precision::exact && entry.category != Category::location)
    return invalid("only location has a precision");
  if (!entry.expires.empty() && !parse_expiry(entry.expires))
    return invalid("its expiry is not a time");
  if (!parse_expiry(entry.time)) return invalid("its time is not valid");
  if (!is_word(entry.how) || !is_word(entry.notice))
    return invalid("it contains a word that is not allowed");
  if (!is_hash(entry.notice_hash) || !is_hash(entry.previous) || !is_hash(entry.hash))
    return invalid("it contains a hash that is not valid");
  return ok();
}

}  // namespace

std::string sha256(std::string_view text) {
  const GString_ hash(g_compute_checksum_for_data(
      G_CHECKSUM_SHA256, reinterpret_cast<const guchar*>(text.data()), text.size()));
  return to_string(hash.get());
}

bool is_hash(std::string_view text) {
  return text.size() == hash_length && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

std::string time_text(int64_t utc_us) {
  g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(utc_us / G_USEC_PER_SEC);
  if (!time) return {};
  const GString_ text(g_date_time_format(time, "%Y-%m-%dT%H:%M:%S"));
  char fraction[16];
  g_snprintf(fraction, sizeof fraction, ".%06dZ", static_cast<int>(utc_us % G_USEC_PER_SEC));
  return to_string(text.get()) + fraction;
}

std::string serialise(const Entry& entry, bool with_hash) {
  std::string line = "{\"act\":\"" + std::string(name_of(entry.act)) + "\"";
  const auto add = [&](std::string_view name, std::string_view value) {
    line += ",\"" + std::string(name) + "\":\"" + std::string(value) + "\"";
  };
  if (entry.category) add("category", name_of(*entry.category));
  if (!entry.expires.empty()) add("expires", entry.expires);
  if (with_hash) add("hash", entry.hash);
  add("how", entry.how);
  add("notice", entry.notice);
  add("notice_hash", entry.notice_hash);
  if (entry.precision != Precision::exact) add("precision", name_of(entry.precision));
  add("previous", entry.previous);
  if (entry.purposes) {
    std::string list;
    for (size_t i = 0; i < purpose_names.size(); ++i)
      if (entry.purposes & bit(static_cast<Purpose>(i)))
        list += (list.empty() ? "\"" : ",\"") + std::string(purpose_names[i]) + "\"";
    line += ",\"purposes\":[" + list + "]";
  }
  add("time", entry.time);
  return line + ",\"v\":1}";
}

std::string hash_of(const Entry& entry) { return sha256(serialise(entry, false)); }

Result<Entry> read_entry(std::string_view text) {
  if (text.size() > max_line) return invalid("it is too long");
  Line line(text);
  Entry entry;
  const auto broken = [] { return invalid("it does not have the form of an entry"); };
  if (!line.take("{\"act\":\"")) return broken();
  const auto act = line.text();
  const auto known = act ? act_of(*act) : std::nullopt;
  if (!known) return broken();
  entry.act = *known;
  if (const auto name = line.member("category")) {
    entry.category = category_of(*name);
    if (!entry.category) return broken();
  }
  entry.expires = line.member("expires").value_or("");
  entry.hash = line.member("hash").value_or("");
  entry.how = line.member("how").value_or("");
  entry.notice = line.member("notice").value_or("");
  entry.notice_hash = line.member("notice_hash").value_or("");
  if (const auto name = line.member("precision")) {
    const auto precision = precision_of(*name);
    if (!precision) return broken();
    entry.precision = *precision;
  }
  entry.previous = line.member("previous").value_or("");
  if (line.take(",\"purposes\":[")) {
    do {
      const auto name = line.take("\"") ? line.text() : std::nullopt;
      const auto purpose = name ? purpose_of(*name) : std::nullopt;
      if (!purpose) return broken();
      entry.purposes |= bit(*purpose);
    } while (line.take(","));
    if (!line.take("]")) return broken();
  }
  entry.time = line.member("time").value_or("");
  if (const Status meaning = check_meaning(entry); !meaning) return meaning.error();
  // The reading above may let other texts pass; only the one that we would write is an entry.
  if (serialise(entry) != text) return broken();
  if (hash_of(entry) != entry.hash) return invalid("its hash does not match its content");
  return entry;
}

ChainState::ChainState() : head_(no_hash) {}

void ChainState::add(const Entry& entry) {
  const int number = static_cast<int>(count);
  const auto replace = [&](size_t category, const Entry* given) {
    const Purposes before = last[category].given ? last[category].given->purposes : 0;
    const Purposes taken_now = before & ~(given ? given->purposes : 0);
    for (size_t i = 0; i < purpose_names.size(); ++i)
      if (taken_now & bit(static_cast<Purpose>(i))) ++taken[category][i];
    last[category].number = number;
    last[category].given = given ? std::optional<Entry>(*given) : std::nullopt;
  };
  if (entry.category)
    replace(static_cast<size_t>(*entry.category), entry.act == Act::give ? &entry : nullptr);
  else if (entry.act != Act::notice_shown)
    for (size_t i = 0; i < categories.size(); ++i) replace(i, nullptr);
  latest = std::max(latest, parse_expiry(entry.time).value_or(0));
  head_ = entry.hash;
  ++count;
}

bool may_take_back(std::string_view torn_line) { return !torn_line.starts_with(giving); }

Status read_on(ChainState& state, std::string_view text, std::vector<Entry>* entries) {
  state.torn = 0;
  state.torn_withdrawal = false;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    if (end == std::string_view::npos) {
      state.torn = text.size();
      state.torn_withdrawal = may_take_back(text);
      break;
    }
    const std::string where = "line " + std::to_string(state.count + 1) + ": ";
    auto entry = read_entry(text.substr(0, end));
    if (!entry) return invalid(where + entry.error().message);
    if (entry->previous != state.head())
      return invalid(where + "it is not the successor of the entry before it");
    state.add(*entry);
    if (entries) entries->push_back(std::move(*entry));
    state.whole += end + 1;
    text.remove_prefix(end + 1);
  }
  return ok();
}

Result<Chain> read_chain(std::string_view text) {
  Chain chain;
  if (const Status read = read_on(chain, text, &chain.entries); !read) return read.error();
  return chain;
}

std::array<CategoryState, categories.size()> states_of(const ChainState& chain, int64_t now) {
  using State = CategoryState::State;
  std::array<CategoryState, categories.size()> all;
  for (size_t i = 0; i < all.size(); ++i) {
    const ChainState::Last& last = chain.last[i];
    all[i].entry = last.number;
    if (last.number < 0)
      all[i].state = State::never;
    else if (!last.given)
      all[i].state = State::withdrawn;
    else if (last.given->notice != notice_version || last.given->notice_hash != notice_hash())
      all[i].state = State::outdated;
    else if (!last.given->expires.empty() && now >= parse_expiry(last.given->expires).value_or(0))
      all[i].state = State::expired;
    else
      all[i].state = State::given;
  }
  return all;
}

CapsRef caps_of(const ChainState& chain, int64_t now) {
  using State = CategoryState::State;
  CapsRef caps(gst_caps_new_empty());
  if (now < chain.latest || chain.torn_withdrawal || chain.blocked) return caps;
  const auto all = states_of(chain, now);
  for (const CategoryInfo& info : categories) {
    const CategoryState& one = all[static_cast<size_t>(info.category)];
    if (one.state == State::never) continue;
    const std::string name = "consent/" + std::string(info.name);
    // An expired grant is written as given, with its expiry: evaluate() compares that with the
    // clock.
    const bool given = one.state == State::given || one.state == State::expired;
    GstStructure* grant = gst_structure_new(
        name.c_str(), "state", G_TYPE_STRING,
        given ? "given" : (one.state == State::outdated ? "outdated" : "withdrawn"), nullptr);
    if (given) {
      const Entry& entry = *chain.last[static_cast<size_t>(info.category)].given;
      GValue list = G_VALUE_INIT;
      gst_value_list_init(&list, purpose_names.size());
      for (size_t i = 0; i < purpose_names.size(); ++i) {
        if (!(entry.purposes & bit(static_cast<Purpose>(i)))) continue;
        GValue purpose = G_VALUE_INIT;
        g_value_init(&purpose, G_TYPE_STRING);
        g_value_set_string(&purpose, std::string(purpose_names[i]).c_str());
        gst_value_list_append_and_take_value(&list, &purpose);
      }
      gst_structure_take_value(grant, "purpose", &list);
      if (info.category == Category::location)
        gst_structure_set(grant, "precision", G_TYPE_STRING,
                          std::string(name_of(entry.precision)).c_str(), nullptr);
      if (!entry.expires.empty())
        gst_structure_set(grant, "expires", G_TYPE_STRING, entry.expires.c_str(), nullptr);
      gst_structure_set(grant, "policy", G_TYPE_STRING, entry.notice.c_str(), nullptr);
    }
    gst_caps_append_structure(caps.get(), grant);
  }
  return caps;
}

}  // namespace sphere::consent
