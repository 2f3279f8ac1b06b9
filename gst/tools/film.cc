// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/tools/film.h"

#include <gst/gst.h>
#include <sys/stat.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "gst/sphere/consent/ledger.h"
#include "gst/sphere/view/file.h"
#include "gst/tools/auto_view.h"
#include "gst/tools/film_job.h"
#include "gst/tools/film_join.h"
#include "gst/tools/stitch_finish.h"

namespace sphere::tool {

namespace {

// Of the film. What is lost when a run is stopped; a key frame begins each part.
constexpr uint64_t part_seconds = 10;
// What a stitcher draws before a part, so that its matching of the lenses has settled.
constexpr uint64_t settle_seconds = 1;
// A cut this near to the end of IN is one at its end.
constexpr double end_tolerance_seconds = 0.5;
constexpr double nanosecond = 1e9;

uint64_t nanoseconds(double seconds) {
  return static_cast<uint64_t>(std::llround(std::max(seconds, 0.0) * nanosecond));
}

/// The usual rate that is nearest, where it is near; else the rate itself in thousandths.
FrameRate rate_near(double rate) {
  constexpr FrameRate usual[] = {{24000, 1001}, {24, 1},  {25, 1},       {30000, 1001},
                                 {30, 1},       {50, 1},  {60000, 1001}, {60, 1},
                                 {100, 1},      {120, 1}, {120000, 1001}};
  for (const FrameRate& each : usual)
    if (std::abs(rate * each.denominator / each.numerator - 1) < 2e-4) return each;
  return {static_cast<int>(std::lround(rate * 1000)), 1000};
}

/// Whether a reader can be sent to a time, exactly.
bool is_seekable(const StitchInput& input) {
  const media::Kind kind = input.video()->container;
  return !input.two_pictures() && (kind == media::Kind::isobmff || kind == media::Kind::matroska);
}

std::string seconds_text(double seconds) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3f", seconds);
  return text;
}

}  // namespace

Film::Film(const ReframeOptions& options, MessagePrinter* printer)
    : options_(options), printer_(printer), progress_(!options.common.quiet, "pictures") {}

bool Film::interrupted() {
  while (g_main_context_iteration(nullptr, FALSE)) {
  }
  return stopped_;
}

StitchOptions Film::with_found_lens(const StitchOptions& wanted) const {
  StitchOptions view = wanted;
  for (size_t i = 0; i < clips_.size(); ++i) {
    const StitchOptions& asked = options_.clips[i].view;
    const StitchOptions& found = clips_[i]->view;
    if (asked.input != view.input || asked.lens != view.lens || asked.search != view.search ||
        found.lens_name.empty())
      continue;
    view.lens = found.lens;
    view.lens_name = found.lens_name;
    view.agreement = found.agreement;
    view.search = false;
    break;
  }
  return view;
}

Outcome Film::open_clips() {
  for (const ReframeClip& each : options_.clips) {
    StitchOptions view = with_found_lens(each.view);
    Result<StitchInput> input = prepare_input(&view, printer_);
    if (!input) return fail_with(input.error());
    if (!input->video())
      return fail_with(invalid(view.input + ": is a picture; a film is made of videos"));
    const double length = input->video()->seconds;
    if (length > 0 && each.from >= length)
      return fail_with(invalid("--from: " + seconds_text(each.from) + " s is after the end of " +
                               view.input + ", which is " + seconds_text(length) + " s long"));
    if (length > 0 && each.to && *each.to > length + end_tolerance_seconds)
      return fail_with(invalid("--to: " + seconds_text(*each.to) + " s is after the end of " +
                               view.input + ", which is " + seconds_text(length) + " s long"));
    FoundLens lens;
    if (const Status found = find_lens(*input, &view, &lens, printer_); !found)
      return fail_with(found.error());
    const AutoSearch search{each.to, [this] { return interrupted(); }};
    if (const Status found = find_view(*input, search, &view, printer_); !found)
      return fail_with(found.error(), stopped_ ? exit_interrupted : exit_failed);
    std::optional<ViewPath> path;
    if (!view.keyframes.empty()) {
      Result<ViewPath> read = load_view_path(view.keyframes);
      if (!read) return fail_with(read.error());
      path = std::move(*read);
    }
    clips_.push_back(std::make_unique<FilmClip>(
        FilmClip{std::move(view), std::move(*input), std::move(lens),
                 ClipTimes(each.from, each.to, each.speed, path ? &*path : nullptr)}));
  }
  return {};
}

Status Film::choose_rate() {
  if (options_.fps) {
    rate_ = *options_.fps;
    return ok();
  }
  const bool as_they_are = clips_.size() == 1 && clips_.front()->times.at_usual_speed();
  if (as_they_are) return ok();
  const double rate = clips_.front()->input.video()->picture_rate;
  if (!(rate >= 1 && rate <= 1000))
    return invalid(clips_.front()->view.input +
                   ": does not say how many pictures it has in a second; say it with --fps");
  rate_ = rate_near(rate);
  return ok();
}

double Film::expected_pictures() const {
  double pictures = 0;
  for (const auto& clip : clips_) {
    const VideoInfo& video = *clip->input.video();
    const double end = clip->times.to().value_or(video.seconds);
    const double length = clip->times.film_time(end);
    if (length <= 0) return 0;
    pictures += length * (rate_.numerator ? static_cast<double>(rate_.numerator) / rate_.denominator
                                          : video.picture_rate);
  }
  return pictures;
}

uint64_t Film::steps_of(const FilmClip& clip) const {
  if (!clip.times.to()) return UINT64_MAX;
  const double length = clip.times.film_time(*clip.times.to());
  return static_cast<uint64_t>(std::llround(length * rate_.numerator / rate_.denominator));
}

Outcome Film::make_part(const FilmFolder& folder, FilmClip* clip, uint64_t number_in_clip,
                        FilmPartEnd* end) {
  FilmTask task;
  task.raw = raw_;
  const bool settles = !clip->view.from_sphere && number_in_clip > 0;
  const ClipTimes& times = clip->times;
  const uint64_t film_begin = clip->film_begin;
  uint64_t first_step = 0, source_end = 0;
  if (rate_.numerator) {
    const uint64_t steps_a_part =
        std::max<uint64_t>(1, part_seconds * static_cast<uint64_t>(rate_.numerator) /
                                  static_cast<uint64_t>(rate_.denominator));
    first_step = number_in_clip * steps_a_part;
    const double step = static_cast<double>(rate_.denominator) / rate_.numerator;
    task.choice.each = false;
    task.choice.count = std::min(steps_a_part, steps_of(*clip) - first_step);
    task.choice.time_of = [&times, first_step, step](int64_t number) {
      return nanoseconds(
          times.source_time(static_cast<double>(static_cast<int64_t>(first_step) + number) * step));
    };
    task.choice.settle_steps =
        settles ? std::min<uint64_t>(first_step,
                                     static_cast<uint64_t>(std::ceil(settle_seconds / step)))
                : 0;
    task.choice.begin = task.choice.time_of(0);
    task.choice.end = task.choice.time_of(static_cast<int64_t>(task.choice.count) - 1);
    task.rate_numerator = rate_.numerator;
    task.rate_denominator = rate_.denominator;
    task.film_time = [this, film_begin, first_step](uint64_t number, GstClockTime) {
      return film_begin +
             gst_util_uint64_scale_round(first_step + number,
                                         static_cast<uint64_t>(rate_.denominator) * GST_SECOND,
                                         static_cast<uint64_t>(rate_.numerator));
    };
  } else {
    const uint64_t from = nanoseconds(times.from());
    const uint64_t to = times.to() ? nanoseconds(*times.to()) : GST_CLOCK_TIME_NONE;
    task.choice.begin = from + number_in_clip * part_seconds * GST_SECOND;
    source_end = task.choice.begin + part_seconds * GST_SECOND;
    task.choice.end = std::min(source_end, to);
    task.choice.opens = number_in_clip == 0;
    task.choice.settle = settles ? settle_seconds * GST_SECOND : 0;
    // All parts tell the encoder the same, or their pictures can't be joined.
    const double rate = clip->input.video()->picture_rate;
    const FrameRate told = rate >= 1 && rate <= 1000 ? rate_near(rate) : FrameRate{30, 1};
    task.rate_numerator = told.numerator;
    task.rate_denominator = told.denominator;
    task.film_time = [film_begin, from](uint64_t, GstClockTime source) {
      return film_begin + (source > from ? source - from : 0);
    };
  }
  task.choice.seekable = is_seekable(clip->input);

  Result<std::unique_ptr<FilmPartWriter>> writer = FilmPartWriter::create(folder.part(parts_));
  if (!writer) return fail_with(writer.error());
  task.writer = writer->get();
  Result<std::unique_ptr<StitchPipeline>> pipeline =
      StitchPipeline::make(clip->view, clip->input, &task);
  if (!pipeline) return fail_with(pipeline.error());
  const auto expected = static_cast<uint64_t>(expected_pictures());
  const auto draw = [&] {
    const uint64_t done = pictures_done_ + task.counts.chosen;
    progress_.show(done, expected ? std::max(done, expected) : 0);
  };
  PipelineRun run(clip->view, clip->input, pipeline->get(), printer_,
                  {[&] { return (*writer)->write_problem(); }, draw, [&] { progress_.clear(); }});
  Outcome outcome = run.run();
  if (outcome.error) return outcome;
  result_.stitcher = (*pipeline)->stitcher_name();
  if (!run.lens().empty()) result_.lens = run.lens();
  pipeline->reset();

  *end = task.end;
  end->pictures = (*writer)->pictures();
  if (end->pictures != task.counts.chosen)
    return fail_with(failed(clip->view.input + ": the encoder gave " +
                            std::to_string(end->pictures) + " of " +
                            std::to_string(task.counts.chosen) + " pictures"));
  const uint64_t shown_until = task.counts.shown_until;
  if (rate_.numerator) {
    end->ended = task.counts.ended || first_step + end->pictures >= steps_of(*clip);
    end->film_end = task.film_time(end->pictures, 0);
  } else {
    const uint64_t until =
        task.counts.ended ? std::min<uint64_t>(shown_until, task.choice.end) : task.choice.end;
    end->ended = task.counts.ended || task.choice.end < source_end ||
                 (times.to() && source_end == nanoseconds(*times.to()));
    end->film_end = task.film_time(0, std::max<uint64_t>(until, task.choice.begin));
  }
  if (const Status finished = (*writer)->finish(*end); !finished)
    return fail_with(finished.error());
  return {};
}

Outcome Film::make_clip(FilmFolder* folder, FilmClip* clip) {
  uint64_t pictures = 0;
  for (uint64_t number = 0;; ++number, ++parts_) {
    if (interrupted()) return fail_with(failed("interrupted"), exit_interrupted);
    FilmPartEnd end;
    bool kept = false;
    if (folder->has(parts_)) {
      if (const Result<FilmPart> part = FilmPart::open(folder->part(parts_), true)) {
        end = part->end();
        kept = true;
        ++result_.kept_parts;
      } else {
        // A part that is damaged is made anew, and those after it too.
        for (size_t later = parts_; folder->has(later); ++later) folder->remove_part(later);
      }
    }
    if (!kept)
      if (Outcome made = make_part(*folder, clip, number, &end); made.error) return made;
    if (raw_.empty()) raw_ = end.raw;
    pictures += end.pictures;
    pictures_done_ += end.pictures;
    clip->film_end = std::max(clip->film_begin, end.film_end);
    if (end.ended) break;
  }
  ++parts_;
  if (pictures == 0)
    return fail_with(invalid(clip->view.input + ": has no picture from " +
                             seconds_text(clip->times.from()) + " s on"));
  return {};
}

Outcome Film::make_parts(FilmFolder* folder) {
  uint64_t film = 0;
  for (const auto& clip : clips_) {
    clip->film_begin = clip->film_end = film;
    if (Outcome made = make_clip(folder, clip.get()); made.error) return made;
    film = clip->film_end;
  }
  result_.seconds = static_cast<double>(film) / nanosecond;
  return {};
}

Outcome Film::join(const FilmFolder& folder) {
  const StitchOptions& common = options_.common;
  Result<OutputFile> joined = OutputFile::create(folder.path() + "/part-film", true);
  if (!joined) return fail_with(joined.error());
  FilmJoin join;
  for (size_t i = 0; i < parts_; ++i) join.parts.push_back(folder.part(i));
  join.container = common.container;
  join.output = joined->descriptor();
  const FilmClip& first = *clips_.front();
  if (!rate_.numerator) join.timescale = first.input.video()->timescale;
  // A video with sound that was withdrawn goes on without it.
  const bool withdrawn = consent::own_ledger_withdraws(consent::Category::audio);
  if (common.audio && !withdrawn) {
    const bool whole = clips_.size() == 1 && first.times.at_usual_speed() &&
                       first.times.from() == 0 && !first.times.to();
    if (whole) {
      if (first.input.video()->sound_tracks > 0) join.copied = &first.input;
    } else {
      std::vector<SoundClip> sounds;
      for (const auto& clip : clips_)
        sounds.push_back({&clip->input, clip->times, clip->film_begin, clip->film_end});
      if (std::ranges::any_of(sounds, has_sound)) join.clips = std::move(sounds);
      for (const auto& clip : clips_)
        if (const int tracks = clip->input.video()->sound_tracks; tracks > 1)
          printer_->warn(clip->input.path + ": has " + std::to_string(tracks) +
                         " sound tracks; the film has the first one");
      if (std::ranges::any_of(join.clips, leaves_sound_out))
        printer_->warn(common.output +
                       ": is silent where it is faster than twice or slower than half as fast as "
                       "its sound was recorded");
    }
  }
  if (common.audio && withdrawn && std::ranges::any_of(clips_, [](const auto& clip) {
        return clip->input.video()->sound_tracks > 0;
      }))
    printer_->warn(common.output +
                   ": has no sound, because your ledger says that audio was withdrawn");
  bool stopped = false;
  const Result<FilmJoined> made = join_film(
      join, [this] { return !interrupted(); }, &stopped);
  if (!made) {
    const std::string problem = stopped ? "" : joined->write_problem();
    return fail_with(
        problem.empty() ? made.error() : failed(common.output + ": can't be written: " + problem),
        stopped ? exit_interrupted : exit_failed);
  }
  const OutputFile* film = &*joined;
  std::optional<OutputFile> spoken;
  if (options_.voice.wanted) {
    progress_.clear();
    Result<OutputFile> voiced = add_voice(options_.voice, *joined, common, printer_);
    if (!voiced) return fail_with(voiced.error(), interrupted() ? exit_interrupted : exit_failed);
    spoken.emplace(std::move(*voiced));
    film = &*spoken;
    ++result_.sound_tracks;
  }
  result_.pictures = made->pictures;
  result_.sound_tracks += made->sound_tracks;
  result_.width = made->width;
  result_.height = made->height;
  StitchOptions finish = first.view;
  finish.output = common.output;
  // It is marked as a 360 film only if all of it is one.
  const auto flat = std::ranges::find_if(clips_, [](const auto& clip) {
    return clip->view.projection != Projection::equirect || !clip->view.keyframes.empty();
  });
  if (flat != clips_.end()) finish.projection = Projection::perspective;
  Result<OutputFile> finished = finish_stitched(*film, finish, nullptr);
  if (!finished) return fail_with(finished.error());
  for (const auto& clip : clips_) finished->limit_readers(clip->view.input);
  if (interrupted()) return fail_with(failed("interrupted"), exit_interrupted);
  if (const Status written = finished->commit(); !written) return fail_with(written.error());
  struct stat status = {};
  if (fstat(finished->descriptor(), &status) == 0)
    result_.bytes = static_cast<uint64_t>(status.st_size);
  return {};
}

Outcome Film::make() {
  if (const Status ready = prepare_voice(options_.voice); !ready) return fail_with(ready.error());
  if (Outcome opened = open_clips(); opened.error) return opened;
  if (const Status rate = choose_rate(); !rate) return fail_with(rate.error());
  // Makes sure that OUT can be written before anything costly is done.
  if (const Result<OutputFile> output =
          OutputFile::create(options_.common.output, options_.common.clobber);
      !output)
    return fail_with(output.error());
  Result<FilmFolder> folder =
      FilmFolder::open(options_.common.output, describe_job(options_, clips_, rate_));
  if (!folder) return fail_with(folder.error());
  if (folder->replaced())
    printer_->note(folder->path() + ": had the parts of another film; they are removed");
  Outcome outcome = make_parts(&*folder);
  if (!outcome.error) outcome = join(*folder);
  progress_.clear();
  if (outcome.error) {
    // What is wrong with the files will be wrong the next time, too.
    if (outcome.status != exit_interrupted && outcome.error->kind != Error::Kind::failed)
      folder->remove();
    if (folder->has(0))
      outcome.error->message += "; what is done is kept in " + folder->path() +
                                ", and the same command goes on from there";
    return outcome;
  }
  folder->remove();
  for (const auto& clip : clips_)
    if (clip->lens.keep(printer_))
      printer_->note("the lenses are kept for this camera; `sphere consent held` lists them");
  return outcome;
}

}  // namespace sphere::tool
