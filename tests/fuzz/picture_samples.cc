// SPDX-License-Identifier: LGPL-2.1-or-later
// Pictures of videos in all codecs that are examined. The first byte says which one. Whatever the
// others are: the edits can be carried out in place, and nothing is left to do afterwards.

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <vector>

#include "gst/sphere/media/av1_sequence.h"
#include "gst/sphere/media/edits.h"
#include "gst/sphere/media/isobmff_samples.h"
#include "gst/sphere/media/nal.h"

namespace {

using namespace sphere::media;
using Bytes = std::vector<uint8_t>;

/// False if it is refused.
bool edit(SampleForm form, const Bytes& sample, Bytes* after, bool silent) {
  const MemorySource source(sample);
  SampleSettings settings;
  settings.form = form;
  settings.keeps.policy = Policy();
  settings.keeps.policy.sound_tracks = !silent;
  Examination examination;
  SampleReport report;
  const auto editor = make_sample_editor(source, settings);
  if (!editor->edit_sample(0, sample.size(), &examination.edits, &report)) return false;
  if (!check_edits(source, examination, true)) abort();
  const auto made = edited(sample, examination);
  if (!made || made->size() != sample.size()) abort();
  *after = *made;
  return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static constexpr SampleForm forms[] = {
      SampleForm::h264,  SampleForm::h265,   SampleForm::av1, SampleForm::jpeg, SampleForm::mpeg2,
      SampleForm::mpeg4, SampleForm::prores, SampleForm::vc3, SampleForm::dv,   SampleForm::png};
  if (size < 2) return 0;
  const SampleForm form = forms[data[0] % std::size(forms)];
  const bool silent = data[0] & 0x80;
  const Bytes sample(data + 1, data + size);
  Bytes once, twice;
  // What was edited has the form that it must have.
  if (edit(form, sample, &once, silent) && (!edit(form, once, &twice, silent) || once != twice))
    abort();
  for (const auto length :
       {h264_parameter_length(sample), h265_parameter_length(sample), av1_sequence_length(sample)})
    if (length && *length > sample.size()) abort();
  return 0;
}
