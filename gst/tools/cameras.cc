// SPDX-License-Identifier: LGPL-2.1-or-later
// sphere cameras: the cameras that this machine can reach.

#include <string>
#include <vector>

#include "gst/tools/camera_command.h"
#include "gst/tools/command.h"
#include "gst/tools/stop_signals.h"
#include "hw/discover.h"

namespace sphere::tool {

namespace {

constexpr const char* description =
    "Finds cameras: at the usual address, at the gateways of this machine's networks (a camera\n"
    "makes its own Wi-Fi and is the gateway in it), where Avahi knows one that is announced, and\n"
    "at each URI that is given.\n"
    "Each camera is connected to for a moment; one that another program uses is told as such.\n"
    "The exit status is 0 if there is a camera.\n"
    "\n"
    "Examples:\n"
    "  sphere cameras\n"
    "  sphere cameras madv://192.168.1.20 --json\n";

int cameras(int argc, char** argv) {
  const StopSignals signals;
  MessagePrinter printer("sphere cameras");
  gboolean json = FALSE;
  double timeout = 2;
  GOptionEntry entries[] = {{"timeout", 0, 0, G_OPTION_ARG_DOUBLE, &timeout,
                             "The time that a camera has to answer (default: 2)", "SECONDS"},
                            {"json", 0, 0, G_OPTION_ARG_NONE, &json, "Print JSON", nullptr},
                            {}};
  std::vector<std::string> given;
  Status status = parse_options("cameras", "[URI...]", "Finds cameras.", description, entries, argc,
                                argv, &given);
  if (status) status = check_range("--timeout", timeout, 0.1, 60);
  std::vector<std::string> locations = hw::usual_locations();
  for (const std::string& location : given) {
    const Result<const hw::CameraFamily*> family = hw::find_family(location);
    if (!family && status) status = family.error();
    if (family && status) status = (*family)->check_location(location);
    locations.push_back(location);
  }
  if (!status) {
    printer.error(status.error().message);
    return exit_usage;
  }
  const std::vector<hw::FoundCamera> found = hw::find_cameras_and_announced(
      locations, std::chrono::milliseconds(static_cast<int64_t>(timeout * 1000)),
      signals.cancellable());
  if (signals.signal()) return exit_interrupted;
  if (json) {
    JsonWriter output;
    output.open_list("cameras");
    for (const hw::FoundCamera& camera : found) {
      output.open();
      output.add("uri", camera.location);
      output.add("family", camera.family->scheme);
      output.add("in-use", camera.in_use);
      if (!camera.state.model.empty()) output.add("model", camera.state.model);
      if (!camera.state.firmware.empty()) output.add("firmware", camera.state.firmware);
      if (camera.state.battery_percent) output.add("battery", *camera.state.battery_percent);
      output.close();
    }
    output.close_list();
    if (!print(output)) return exit_failed;
    return found.empty() ? exit_failed : exit_done;
  }
  if (found.empty()) {
    printer.error(
        "no camera answers; switch the camera's Wi-Fi on, and connect this machine to the network "
        "whose name begins with MJXJ-");
    return exit_failed;
  }
  std::vector<std::vector<std::string>> rows;
  for (const hw::FoundCamera& camera : found)
    rows.push_back(
        {camera.location, camera.in_use ? "in use by another program" : camera.state.model,
         camera.state.battery_percent ? std::to_string(*camera.state.battery_percent) + " %" : ""});
  return print_text(stdout, table_text(rows)) ? exit_done : exit_failed;
}

const Registration registration({"cameras", "find cameras", cameras});

}  // namespace

}  // namespace sphere::tool
