// SPDX-License-Identifier: LGPL-2.1-or-later
// Registers the emulated Mi Sphere for `sphere emulator`.

#include <iterator>
#include <memory>
#include <utility>

#include "hw/emulator/camera.h"
#include "hw/madv/emulator/emulator.h"
#include "hw/madv/emulator/orders.h"

namespace sphere::madv_emulator {

namespace {

constexpr const char* sister_model = "sj8-pro";

Result<std::unique_ptr<emulator::Camera>> start(emulator::CameraSettings settings) {
  EmulatorOptions options;
  options.host = std::move(settings.host);
  uint16_t* const ports[] = {&options.port, &options.data_port, &options.rtsp_port,
                             &options.http_port, &options.https_port};
  for (size_t i = 0; i < std::size(ports); ++i)
    if (const auto port = settings.ports.find(port_names[i].name); port != settings.ports.end())
      *ports[i] = port->second;
  if (settings.model == sister_model) options.control.model = Model::sj8_pro;
  options.certificate = std::move(settings.certificate);
  if (options.https_port && options.certificate.empty())
    return invalid("--https-port needs --certificate");
  options.card_folder = std::move(settings.card_folder);
  options.scene = std::move(settings.scene);
  options.make_table = !settings.lens_table;
  options.control.lens_table = settings.lens_table.value_or("");
  options.control.timing = settings.timing;
  options.control.faults = std::move(settings.faults);
  Result<std::unique_ptr<Emulator>> camera = Emulator::start(std::move(options));
  if (!camera) return camera.error();
  return std::unique_ptr<emulator::Camera>(std::move(*camera));
}

const emulator::EmulatorFamily family{
    .scheme = "madv",
    .what = "A Mi Sphere: its control channel, data port, files over HTTP and preview over RTSP.",
    .ports = {std::begin(port_names), std::end(port_names)},
    .models = {{"mi-sphere", "the Xiaomi Mi Sphere"},
               {sister_model, "the sister camera of which a session was published"}},
    .faults = fault_list(),
    .orders = order_list(),
    .start = start};
const emulator::RegisterEmulator registration(family);

}  // namespace

}  // namespace sphere::madv_emulator
