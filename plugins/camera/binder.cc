// SPDX-License-Identifier: LGPL-2.1-or-later

#include "plugins/camera/binder.h"

#include <algorithm>
#include <utility>

GST_DEBUG_CATEGORY_EXTERN(spherecamsrc_debug);
#define GST_CAT_DEFAULT spherecamsrc_debug

namespace sphere::camera {

using consent::Category;
using consent::Purpose;
using storage::Binding;

namespace {

/// The name alone: the password stands beside it, and is nobody's business here.
std::string wifi_name(const std::string& lines) {
  constexpr std::string_view key = "AP_SSID=";
  for (size_t at = 0; at < lines.size();) {
    const size_t end = std::min(lines.find('\n', at), lines.size());
    const std::string_view line(lines.data() + at, end - at);
    if (line.starts_with(key)) return std::string(line.substr(key.size()));
    at = end + 1;
  }
  return {};
}

}  // namespace

bool Binder::device_allowed() const { return consent_.allowed(Category::device, Purpose::bind); }

bool Binder::allowed() const {
  return device_allowed() && consent_.allowed(Category::network, Purpose::bind);
}

void Binder::restart() {
  const Lock lock(mutex_);
  ready_ = asked_ = table_given_ = false;
  camera_ = {};
  kept_.clear();
}

void Binder::table_came(std::string_view table) {
  const GString_ md5(g_compute_checksum_for_data(
      G_CHECKSUM_MD5, reinterpret_cast<const guchar*>(table.data()), table.size()));
  const Lock lock(mutex_);
  camera_.table = md5.get();
}

void Binder::camera_ready() {
  const Lock lock(mutex_);
  ready_ = true;
}

void Binder::step(madv::Session& session) {
  const bool device = device_allowed(), may = device && allowed();
  std::string forget, table;
  {
    const Lock lock(mutex_);
    if (std::exchange(table_given_, device) && !device) table = camera_.table;
    if (!may) {
      forget = std::exchange(kept_, {});
      camera_.serial.clear();
      camera_.wifi.clear();
      asked_ = false;
    }
    if (may && (!ready_ || asked_)) return;
    asked_ = may;
  }
  if (may) ask(session);
  if (!table.empty()) madv::TableCache().forget(table);
  if (!forget.empty() && !storage::remove_binding(forget))
    GST_WARNING_OBJECT(element_,
                       "what was kept of this camera can't be removed; "
                       "`sphere consent sweep` tries again");
}

void Binder::ask(madv::Session& session) {
  for (const bool wifi : {false, true}) {
    madv::Request request(wifi ? madv::msg_get_wifi : madv::msg_serial);
    // Nor when it is taken back while this waits for its turn.
    request.only_while([this] { return allowed(); });
    session.request(std::move(request), [this, wifi, &session](const madv::Reply& reply) {
      replied(reply, wifi, session);
    });
  }
}

void Binder::replied(const madv::Reply& reply, bool wifi, const madv::Session& session) {
  if (!reply.message || !reply.message->succeeded() || !allowed()) return;
  const std::string text = reply.message->param_text().value_or("");
  // Before the lock: the session has one of its own.
  const madv::CameraState state = session.state();
  Binding binding;
  {
    const Lock lock(mutex_);
    (wifi ? camera_.wifi : camera_.serial) = wifi ? wifi_name(text) : text;
    camera_.model = state.product;
    camera_.firmware = state.firmware;
    if (!wifi || camera_.serial.empty()) return;
    binding = camera_;
    kept_ = camera_.serial;
  }
  keep(binding);
}

void Binder::keep(const Binding& binding) {
  if (!storage::write_binding(binding)) {
    GST_WARNING_OBJECT(element_, "this camera can't be remembered");
    return;
  }
  // Taken back meanwhile: whoever did has removed what there was, maybe before this.
  if (!allowed()) (void)storage::remove_binding(binding.serial);
}

}  // namespace sphere::camera
