// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/tools/stitch_finish.h"

#include <optional>
#include <variant>

#include "gst/sphere/base/position.h"
#include "gst/sphere/consent/guard.h"
#include "gst/sphere/consent/position.h"
#include "gst/sphere/makers/makers.h"
#include "gst/sphere/media/part.h"

namespace sphere::tool {

namespace {

/// The position that IN tells, as far as it may be written.
std::optional<Position> position_of(const std::string& path) {
  consent::Consent consent;
  if (!consent.set_ledger("default")) return std::nullopt;
  const consent::Answer answer = consent.ask(consent::Category::location, consent::Purpose::geotag);
  if (!answer.allowed) return std::nullopt;
  const std::optional<Position> position = first_position(path);
  if (!position) return std::nullopt;
  return consent::rounded(*position, answer.precision);
}

}  // namespace

Result<OutputFile> finish_stitched(const OutputFile& written, const StitchOptions& options,
                                   const WorkProgress& progress) {
  media::Request request;
  request.policy = media::Policy();
  // The lens data of the input is of no use for what is stitched.
  request.policy.stitching = false;
  request.makers = makers::all();
  if (options.projection == Projection::equirect && options.keyframes.empty())
    request.mark = media::SphereMark();
  request.position = position_of(options.input);
  const Result<media::FileSource> source = media::FileSource::make(written.descriptor());
  if (!source) return source.error();
  Result<OutputFile> output = OutputFile::create(options.output, options.clobber);
  if (!output) return output.error();
  output->limit_readers(options.input);
  if (!options.right.empty()) output->limit_readers(options.right);
  const EditResult<EditedFile> edited = edit_source(*source, &*output, request, progress);
  if (const auto* error = std::get_if<EditError>(&edited))
    return Error(error->error.kind, options.output + ": " + error->error.message);
  return output;
}

}  // namespace sphere::tool
