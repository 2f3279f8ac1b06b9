// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/tools/pipeline_run.h"

#include <algorithm>
#include <string>
#include <utility>

#include "gst/sphere/gstsphere.h"
#include "gst/tools/bus_watch.h"
#include "gst/tools/end_signals.h"

namespace sphere::tool {

namespace {

constexpr guint progress_interval_ms = 100;

/// Glib's and GStreamer's sentences end with a stop, ours don't.
std::string without_stop(std::string sentence) {
  while (!sentence.empty() && (sentence.back() == '.' || sentence.back() == '\n'))
    sentence.pop_back();
  return sentence;
}

bool is_drawer(GstObject* source) {
  const GstRef<GstObject> held(source ? GST_OBJECT(gst_object_ref(source)) : nullptr);
  if (!held) return false;
  const char* type = G_OBJECT_TYPE_NAME(held.get());
  return g_strrstr(type, "SphereStitch") || g_strrstr(type, "SphereView");
}

}  // namespace

std::vector<std::string> lens_names() {
  g_auto(GStrv) names = gst_sphere_lens_list_profiles();
  std::vector<std::string> list;
  for (char** name = names; name && *name; ++name) list.emplace_back(*name);
  return list;
}

PipelineRun::PipelineRun(const StitchOptions& options, const StitchInput& input,
                         StitchPipeline* pipeline, MessagePrinter* printer, Calls calls)
    : options_(options),
      input_(input),
      pipeline_(pipeline),
      printer_(printer),
      calls_(std::move(calls)),
      loop_(g_main_loop_new(nullptr, FALSE)) {}

Outcome PipelineRun::run() {
  const GstRef<GstBus> bus(gst_element_get_bus(pipeline_->element()));
  watch_bus<&PipelineRun::handle>(pipeline_->element(), this);
  const guint timer = g_timeout_add(
      progress_interval_ms,
      +[](gpointer self) -> gboolean {
        static_cast<PipelineRun*>(self)->calls_.draw();
        return G_SOURCE_CONTINUE;
      },
      this);
  const EndSignals signals([this] { end(fail_with(failed("interrupted"), exit_interrupted)); });
  // An element that can't start posts why before the state change says so.
  // To PAUSED first, because GStreamer goes from there to PLAYING in another thread, and waits for
  // ever, without a message, if the system gives it none.
  const GstStateChangeReturn started =
      gst_element_set_state(pipeline_->element(), GST_STATE_PAUSED);
  if (started == GST_STATE_CHANGE_FAILURE && !gst_bus_have_pending(bus.get()))
    end(fail_with(failed(options_.input + ": the pipeline can't start")));
  if (started == GST_STATE_CHANGE_SUCCESS || started == GST_STATE_CHANGE_NO_PREROLL) play();
  if (!ended_) g_main_loop_run(loop_.get());
  gst_element_set_state(pipeline_->element(), GST_STATE_NULL);
  gst_bus_remove_watch(bus.get());
  g_source_remove(timer);
  calls_.clear();
  if (!outcome_.error) check_all_stitched();
  return outcome_;
}

void PipelineRun::play() {
  if (gst_element_set_state(pipeline_->element(), GST_STATE_PLAYING) == GST_STATE_CHANGE_FAILURE)
    end(fail_with(failed(options_.input + ": the pipeline can't start")));
}

void PipelineRun::end(Outcome outcome) {
  if (ended_) return;
  ended_ = true;
  outcome_ = std::move(outcome);
  g_main_loop_quit(loop_.get());
}

void PipelineRun::handle(GstMessage* message) {
  switch (GST_MESSAGE_TYPE(message)) {
    case GST_MESSAGE_ASYNC_DONE:
      if (GST_MESSAGE_SRC(message) == GST_OBJECT(pipeline_->element())) play();
      break;
    case GST_MESSAGE_EOS:
      end({});
      break;
    case GST_MESSAGE_ERROR:
      end(fail_with(explain(message)));
      break;
    case GST_MESSAGE_WARNING:
      warn(message);
      break;
    case GST_MESSAGE_APPLICATION:
      end(fail_with(invalid(options_.input + ": " + pipeline_->refusal())));
      break;
    case GST_MESSAGE_ELEMENT:
      if (const GstStructure* said = gst_message_get_structure(message);
          said && gst_structure_has_name(said, "sphere-lens")) {
        const std::string lens = to_string(gst_structure_get_string(said, "lens"));
        lens_ = lens == "table" ? options_.table_from : lens == "given" ? options_.lens_name : lens;
      } else if (said && gst_structure_has_name(said, "sphere-stitcher")) {
        const char* reason = gst_structure_get_string(said, "reason");
        calls_.clear();
        printer_->note(std::string(gst_structure_get_string(said, "stitcher")) +
                       " stitches: " + to_string(reason));
      }
      break;
    default:
      break;
  }
}

void PipelineRun::warn(GstMessage* message) {
  g_autoptr(GError) error = nullptr;
  gst_message_parse_warning(message, &error, nullptr);
  const GstStructure* details = nullptr;
  gst_message_parse_warning_details(message, &details);
  // Told when the file was looked through.
  for (const std::string& problem : input_.capture.problems)
    if (g_strrstr(error->message, problem.c_str())) return;
  calls_.clear();
  if (GST_MESSAGE_SRC(message) == GST_OBJECT(pipeline_->element())) {
    printer_->warn(options_.input + ": " + error->message);
  } else if (!is_drawer(GST_MESSAGE_SRC(message))) {
    printer_->note(without_stop(error->message));
  } else if (details && gst_structure_has_field(details, "assumed-lens")) {
    std::string known;
    for (const std::string& name : lens_names()) known += (known.empty() ? "" : ", ") + name;
    printer_->warn(options_.input +
                   " does not name its lenses, so two ideal lenses (dual-190) are assumed; choose "
                   "others with --lens: " +
                   known + ", or a profile file");
  } else {
    printer_->warn(without_stop(error->message));
  }
}

Error PipelineRun::explain(GstMessage* message) {
  g_autoptr(GError) error = nullptr;
  g_autofree char* detail = nullptr;
  gst_message_parse_error(message, &error, &detail);
  printer_->note(to_string(detail));
  if (const std::string refusal = pipeline_->refusal(); !refusal.empty())
    return invalid(options_.input + ": " + refusal);
  const char* factory = nullptr;
  if (GST_IS_ELEMENT(GST_MESSAGE_SRC(message)))
    if (GstElementFactory* made_by = gst_element_get_factory(GST_ELEMENT(GST_MESSAGE_SRC(message))))
      factory = GST_OBJECT_NAME(made_by);

  if (error->domain == GST_RESOURCE_ERROR && factory &&
      (g_str_equal(factory, "fdsink") || g_str_equal(factory, "appsink"))) {
    const std::string problem = calls_.write_problem();
    return failed(options_.output + ": can't be written: " +
                  (problem.empty() ? without_stop(error->message) : problem));
  }
  if (is_drawer(GST_MESSAGE_SRC(message)))
    return invalid(options_.input + ": " + without_stop(error->message));
  if (g_error_matches(error, GST_CORE_ERROR, GST_CORE_ERROR_MISSING_PLUGIN) ||
      g_error_matches(error, GST_STREAM_ERROR, GST_STREAM_ERROR_CODEC_NOT_FOUND)) {
    const std::string codec = input_.video() ? " (" + input_.video()->codec + ")" : "";
    return unsupported(options_.input + ": there is no decoder for its pictures" + codec +
                       "; install GStreamer's libav plugin");
  }
  if (error->domain == GST_STREAM_ERROR && !pipeline_->counts().stitched)
    return invalid(options_.input +
                   ": its pictures can't be decoded: " + without_stop(error->message));
  return failed(options_.input + ": " + without_stop(error->message));
}

void PipelineRun::check_all_stitched() {
  const uint64_t read = pipeline_->pictures_read(), stitched = pipeline_->pictures_drawn();
  if (stitched >= std::max<uint64_t>(read, pipeline_->may_be_empty() ? 0 : 1)) return;
  if (!stitched)
    outcome_ = fail_with(invalid(options_.input + ": none of its pictures can be decoded"));
  else
    outcome_ =
        fail_with(invalid(options_.input + ": only " + std::to_string(stitched) + " of " +
                          std::to_string(read) + " pictures can be decoded; the file is damaged"));
}

}  // namespace sphere::tool
