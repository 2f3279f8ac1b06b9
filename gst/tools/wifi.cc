// SPDX-License-Identifier: LGPL-2.1-or-later
// sphere wifi: the name and the password of a camera's network.

#include <algorithm>
#include <string>

#include "gst/sphere/base/gobject.h"
#include "gst/tools/camera_command.h"
#include "gst/tools/password.h"

namespace sphere::tool {

namespace {

constexpr const char* description =
    "Shows the name of the camera's Wi-Fi, and with --show-password its password. With --name or\n"
    "--password-file changes them; then the camera restarts its Wi-Fi, and this machine must join "
    "it\n"
    "again. The password is read from a file, or from the terminal with --password, because other\n"
    "users of this machine can see the words of a command.\n"
    "\n"
    "Examples:\n"
    "  sphere wifi\n"
    "  sphere wifi --password\n"
    "  sphere wifi --name garden --password-file secret.txt --yes\n";

Result<std::string> read_password(const char* file) {
  g_autofree char* text = nullptr;
  gsize length = 0;
  g_autoptr(GError) error = nullptr;
  if (!g_file_get_contents(file, &text, &length, &error)) return invalid(error->message);
  std::string password(text, std::min<gsize>(length, 256));
  return password.substr(0, password.find_first_of("\r\n"));
}

int wifi(int argc, char** argv) {
  CameraCommand command("wifi", "[URI]", "Shows or changes the camera's Wi-Fi.", description);
  g_autofree char* name = nullptr;
  g_autofree char* file = nullptr;
  gboolean ask = FALSE, show = FALSE;
  const std::vector<GOptionEntry> options = {
      {"name", 0, 0, G_OPTION_ARG_STRING, &name, "The new name", "NAME"},
      {"password", 0, 0, G_OPTION_ARG_NONE, &ask, "Ask for the new password", nullptr},
      {"password-file", 0, 0, G_OPTION_ARG_FILENAME, &file,
       "The new password is the first line of this file", "FILE"},
      {"show-password", 0, 0, G_OPTION_ARG_NONE, &show, "Show the present password", nullptr}};
  if (const Status parsed = command.parse(options, true, argc, argv); !parsed)
    return command.usage(parsed.error().message);
  if (!command.words().empty()) return command.usage(no_uri(command.words()[0]).message);
  if (ask && file) return command.usage("--password and --password-file can't be used together");
  std::optional<std::string> password;
  if (ask || file) {
    const Result<std::string> read =
        file ? read_password(file)
             : ask_password("New password (8 to 20 digits): ", command.cancellable());
    if (!read && g_cancellable_is_cancelled(command.cancellable())) {
      print(stderr, "\n");
      return command.fail(CameraCommand::interrupted());
    }
    if (!read)
      return command.usage(read.error().message + (ask ? "; --password-file needs none" : ""));
    password = *read;
  }
  if (const auto status = command.connect()) return *status;
  hw::CameraUpkeep* upkeep = command.camera().upkeep();
  if (!upkeep) return command.lacking("Wi-Fi that can be changed over the network");
  const auto answer = command.wait<hw::CameraWifi, std::optional<hw::Failure>>(
      [&](auto handler) { upkeep->read_wifi(std::move(handler)); });
  if (!answer) return command.fail(CameraCommand::interrupted());
  if (const auto& failure = std::get<1>(*answer)) return command.fail(*failure);
  hw::CameraWifi present = std::get<0>(*answer);
  if (!name && !password) {
    const bool is_factory =
        !upkeep->factory_password().empty() && present.password == upkeep->factory_password();
    if (present.open || is_factory) {
      const GString_ uri(g_shell_quote(command.location().c_str()));
      command.printer().warn(
          "anybody near the camera can use it, because its password is the one of the factory; "
          "this changes it: sphere wifi " +
          (command.has_uri() ? uri.get() + std::string(" ") : "") + "--password");
    }
    JsonWriter json;
    json.add("name", present.name);
    json.add("open", present.open);
    json.add("factory-password", is_factory);
    if (show) json.add("password", present.password);
    json.add("warnings", command.printer().warnings());
    std::string text = "Name: " + present.name;
    if (show) text += "\nPassword: " + (present.open ? "(none)" : present.password);
    return command.done(text, &json);
  }
  if (name) present.name = name;
  if (password) present.password = *password;
  if (const Status good = upkeep->check_wifi(present); !good)
    return command.usage(good.error().message);
  if (const auto status =
          command.confirm("Change the camera's Wi-Fi? It restarts, and the connection is lost."))
    return *status;
  if (const auto failure =
          command.run([&](auto handler) { upkeep->change_wifi(present, std::move(handler)); }))
    return command.fail(*failure);
  return command.done("Changed. Join the network '" + present.name + "' again" +
                      (password ? ", with the new password." : "."));
}

const Registration registration({"wifi", "show or change a camera's Wi-Fi", wifi});

}  // namespace

}  // namespace sphere::tool
