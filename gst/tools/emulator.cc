// SPDX-License-Identifier: LGPL-2.1-or-later
// sphere emulator: a camera in software, for people who have no real one.

#include <fcntl.h>
#include <glib-unix.h>
#include <gst/gst.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gst/sphere/base/gobject.h"
#include "gst/sphere/base/number.h"
#include "gst/sphere/base/printable.h"
#include "gst/tools/command.h"
#include "gst/tools/end_signals.h"
#include "hw/emulator/camera.h"

namespace sphere::tool {

namespace {

using emulator::Camera;
using emulator::CameraSettings;
using emulator::EmulatorFamily;

std::string line(const char* name, const char* what) {
  char text[128];
  std::snprintf(text, sizeof text, "  %-14s %s\n", name, what);
  return text;
}

std::string description() {
  std::string text =
      "A camera in software. When all its ports answer, it prints its URI and lines to try. If "
      "the\n"
      "output is not a terminal, or with --json, it prints one line of JSON with the ports and "
      "the\n"
      "URI. Ctrl-C ends it.\n";
  for (const EmulatorFamily* family : emulator::emulator_families()) {
    text += "\n" + std::string(family->what) + "\nModels:\n";
    for (const EmulatorFamily::Named& model : family->models) text += line(model.name, model.what);
    text += "Faults, each as NAME or NAME:N; where N counts requests, NAME:Ns counts seconds:\n";
    for (const emulator::FaultInfo* fault : family->faults) text += line(fault->name, fault->what);
    text += "Lines on standard input, while it runs:\n";
    for (const EmulatorFamily::Named& order : family->orders) text += line(order.name, order.what);
  }
  return text +
         "\n"
         "Examples:\n"
         "  sphere emulator\n"
         "  sphere emulator --port 7878 --rtsp-port 8554 --card ~/card --timing\n"
         "  sphere emulator --fault rtp-loss:20 --fault silent:40\n"
         "  echo 'fault reboot:20s' | sphere emulator\n";
}

std::vector<std::string> model_names() {
  std::vector<std::string> names;
  for (const EmulatorFamily* family : emulator::emulator_families())
    for (const EmulatorFamily::Named& model : family->models) names.emplace_back(model.name);
  return names;
}

/// A port of one or more families, and its option.
struct PortOption {
  const char *name, *what;
  int value = 0;
};

/// A deque, because GOptionEntry has pointers to the values.
std::deque<PortOption> port_options() {
  std::deque<PortOption> options;
  for (const EmulatorFamily* family : emulator::emulator_families())
    for (const EmulatorFamily::Named& port : family->ports)
      if (std::ranges::none_of(
              options, [&](const PortOption& one) { return g_str_equal(one.name, port.name); }))
        options.push_back({port.name, port.what});
  return options;
}

struct Values {
  char *host = nullptr, *card = nullptr, *scene = nullptr, *lens = nullptr, *size = nullptr,
       *table = nullptr, *model = nullptr, *certificate = nullptr;
  char** faults = nullptr;
  std::deque<PortOption> ports = port_options();
  gboolean timing = FALSE, sound = FALSE, log = FALSE, json = FALSE;

  ~Values() {
    for (char* text : {host, card, scene, lens, size, table, model, certificate}) g_free(text);
    g_strfreev(faults);
  }
};

Status read_size(const char* text, emulator::SceneSettings* scene) {
  const std::optional<IntegerPair> size = parse_integer_pair(text, 'x');
  if (!size) return invalid(std::string("--size is '") + text + "', must be WIDTHxHEIGHT");
  const auto [width, height] = *size;
  if (const Status in = check_range("--size's width", width, 64, 7680); !in) return in;
  if (const Status in = check_range("--size's height", height, 32, 3840); !in) return in;
  if (width % 4 || height % 2) return invalid("--size must be a multiple of 4 wide and of 2 high");
  scene->width = width;
  scene->height = height;
  return ok();
}

/// The family with this model; without a model, the first family.
Result<const EmulatorFamily*> chosen_family(const char* model) {
  const auto& families = emulator::emulator_families();
  if (!model) return families.front();
  if (const Result<int> known = choose("--model", model, model_names()); !known)
    return known.error();
  return *std::ranges::find_if(families, [&](const EmulatorFamily* family) {
    return std::ranges::any_of(family->models, [&](const EmulatorFamily::Named& one) {
      return g_str_equal(one.name, model);
    });
  });
}

Status read_options(const Values& values, const EmulatorFamily& family, CameraSettings* settings) {
  for (const PortOption& port : values.ports) {
    const std::string option = std::string("--") + port.name;
    if (const Status in = check_range(option.c_str(), port.value, 0, 65535); !in) return in;
    if (port.value && std::ranges::none_of(family.ports, [&](const EmulatorFamily::Named& one) {
          return g_str_equal(one.name, port.name);
        }))
      return invalid(option + ": this camera has no such port");
    settings->ports[port.name] = static_cast<uint16_t>(port.value);
  }
  if (values.host) settings->host = values.host;
  settings->model = to_string(values.model);
  settings->card_folder = to_string(values.card);
  if (values.scene) {
    if (!g_file_test(values.scene, G_FILE_TEST_IS_REGULAR))
      return not_found(std::string("--scene: there is no file '") + values.scene + "'");
    settings->scene.file = values.scene;
  }
  if (values.lens) settings->scene.lens = values.lens;
  if (values.size)
    if (const Status size = read_size(values.size, &settings->scene); !size) return size;
  settings->scene.sound = values.sound;
  settings->timing = values.timing;
  if (g_strcmp0(values.table, "none") == 0) {
    settings->lens_table = "";
  } else if (values.table) {
    g_autoptr(GError) error = nullptr;
    char* bytes = nullptr;
    gsize size = 0;
    if (!g_file_get_contents(values.table, &bytes, &size, &error))
      return not_found(std::string("--table: ") + error->message);
    const GString_ owned(bytes);
    settings->lens_table = std::string(bytes, size);
  }
  if (values.certificate) {
    g_autoptr(GError) error = nullptr;
    char* text = nullptr;
    if (!g_file_get_contents(values.certificate, &text, nullptr, &error))
      return not_found(std::string("--certificate: ") + error->message);
    const GString_ owned(text);
    settings->certificate = text;
  }
  for (char** fault = values.faults; fault && *fault; ++fault) {
    Result<emulator::Fault> parsed = emulator::parse_fault(family.faults, *fault);
    if (!parsed) return invalid("--fault: " + parsed.error().message);
    settings->faults.push_back(*parsed);
  }
  return ok();
}

bool print_ports(const Camera& camera) {
  std::string text = "{";
  for (const auto& [name, number] : camera.named_ports())
    text += "\"" + name + "\":" + std::to_string(number) + ",";
  return print(stdout, "%s\"uri\":\"%s\"}\n", text.c_str(), camera.uri().c_str());
}

/// Prints what the user can do with the emulated camera.
bool print_help(const Camera& camera, bool own_card) {
  // A build that is not installed is started with ./dev run.
  const char* launch = g_getenv("MESON_DEVENV") ? "./dev run gst-launch-1.0" : "gst-launch-1.0";
  const GString_ source(
      g_strdup_printf("%s -e spherecamsrc location='%s'", launch, camera.uri().c_str()));
  return print(stdout,
               "A 360 camera in software is running. Ctrl-C ends it. Its URI is\n"
               "\n"
               "  %s\n"
               "\n"
               "In another terminal, see its live preview as a 360 picture:\n"
               "\n"
               "  %s ! decodebin ! spherestitch ! videoconvert ! autovideosink\n"
               "\n"
               "or save it as a 360 video, until you press Ctrl-C there:\n"
               "\n"
               "  %s ! decodebin ! spherestitch ! videoconvert ! x264enc tune=zerolatency ! "
               "h264parse ! mp4mux ! filesink location=sphere.mp4\n"
               "\n"
               "Its memory card is the folder %s%s.\n"
               "Lines that are typed here change it while it runs: 'help' lists them.\n",
               camera.uri().c_str(), source.get(), source.get(),
               printable(camera.card_folder()).c_str(),
               own_card ? ", which is deleted when the camera ends" : "");
}

struct Log {
  const Camera& camera;
  int64_t printed = 0;
  size_t tracks = 0;
};

gboolean print_log(gpointer data) {
  auto* log = static_cast<Log*>(data);
  for (const Camera::Line& asked : log->camera.log(log->printed)) {
    if (asked.number > log->printed)
      print(stderr, "(%lld more requests came faster than they can be printed)\n",
            static_cast<long long>(asked.number - log->printed));
    print(stderr, "client %d: %s\n", asked.client, asked.text.c_str());
    log->printed = asked.number + 1;
  }
  const std::vector<int> tracks = log->camera.tracks();
  for (; log->tracks < tracks.size(); ++log->tracks)
    print(stderr, "preview: set up %s\n", tracks[log->tracks] == 0 ? "the pictures" : "the sound");
  return G_SOURCE_CONTINUE;
}

/// Lines on standard input that are orders for the camera. Its end is not the camera's end.
class Orders {
 public:
  Orders(Camera& camera, const EmulatorFamily& family, const MessagePrinter& printer)
      : camera_(camera), family_(family), printer_(printer) {
    // In the background of a terminal, reading fails instead of stopping the process.
    std::signal(SIGTTIN, SIG_IGN);
    watch_ = g_unix_fd_add(STDIN_FILENO, static_cast<GIOCondition>(G_IO_IN | G_IO_HUP | G_IO_ERR),
                           read_some, this);
  }
  ~Orders() {
    if (watch_) g_source_remove(watch_);
  }
  Orders(const Orders&) = delete;
  Orders& operator=(const Orders&) = delete;

 private:
  static constexpr size_t longest_line = 4096;

  static gboolean read_some(int descriptor, GIOCondition, gpointer data) {
    auto* self = static_cast<Orders*>(data);
    char buffer[1024];
    const ssize_t got = read(descriptor, buffer, sizeof buffer);
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) return G_SOURCE_CONTINUE;
    if (got <= 0) {
      // The last line may have no end.
      if (!self->line_.empty()) self->execute();
      self->watch_ = 0;
      return G_SOURCE_REMOVE;
    }
    for (const char c : std::string_view(buffer, static_cast<size_t>(got))) {
      if (c == '\n')
        self->execute();
      else if (self->line_.size() < longest_line)
        self->line_ += c;
    }
    return G_SOURCE_CONTINUE;
  }

  void execute() {
    const std::string order = std::exchange(line_, {});
    if (order == "help") {
      for (const EmulatorFamily::Named& one : family_.orders)
        print(stderr, "%s", line(one.name, one.what).c_str());
    } else if (const Status done = camera_.execute(order); !done) {
      printer_.error(done.error().message);
    }
  }

  Camera& camera_;
  const EmulatorFamily& family_;
  const MessagePrinter& printer_;
  std::string line_;
  guint watch_ = 0;
};

int run(int argc, char** argv) {
  MessagePrinter printer("sphere emulator");
  Values values;
  const std::string models = alternatives(model_names());
  std::vector<GOptionEntry> entries = {{"host", 0, 0, G_OPTION_ARG_STRING, &values.host,
                                        "Address to listen on (default: 127.0.0.1)", "ADDRESS"}};
  for (PortOption& port : values.ports)
    entries.push_back({port.name, 0, 0, G_OPTION_ARG_INT, &port.value, port.what, "PORT"});
  const std::vector<GOptionEntry> others = {
      {"card", 0, 0, G_OPTION_ARG_FILENAME, &values.card,
       "Folder that is the memory card (default: a temporary one)", "DIR"},
      {"scene", 0, 0, G_OPTION_ARG_FILENAME, &values.scene,
       "Picture or video of both fisheyes, side by side (default: the test scene)", "FILE"},
      {"lens", 0, 0, G_OPTION_ARG_FILENAME, &values.lens,
       "Lenses that draw the test scene (default: mi-sphere)", "NAME|FILE"},
      {"size", 0, 0, G_OPTION_ARG_STRING, &values.size, "Size of the preview (default: 1280x640)",
       "WIDTHxHEIGHT"},
      {"table", 0, 0, G_OPTION_ARG_FILENAME, &values.table,
       "Lens table in the camera's own format (default: calculated from the lenses)", "FILE|none"},
      {"certificate", 0, 0, G_OPTION_ARG_FILENAME, &values.certificate,
       "Serve files over HTTPS, too, with this certificate and key (PEM)", "FILE"},
      {"sound", 0, 0, G_OPTION_ARG_NONE, &values.sound, "A sound track in the preview", nullptr},
      {"model", 0, 0, G_OPTION_ARG_STRING, &values.model,
       "The camera model, one of those below (default: the first)", models.c_str()},
      {"timing", 0, 0, G_OPTION_ARG_NONE, &values.timing,
       "Answer as slowly as a camera, not at once", nullptr},
      {"fault", 0, 0, G_OPTION_ARG_STRING_ARRAY, &values.faults,
       "Misbehave in this way; may be given several times", "NAME[:N]"},
      {"log", 0, 0, G_OPTION_ARG_NONE, &values.log, "Print the requests, without secret values",
       nullptr},
      {"json", 0, 0, G_OPTION_ARG_NONE, &values.json,
       "Print the ports and the URI as JSON, on a terminal too", nullptr},
      {}};
  entries.insert(entries.end(), others.begin(), others.end());
  std::vector<std::string> rest;
  CameraSettings settings;
  const EmulatorFamily* family = nullptr;
  Status status = parse_options("emulator", nullptr, "A 360 camera in software.",
                                description().c_str(), entries.data(), argc, argv, &rest);
  if (status && !rest.empty()) status = invalid("'" + rest[0] + "' is one word too many");
  if (status) {
    const Result<const EmulatorFamily*> chosen = chosen_family(values.model);
    if (chosen)
      status = read_options(values, *(family = *chosen), &settings);
    else
      status = chosen.error();
  }
  if (!status) {
    printer.error(status.error().message);
    return exit_usage;
  }

  // A closed one would soon be another descriptor.
  const bool has_input = fcntl(STDIN_FILENO, F_GETFD) != -1;
  gst_init(nullptr, nullptr);
  // Before the camera makes its folder, so that the folder is removed at every end of the process.
  const std::unique_ptr<GMainLoop, Call<g_main_loop_unref>> loop(g_main_loop_new(nullptr, FALSE));
  const EndSignals signals([&loop] { g_main_loop_quit(loop.get()); });
  const bool own_card = settings.card_folder.empty();
  Result<std::unique_ptr<Camera>> camera = family->start(std::move(settings));
  if (!camera) {
    printer.error(camera.error().message);
    return exit_failed;
  }
  if (values.json || !isatty(STDOUT_FILENO) ? !print_ports(**camera)
                                            : !print_help(**camera, own_card))
    return exit_failed;

  Log log{**camera};
  if (values.log) g_timeout_add(100, print_log, &log);
  std::optional<Orders> orders;
  if (has_input) orders.emplace(**camera, *family, printer);
  g_main_loop_run(loop.get());
  if (values.log) print_log(&log);
  // A signal is the normal way to end it.
  return exit_done;
}

const Registration registration({"emulator", "start a camera in software", run});

}  // namespace

}  // namespace sphere::tool
