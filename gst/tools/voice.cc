// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/tools/voice.h"

#include <gst/app/gstappsrc.h>
#include <gst/gst.h>

#include <cstdlib>
#include <string_view>
#include <utility>

#include "gst/sphere/base/screen.h"
#include "gst/sphere/consent/guard.h"
#include "gst/tools/encoded_times.h"
#include "gst/tools/stitch_reader.h"
#include "gst/tools/stitch_sound.h"
#include "gst/tools/voice_recording.h"

namespace sphere::tool {

namespace {

std::string seconds_text(double seconds) {
  char text[32];
  g_ascii_formatd(text, sizeof text, "%.1f", seconds);
  return text;
}

/// Writes the film's tracks unchanged, and the voice after them.
class VoiceMuxer {
 public:
  VoiceMuxer(const StitchOptions& options, const RecordedVoice& voice)
      : options_(options), voice_(voice) {}
  ~VoiceMuxer() {
    if (pipeline_) gst_element_set_state(pipeline_.get(), GST_STATE_NULL);
  }
  VoiceMuxer(const VoiceMuxer&) = delete;
  VoiceMuxer& operator=(const VoiceMuxer&) = delete;

  Status run(int film, int output) {
    if (const Status built = build(film, output); !built) return built;
    if (const Status said = push_voice(); !said) return said;
    const GstRef<GstBus> bus(gst_element_get_bus(pipeline_.get()));
    gst_element_set_state(pipeline_.get(), GST_STATE_PLAYING);
    const MessageRef message(gst_bus_timed_pop_filtered(
        bus.get(), GST_CLOCK_TIME_NONE,
        static_cast<GstMessageType>(GST_MESSAGE_EOS | GST_MESSAGE_ERROR)));
    if (GST_MESSAGE_TYPE(message.get()) == GST_MESSAGE_EOS) return ok();
    g_autoptr(GError) error = nullptr;
    gst_message_parse_error(message.get(), &error, nullptr);
    return failed(options_.output + ": the voice can't be added: " + error->message);
  }

 private:
  GstElement* add(const char* factory) {
    GstElement* element = gst_element_factory_make(factory, nullptr);
    if (!element) {
      if (missing_) missing_ = missing_element(factory);
      return nullptr;
    }
    gst_bin_add(GST_BIN(pipeline_.get()), element);
    return element;
  }

  GstElement* add_queue() {
    GstElement* queue = add("queue");
    // The muxer waits for whichever track is behind; then the others must be able to go on.
    g_object_set(queue, "max-size-buffers", 0u, "max-size-bytes", 0u, "max-size-time", guint64{0},
                 nullptr);
    return queue;
  }

  Status build(int film, int output) {
    pipeline_.reset(GST_ELEMENT(gst_object_ref_sink(gst_pipeline_new(nullptr))));
    const bool matroska = options_.container == ".mkv";
    GstElement* source = add("filesrc");
    GstElement* demuxer = add(matroska ? "matroskademux" : "qtdemux");
    muxer_ = add(muxer_of(options_.container));
    GstElement* sink = add("fdsink");
    speaker_ = add("appsrc");
    if (!missing_) return missing_;
    pictures_ = add_queue();
    GstElement* queue = add_queue();
    g_object_set(source, "location", ("/proc/self/fd/" + std::to_string(film)).c_str(), nullptr);
    g_object_set(sink, "fd", output, nullptr);
    g_autoptr(GstPad) video = gst_element_request_pad_simple(muxer_, "video_%u");
    g_autoptr(GstPad) out = gst_element_get_static_pad(pictures_, "src");
    if (!gst_element_link(source, demuxer) || !gst_element_link(muxer_, sink) || !video ||
        gst_pad_link(out, video) != GST_PAD_LINK_OK || !gst_element_link(speaker_, queue))
      return failed("the pipeline that adds the voice can't be linked");
    // Until the demuxer has told all tracks, the voice has no place in the muxer.
    const GstRef<GstPad> voice(gst_element_get_static_pad(queue, "src"));
    held_ = gst_pad_add_probe(
        voice.get(), GST_PAD_PROBE_TYPE_BLOCK_DOWNSTREAM,
        +[](GstPad*, GstPadProbeInfo*, gpointer) { return GST_PAD_PROBE_OK; }, nullptr, nullptr);
    keep_descriptions_out(video);
    if (!matroska) times_.watch(video);
    sounds_.emplace(GST_BIN(pipeline_.get()), muxer_, options_.container);
    voice_queue_ = queue;
    g_signal_connect(demuxer, "pad-added", G_CALLBACK(+[](GstElement*, GstPad* pad, gpointer self) {
                       static_cast<VoiceMuxer*>(self)->take_track(pad);
                     }),
                     this);
    g_signal_connect(demuxer, "no-more-pads", G_CALLBACK(+[](GstElement*, gpointer self) {
                       static_cast<VoiceMuxer*>(self)->take_voice();
                     }),
                     this);
    return ok();
  }

  // The demuxer's thread calls these before it hands on any data.

  void take_track(GstPad* pad) {
    const CapsRef caps(gst_pad_get_current_caps(pad));
    const char* name = gst_structure_get_name(gst_caps_get_structure(caps.get(), 0));
    if (g_str_has_prefix(name, "audio/")) {
      if (const Status taken = sounds_->take(pad, caps.get()); !taken) refuse(taken.error());
      return;
    }
    const GstRef<GstPad> target(gst_element_get_static_pad(pictures_, "sink"));
    if (gst_pad_is_linked(target.get()) || gst_pad_link(pad, target.get()) != GST_PAD_LINK_OK)
      refuse(failed("the film has a track that can't be copied"));
  }

  /// It is the last sound track: a film's own sound stays the first.
  void take_voice() {
    g_autoptr(GstPad) mux_pad = gst_element_request_pad_simple(muxer_, "audio_%u");
    g_autoptr(GstPad) out = gst_element_get_static_pad(voice_queue_, "src");
    if (!mux_pad || gst_pad_link(out, mux_pad) != GST_PAD_LINK_OK)
      return refuse(failed("the muxer takes no voice"));
    keep_descriptions_out(mux_pad);
    gst_pad_remove_probe(out, held_);
  }

  void refuse(const Error& error) {
    GST_ELEMENT_ERROR(pipeline_.get(), STREAM, MUX, ("%s", error.message.c_str()), (nullptr));
  }

  Status push_voice() {
    g_object_set(speaker_, "caps", voice_.caps.get(), "max-bytes", guint64{0}, nullptr);
    gst_util_set_object_arg(G_OBJECT(speaker_), "format", "time");
    for (const BufferRef& buffer : voice_.buffers)
      gst_app_src_push_buffer(GST_APP_SRC(speaker_), gst_buffer_ref(buffer.get()));
    gst_app_src_end_of_stream(GST_APP_SRC(speaker_));
    return ok();
  }

  const StitchOptions& options_;
  const RecordedVoice& voice_;
  GstRef<GstElement> pipeline_;
  Status missing_ = ok();
  // Borrowed from the pipeline.
  GstElement* muxer_ = nullptr;
  GstElement* pictures_ = nullptr;
  GstElement* speaker_ = nullptr;
  GstElement* voice_queue_ = nullptr;
  gulong held_ = 0;  ///< the probe that holds the voice back
  EncodedTimes times_;
  std::optional<SoundCopier> sounds_;
};

}  // namespace

VoiceOption::~VoiceOption() {
  g_free(source_);
  g_free(sink_);
}

std::vector<GOptionEntry> VoiceOption::entries() {
  std::vector<GOptionEntry> all = {
      {"voice", 0, 0, G_OPTION_ARG_NONE, &wanted_,
       "When the film is made, show it and record a voice meanwhile, with consent to audio for "
       "edit; it becomes a sound track of its own",
       nullptr},
      {"voice-source", 0, 0, G_OPTION_ARG_STRING, &source_,
       "The GStreamer elements that record (default: autoaudiosrc)", "ELEMENTS"},
      {"voice-sink", 0, 0, G_OPTION_ARG_STRING, &sink_,
       "The GStreamer element that shows the film (default: autovideosink); fakesink: none, and "
       "the recording begins at once",
       "ELEMENT"}};
  for (const GOptionEntry& entry : consent_.entries()) all.push_back(entry);
  return all;
}

Result<VoiceChoice> VoiceOption::parse(const StitchOptions& options) const {
  if (!wanted_ && source_) return invalid("--voice-source needs --voice");
  if (!wanted_ && sink_) return invalid("--voice-sink needs --voice");
  if (wanted_ && options.photo_out) return invalid("--voice needs a video");
  VoiceChoice choice;
  choice.wanted = wanted_;
  if (source_) choice.source = source_;
  if (sink_) choice.sink = sink_;
  choice.consent = consent_.caps();
  choice.ledger = consent_.ledger();
  return choice;
}

Status prepare_voice(const VoiceChoice& voice) {
  if (!voice.wanted) return ok();
  consent::Consent consent;
  if (voice.consent) {
    const CapsRef caps(gst_caps_from_string(voice.consent->c_str()));
    if (!caps) return invalid("--consent: these are no caps: see 'sphere consent caps'");
    consent.set_caps(caps.get());
  }
  if (voice.ledger)
    if (const Status opened = consent.set_ledger(*voice.ledger); !opened) return opened;
  const consent::Answer answer = consent.ask(consent::Category::audio, consent::Purpose::edit);
  if (!answer.allowed)
    return invalid("--voice: " + answer.reason +
                   "; 'sphere consent give audio --purpose edit' gives it");
  // Behind a source there is always an element, so that it may end with caps.
  for (const auto& [option, elements] :
       {std::pair{"--voice-source: ", voice.source + " ! identity"},
        {"--voice-sink: ", voice.sink}}) {
    g_autoptr(GError) error = nullptr;
    GstElement* bin = gst_parse_bin_from_description(elements.c_str(), FALSE, &error);
    const GstRef<GstElement> made(bin ? GST_ELEMENT(gst_object_ref_sink(bin)) : nullptr);
    if (error) return invalid(option + to_string(error->message));
  }
  if (voice.has_window() && !has_screen())
    return invalid(
        "--voice: the film is shown while the voice is recorded, and there is no screen; "
        "--voice-sink fakesink records without one");
  return ok();
}

Result<OutputFile> add_voice(const VoiceChoice& voice, const OutputFile& film,
                             const StitchOptions& options, MessagePrinter* printer) {
  Result<RecordedVoice> recorded = record_voice(voice, film.descriptor());
  if (!recorded) return recorded.error();
  if (!recorded->caps) return failed("--voice: nothing was recorded; check the microphone");
  if (recorded->withdrawn)
    printer->warn("--voice: audio was withdrawn; the voice is silent from " +
                  seconds_text(*recorded->withdrawn) + " s on");
  if (recorded->ended) printer->note("the voice ends at " + seconds_text(*recorded->ended) + " s");
  Result<OutputFile> output = OutputFile::create(options.output, options.clobber);
  if (!output) return output.error();
  VoiceMuxer muxer(options, *recorded);
  if (const Status written = muxer.run(film.descriptor(), output->descriptor()); !written) {
    const std::string problem = output->write_problem();
    return problem.empty() ? written.error()
                           : failed(options.output + ": can't be written: " + problem);
  }
  return output;
}

}  // namespace sphere::tool
