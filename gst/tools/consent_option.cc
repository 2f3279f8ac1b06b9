// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/tools/consent_option.h"

#include <gst/gst.h>

#include "gst/sphere/base/gobject.h"

namespace sphere::tool {

void init_without_plugins() {
  g_setenv("GST_REGISTRY_DISABLE", "yes", TRUE);
  gst_init(nullptr, nullptr);
}

ConsentOption::~ConsentOption() {
  g_free(caps_);
  g_free(ledger_);
}

std::vector<GOptionEntry> ConsentOption::entries() {
  return {{"consent", 0, 0, G_OPTION_ARG_STRING, &caps_, "What is given, as caps", "CAPS"},
          {"ledger", 0, 0, G_OPTION_ARG_FILENAME, &ledger_,
           "The consent ledger (default: your own, unless --consent is there)", "FILE|default"}};
}

Status ConsentOption::open(consent::Consent* consent) const {
  if (caps_) {
    const CapsRef parsed(gst_caps_from_string(caps_));
    if (!parsed) return invalid("--consent: these are no caps: see 'sphere consent caps'");
    consent->set_caps(parsed.get());
  }
  const auto name = ledger();
  return name ? consent->set_ledger(*name) : ok();
}

std::optional<std::string> ConsentOption::caps() const {
  if (caps_) return caps_;
  return std::nullopt;
}

std::optional<std::string> ConsentOption::ledger() const {
  if (ledger_) return ledger_;
  if (caps_) return std::nullopt;
  return "default";
}

}  // namespace sphere::tool
