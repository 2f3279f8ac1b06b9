// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/tools/media_edit.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <optional>
#include <utility>

#include "gst/sphere/base/descriptor.h"
#include "gst/sphere/makers/makers.h"
#include "gst/sphere/media/box.h"
#include "gst/sphere/media/edits.h"
#include "gst/sphere/media/embedded.h"
#include "gst/sphere/media/source.h"
#include "gst/sphere/media/trace_search.h"
#include "gst/tools/output_file.h"

namespace sphere::tool {

namespace {

using media::Examination;
using media::FileSource;
using media::Request;

EditError about(const std::string& path, const Error& error, Exit status) {
  return {Error(error.kind, path + ": " + error.message), status};
}

struct OpenFile {
  Descriptor descriptor;
  FileSource source;
};

Result<OpenFile> open_file(const std::string& path, int flags) {
  // A FIFO would block the command for ever.
  Descriptor descriptor(open(path.c_str(), flags | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!descriptor) {
    const std::string why = std::strerror(errno);
    return errno == ENOENT ? not_found(why) : failed("can't be opened: " + why);
  }
  struct stat status = {};
  if (fstat(descriptor.get(), &status) != 0) return failed(std::strerror(errno));
  if (!S_ISREG(status.st_mode)) return invalid("not a regular file");
  Result<FileSource> source = FileSource::make(descriptor.get());
  if (!source) return source.error();
  return OpenFile{std::move(descriptor), std::move(*source)};
}

/// The first part that must not be there, or null.
const media::Part* denied_part(const Examination& found, const media::Policy& policy) {
  const auto denied = [&](const media::Part& part) { return !policy.allows(part.part_class); };
  const auto part = std::ranges::find_if(found.parts, denied);
  return part == found.parts.end() ? nullptr : &*part;
}

// Half of the last digit of the coarsest form, 16 bits after the point.
constexpr double place_tolerance = 1.0 / 65536;

std::vector<Position> put_in(const Request& request) {
  std::vector<Position> positions;
  if (request.position) positions.push_back(*request.position);
  for (const media::TimedPosition& each : request.positions) positions.push_back(each.position);
  return positions;
}

/// Those, and what became of positions in records.
std::vector<Position> allowed_positions(const Request& request, const media::Traces& before) {
  std::vector<Position> positions = put_in(request);
  if (request.rounding)
    for (const Position& each : before.positions) positions.push_back(request.rounding(each));
  return positions;
}

/// Whether a position is one of those that were put in, or rounded, as far as forms of files can
/// say it.
bool may_be_told(const Position& position, const Request& request) {
  const auto same = [&](const Position& other) {
    return std::abs(position.latitude - other.latitude) <= place_tolerance &&
           std::abs(position.longitude - other.longitude) <= place_tolerance;
  };
  return std::ranges::any_of(put_in(request), same) ||
         (request.rounding && same(request.rounding(position)));
}

/// Whether a part can be the position that was put in: other parts tell a place in words, or a
/// direction.
bool is_form_of_position(const media::Part& part) {
  static constexpr std::string_view names[] = {
      "GPSVersionID",       "GPSLatitudeRef",
      "GPSLatitude",        "GPSLongitudeRef",
      "GPSLongitude",       "GPSAltitudeRef",
      "GPSAltitude",        "GPSMapDatum",
      "\xc2\xa9xyz",        "loci",
      "RECORDING_LOCATION", "com.apple.quicktime.location.ISO6709"};
  if (part.path.starts_with("track ")) return part.what == "position";
  const size_t slash = part.path.rfind('/');
  std::string_view name = std::string_view(part.path).substr(slash + 1);
  if (name.starts_with("exif:")) name.remove_prefix(5);
  return std::ranges::find(names, name) != std::end(names);
}

/// The result may tell no place but those that were put in.
Status check_places(const media::Source& written, const Request& request) {
  Request reading;
  reading.policy.place = false;
  reading.makers = request.makers;
  const Result<Examination> found = media::examine(written, reading);
  if (!found) return failed("the result can't be examined: " + found.error().message);
  const auto strange = [&](const media::Part& part) {
    return part.part_class == media::PartClass::place && !is_form_of_position(part);
  };
  const auto part = std::ranges::find_if(found->parts, strange);
  if (part != found->parts.end())
    return failed("the result tells a place that was not put in (" + part->path +
                  "); this is an error of gst-sphere");
  const auto& positions = found->traces.positions;
  if (!std::ranges::all_of(positions, [&](const auto& each) { return may_be_told(each, request); }))
    return failed("the result has a position that was not put in; this is an error of gst-sphere");
  return ok();
}

/// Reads the result as a file that nothing is known about.
Status check_result(const media::Source& written, const Examination& before, const Request& request,
                    const WorkProgress& progress) {
  Request reading;
  reading.policy = request.policy;
  // The position that was put in.
  reading.policy.place |= request.position.has_value();
  reading.in_place = request.in_place;
  reading.skip_pictures = request.skip_pictures;
  reading.makers = request.makers;
  const std::vector<media::ByteRange> unread =
      request.skip_pictures ? media::media_data(written) : std::vector<media::ByteRange>();
  uint64_t done = 0;
  const std::function<bool(uint64_t)> tell = [&](uint64_t now) {
    return !progress || progress(now - std::exchange(done, now));
  };
  const std::vector<Position> allowed = allowed_positions(request, before.traces);
  // What the reader of the format reads is searched in the same pass.
  media::SearchedSource searched(
      written, media::TraceSearch(before.traces, request.policy, allowed), tell, unread);
  const Result<Examination> again = media::examine(searched, reading);
  if (searched.stopped()) return media::edit_stopped();
  if (!again) return failed("the result can't be examined: " + again.error().message);
  if (const media::Part* part = denied_part(*again, reading.policy))
    return failed("the result still has " + std::string(name_of(part->part_class)) + " (" +
                  part->path + "); this is an error of gst-sphere");
  if (again->changes())
    return failed("the result would be changed once more; this is an error of gst-sphere");
  if (request.position && !request.policy.place)
    if (const Status places = check_places(written, request); !places) return places;
  const Result<std::optional<media::FoundTrace>> trace = searched.finish();
  if (!trace) return trace.error();
  if (*trace)
    return failed("the result still has what was taken out: " + (*trace)->encoding + ", at byte " +
                  std::to_string((*trace)->offset));
  return ok();
}

/// The file must have what was written into it: then it is as it was planned.
Status compare_edits(const media::Source& written, const std::vector<media::Edit>& edits) {
  for (const media::Edit& edit : edits) {
    bool same = !edit.zeros || media::only_zeros(written, edit.offset, edit.offset + edit.length);
    if (!edit.zeros) {
      std::vector<uint8_t> bytes(edit.bytes.size());
      same = written.read_all(edit.offset, bytes) && bytes == edit.bytes;
    }
    if (!same)
      return failed("the file does not have what was written into it, at byte " +
                    std::to_string(edit.offset));
  }
  return ok();
}

}  // namespace

EditResult<Examination> examine_file(const std::string& path, const Request& request) {
  const Result<OpenFile> file = open_file(path, O_RDONLY);
  if (!file) return about(path, file.error(), exit_failed);
  Result<Examination> found = media::examine(file->source, request);
  if (!found) return about(path, found.error(), exit_unexamined);
  return std::move(*found);
}

EditResult<Inspection> inspect_file(const std::string& path) {
  const Result<OpenFile> file = open_file(path, O_RDONLY);
  if (!file) return about(path, file.error(), exit_failed);
  // As if nothing may stay: then readers look into what they could leave alone otherwise.
  Request request;
  request.policy = media::Policy();
  request.makers = makers::all();
  Result<Examination> found = media::examine(file->source, request);
  const Status possible = found ? media::check_edits(file->source, *found) : Status(found.error());
  if (possible) {
    // They say what was taken out.
    found->remarks.clear();
    return Inspection{std::move(*found), std::nullopt};
  }
  request.policy = media::Policy::everything();
  found = media::examine(file->source, request);
  if (!found) return about(path, found.error(), exit_unexamined);
  return Inspection{std::move(*found), about(path, possible.error(), exit_unexamined).error};
}

std::optional<Position> first_position(const std::string& path) {
  Request reading;
  reading.policy = media::Policy();
  reading.makers = makers::all();
  const EditResult<Examination> found = examine_file(path, reading);
  const auto* examination = std::get_if<Examination>(&found);
  if (!examination || examination->traces.positions.empty()) return std::nullopt;
  return examination->traces.positions.front();
}

EditResult<EditedFile> edit_source(const media::Source& source, OutputFile* output,
                                   const Request& request, const WorkProgress& progress) {
  Result<Examination> found = media::examine(source, request);
  if (!found) return EditError{found.error(), exit_unexamined};
  if (const Status room = output->reserve(media::edited_size(source, *found)); !room)
    return EditError{room.error(), exit_failed};
  uint64_t done = 0;
  const Status written = media::write_edited(
      source, *found, [&](std::span<const uint8_t> bytes) { return output->write(bytes); },
      [&](uint64_t now) { return !progress || progress(now - std::exchange(done, now)); });
  if (!written)
    return EditError{written.error(),
                     written.error().kind == Error::Kind::invalid ? exit_unexamined : exit_failed};
  const Result<FileSource> result = FileSource::make(output->descriptor());
  if (!result) return EditError{result.error(), exit_failed};
  if (const Status clean = check_result(*result, *found, request, progress); !clean)
    return EditError{clean.error(), exit_unexamined};
  return EditedFile{std::move(*found), result->size()};
}

EditResult<EditedFile> edit_file(const std::string& in, const std::string& out, bool clobber,
                                 const Request& request, const WorkProgress& progress) {
  const Result<OpenFile> file = open_file(in, O_RDONLY);
  if (!file) return about(in, file.error(), exit_failed);
  if (is_same_file(file->descriptor.get(), out))
    return about(out, invalid("is the same file as IN; use --in-place, or another name"),
                 exit_usage);
  Result<OutputFile> output = OutputFile::create(out, clobber);
  if (!output) return EditError{output.error(), exit_failed};
  output->limit_readers(file->descriptor.get());
  EditResult<EditedFile> edited = edit_source(file->source, &*output, request, progress);
  if (auto* error = std::get_if<EditError>(&edited)) return about(in, error->error, error->status);
  if (const Status named = output->commit(); !named) return EditError{named.error(), exit_failed};
  return edited;
}

EditResult<EditedFile> edit_file_in_place(const std::string& path, bool follow_link,
                                          const Request& request, const WorkProgress& progress) {
  const Result<OpenFile> file = open_file(path, follow_link ? O_RDWR : O_RDWR | O_NOFOLLOW);
  if (!file) return about(path, file.error(), exit_failed);
  Result<Examination> found = media::examine(file->source, request);
  if (!found) return about(path, found.error(), exit_unexamined);
  uint64_t done = 0;
  const media::EditProgress tell = [&](uint64_t now) {
    return !progress || progress(now - std::exchange(done, now));
  };
  const Result<media::HeldEdits> held = media::hold_edits(file->source, *found, tell);
  if (!held)
    return about(path, held.error(),
                 held.error().kind == Error::Kind::invalid ? exit_unexamined : exit_failed);
  // As it will be, before anything is written.
  if (held->complete) {
    const media::EditedSource planned(file->source, held->edits);
    if (const Status clean = check_result(planned, *found, request, progress); !clean)
      return about(path, clean.error(), exit_unexamined);
  }
  const int descriptor = file->descriptor.get();
  const Status written = media::write_in_place(descriptor, file->source, *found, *held, tell);
  if (!written) return about(path, written.error(), exit_failed);
  if (fsync(descriptor) != 0)
    return about(path, failed(std::string("can't be written: ") + std::strerror(errno)),
                 exit_failed);
  const Status clean = held->complete ? compare_edits(file->source, held->edits)
                                      : check_result(file->source, *found, request, progress);
  if (!clean) return about(path, clean.error(), exit_unexamined);
  return EditedFile{std::move(*found), file->source.size()};
}

}  // namespace sphere::tool
