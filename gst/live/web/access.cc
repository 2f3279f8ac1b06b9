// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/live/web/access.h"

#include <glib.h>

#include <algorithm>

#include "gst/live/web/addresses.h"
#include "gst/live/web/secrets.h"
#include "gst/sphere/base/text.h"

namespace sphere::live {

namespace {

constexpr int64_t second = 1'000'000;
constexpr unsigned first_wait_ms = 500, longest_wait_ms = 8000;
/// After so long without one, wrong tokens are forgotten.
constexpr int64_t forgotten_after = 60 * second;

std::string_view without_port(std::string_view host) {
  if (host.starts_with('[')) return host.substr(0, std::min(host.find(']') + 1, host.size()));
  return host.substr(0, host.find(':'));
}

bool is_this_machine(std::string_view host) {
  std::string name(without_port(host));
  if (g_ascii_strcasecmp(name.c_str(), "localhost") == 0) return true;
  // Nobody can make an address point elsewhere, as he can a name.
  if (name.starts_with('[') && name.ends_with(']')) name = name.substr(1, name.size() - 2);
  return is_loopback(name);
}

}  // namespace

AccessResult Access::check_page(const RequestFacts& facts) const {
  if (has_token() || is_this_machine(facts.host)) return AccessResult::allowed;
  return AccessResult::wrong_host;
}

AccessResult Access::check_stream(const RequestFacts& facts) const {
  if (const AccessResult page = check_page(facts); page != AccessResult::allowed) return page;
  if (!has_token()) {
    // A page of another place that only embeds the stream has no origin.
    if (!facts.site.empty() && facts.site != "same-origin" && facts.site != "none")
      return AccessResult::foreign_origin;
    // Browsers name the origin of a page wherever it could read the answer of another place.
    if (facts.origin.empty()) return AccessResult::allowed;
    const bool ours = facts.origin == "http://" + std::string(facts.host) ||
                      facts.origin == "https://" + std::string(facts.host);
    return ours ? AccessResult::allowed : AccessResult::foreign_origin;
  }
  constexpr std::string_view scheme = "Bearer ";
  if (facts.authorization.size() < scheme.size() ||
      g_ascii_strncasecmp(facts.authorization.data(), scheme.data(), scheme.size()) != 0)
    return AccessResult::no_token;
  return same_secret(trimmed(facts.authorization.substr(scheme.size())), token_)
             ? AccessResult::allowed
             : AccessResult::wrong_token;
}

std::optional<unsigned> WrongTokens::wait(int64_t now_us) {
  if (waiting_ >= most_waiting) return std::nullopt;
  if (now_us - last_ > forgotten_after) recent_ = 0;
  last_ = now_us;
  const unsigned doubled = first_wait_ms << std::min(recent_, 8u);
  ++recent_;
  ++waiting_;
  return std::min(doubled, longest_wait_ms);
}

}  // namespace sphere::live
