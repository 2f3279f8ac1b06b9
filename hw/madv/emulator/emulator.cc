// SPDX-License-Identifier: LGPL-2.1-or-later

#include "hw/madv/emulator/emulator.h"

#include <algorithm>
#include <deque>

#include "gst/sphere/base/loop.h"
#include "gst/sphere/lens/profile.h"
#include "gst/sphere/lens/table.h"
#include "hw/madv/emulator/emulator_impl.h"
#include "hw/madv/emulator/orders.h"
#include "hw/madv/emulator/rtsp_answers.h"
#include "hw/madv/uri.h"

namespace sphere::madv_emulator {

// --- life ------------------------------------------------------------------------------------

Status Emulator::Impl::open() {
  if (!options_.certificate.empty()) {
    g_autoptr(GError) error = nullptr;
    certificate_.reset(g_tls_certificate_new_from_pem(
        options_.certificate.data(), static_cast<gssize>(options_.certificate.size()), &error));
    if (!certificate_)
      return invalid(std::string("the certificate can't be used: ") + error->message +
                     "; it needs a certificate and its key, as PEM");
  }
  g_main_context_push_thread_default(loop_.context());
  ports_ = {options_.port, options_.data_port, options_.rtsp_port, options_.http_port,
            options_.https_port};
  Status status = listen();
  idle_watch_ = watch_time(Delay(options_.idle_time) / 2, loop_.context(), [this] {
    close_idle();
    return true;
  });
  g_main_context_pop_thread_default(loop_.context());
  if (status && options_.preview) {
    Result<std::unique_ptr<Preview>> preview = Preview::start({.scene = options_.scene,
                                                               .faults = options_.control.faults,
                                                               .host = options_.host,
                                                               .port = ports_.rtsp,
                                                               .mount_point = "/live",
                                                               .change_answer = change_answer,
                                                               .idle_time = options_.idle_time});
    if (!preview) return preview.error();
    preview_ = std::move(*preview);
    ports_.rtsp = preview_->port();
  }
  perform();  // timers of its faults
  if (status) loop_.start();
  return status;
}

Emulator::Impl::~Impl() {
  loop_.stop();
  capture_.stop();
  g_main_context_push_thread_default(loop_.context());
  preview_.reset();
  idle_watch_.stop();
  control_listener_.reset();
  data_listener_.reset();
  http_listener_.reset();
  https_listener_.reset();
  files_.reset();
  timers_.clear();
  connections_.clear();
  loop_.drain();
  g_main_context_pop_thread_default(loop_.context());
}

void Emulator::Impl::after(Delay delay, std::function<void()> function) {
  timers_.remove_if([](const Watch& timer) { return !timer; });
  timers_.push_back(watch_time(delay, loop_.context(), [function = std::move(function)] {
    function();
    return false;
  }));
}

// --- Emulator --------------------------------------------------------------------------------

Result<std::unique_ptr<Emulator>> Emulator::start(EmulatorOptions options) {
  if (options.make_table && options.control.lens_table.empty()) {
    const Result<LensPair> pair = load_profile(options.scene.lens);
    if (!pair) return pair.error();
    if (const auto table = make_table(*pair))
      options.control.lens_table.assign(table->begin(), table->end());
  }
  if (options.preview || options.photo_bytes.empty() || options.video_bytes.empty())
    if (Status elements = emulator::check_elements(options.scene, options.preview); !elements)
      return elements.error();
  if (Status seen = emulator::check_scene(options.scene); !seen) return seen.error();
  if (!options.certificate.empty()) options.control.firmware = secure_firmware_version;
  Result<Card> card = Card::open(options.card_folder, madv::card_root);
  if (!card) return card.error();
  auto impl = std::make_unique<Impl>(std::move(options), std::move(*card));
  if (Status status = impl->open(); !status) return status.error();
  return std::unique_ptr<Emulator>(new Emulator(std::move(impl)));
}

Emulator::Emulator(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Emulator::~Emulator() = default;

Emulator::Ports Emulator::ports() const { return impl_->ports(); }

std::string Emulator::uri() const {
  madv::Uri uri;
  uri.host = impl_->options_.host;
  const Ports all = ports();
  uri.port = all.control;
  uri.data_port = all.data;
  uri.http_port = all.http;
  if (all.https) uri.https_port = all.https;
  if (all.rtsp) uri.rtsp_port = all.rtsp;
  return uri.to_string();
}

const std::string& Emulator::card_folder() const { return impl_->card_.folder(); }

Counters Emulator::counters() const {
  return impl_->ask<Counters>([this] { return impl_->control_.counters(); });
}
std::vector<Asked> Emulator::asked(int64_t from) const {
  return impl_->ask<std::vector<Asked>>([this, from] {
    const std::deque<Asked>& all = impl_->control_.asked();
    const auto first = std::partition_point(
        all.begin(), all.end(), [from](const Asked& asked) { return asked.number < from; });
    return std::vector<Asked>(first, all.end());
  });
}
std::vector<std::string> Emulator::position() const {
  return impl_->ask<std::vector<std::string>>([this] { return impl_->control_.position(); });
}
std::string Emulator::clock() const {
  return impl_->ask<std::string>([this] { return impl_->control_.clock(); });
}

uint64_t Emulator::file_bytes() const {
  return impl_->ask<uint64_t>(
      [this] { return impl_->data_bytes_ + (impl_->files_ ? impl_->files_->sent() : 0); });
}

std::vector<std::pair<std::string, uint16_t>> Emulator::named_ports() const {
  const Ports all = ports();
  std::vector<std::pair<std::string, uint16_t>> named = {{port_names[0].name, all.control},
                                                         {port_names[1].name, all.data},
                                                         {port_names[2].name, all.rtsp},
                                                         {port_names[3].name, all.http}};
  if (all.https) named.emplace_back(port_names[4].name, all.https);
  return named;
}
std::vector<emulator::Camera::Line> Emulator::log(int64_t from) const {
  std::vector<Line> lines;
  for (Asked& one : asked(from)) lines.push_back({one.number, one.client, std::move(one.redacted)});
  return lines;
}

std::vector<int> Emulator::tracks() const {
  return impl_->preview_ ? impl_->preview_->tracks() : std::vector<int>();
}

void Emulator::set_battery(int code) {
  impl_->ask<bool>([this, code] {
    impl_->control_.set_battery(code);
    impl_->perform();
    return true;
  });
}
void Emulator::set_card(int rval) {
  impl_->ask<bool>([this, rval] {
    impl_->control_.set_card(rval);
    impl_->perform();
    return true;
  });
}
Status Emulator::execute(const std::string& line) {
  return impl_->ask<Status>([this, &line] { return impl_->execute(line); });
}
void Emulator::set_silent(bool silent) {
  impl_->ask<bool>([this, silent] {
    impl_->control_.set_silent(silent);
    return true;
  });
}
void Emulator::notify(int id, std::string more) {
  impl_->ask<bool>([this, id, &more] {
    impl_->control_.notify(id, more);
    impl_->perform();
    return true;
  });
}
void Emulator::reboot(Delay pause) {
  impl_->ask<bool>([this, pause] {
    impl_->reboot(pause);
    return true;
  });
}
Delay Emulator::back_since() const {
  return impl_->ask<Delay>([this] { return impl_->back_since(); });
}
void Emulator::cut_preview() {
  impl_->ask<bool>([this] {
    if (impl_->preview_) impl_->preview_->cut();
    return true;
  });
}

}  // namespace sphere::madv_emulator
