// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/media/isobmff_samples.h"

#include <algorithm>
#include <utility>

namespace sphere::media {

namespace {

// Kinds of parts in all samples. Real files have some tens.
constexpr size_t most_kinds = 1024;

}  // namespace

void SampleReport::add(const std::string& path, PartClass part_class, std::string_view what,
                       std::string_view value, uint64_t offset, uint64_t length, bool removed) {
  const auto key = std::tuple(path, part_class, std::string(what), removed);
  const auto found = parts_.find(key);
  if (found != parts_.end()) {
    ++found->second.count;
    return;
  }
  if (parts_.size() == most_kinds) return;
  parts_.emplace(
      key, Part{offset, length, path, part_class, std::string(what), shortened(value), 1, removed});
}

void SampleReport::add(const Position& position) {
  // Every second one is dropped when there are too many: what remains is spread evenly.
  if (seen_++ % every_ != 0) return;
  positions_.push_back(position);
  if (positions_.size() < 2 * Traces::most) return;
  for (size_t i = 0; i < positions_.size() / 2; ++i) positions_[i] = positions_[2 * i];
  positions_.resize(positions_.size() / 2);
  every_ *= 2;
}

namespace {

bool is_inside(std::string_view path, std::string_view parent) {
  return path.starts_with(parent) && (path.size() == parent.size() || path[parent.size()] == '/');
}

}  // namespace

bool SampleReport::keeps_useful(std::string_view path) const {
  return std::ranges::any_of(parts_, [&](const auto& entry) {
    const Part& part = entry.second;
    const bool wanted = part.part_class == PartClass::useful || part.part_class == PartClass::place;
    return wanted && is_inside(part.path, path) && !part.removed;
  });
}

bool SampleReport::has(std::string_view path, PartClass part_class) const {
  return std::ranges::any_of(parts_, [&](const auto& entry) {
    return is_inside(entry.second.path, path) && entry.second.part_class == part_class;
  });
}

void SampleReport::remark(const std::string& path, Findings* findings) const {
  for (const auto& [key, part] : parts_) {
    if (part.path != path) continue;
    if (part.what == layer_units && part.removed)
      findings->remark(path +
                       ": its second view, layer or alpha channel was taken out, because it can't "
                       "be examined; the pictures that all players show stay");
    if (part.what == counted_times && !findings->policy().time)
      findings->remark(path + ": its pictures begin at " + part.value +
                       ", which may be the time of day; it stays, because their own times are "
                       "counted from it");
  }
}

void SampleReport::remove_all(std::string_view path) {
  for (auto& [key, part] : parts_)
    if (is_inside(part.path, path)) part.removed = true;
}

void SampleReport::finish(Findings* findings) {
  for (auto& [key, part] : parts_) findings->add(std::move(part));
  // The first and the last ones are most likely where somebody lives.
  if (!positions_.empty()) {
    findings->position(positions_.front());
    findings->position(positions_.back());
  }
  const size_t step = (positions_.size() + Traces::most - 1) / Traces::most;
  for (size_t i = 0; i < positions_.size(); i += step) findings->position(positions_[i]);
  for (const std::string& text : identities_) findings->identity(text);
}

void SampleReport::identity(std::string_view text) {
  constexpr size_t longest = 256;
  text = text.substr(0, longest);
  // Each picture can have the same one.
  if (identities_.size() < Traces::most &&
      std::ranges::find(identities_, text) == identities_.end())
    identities_.emplace_back(text);
}

std::unique_ptr<SampleEditor> make_sample_editor(const Source& source,
                                                 const SampleSettings& settings) {
  const SampleForm form = settings.form;
  if (form == SampleForm::h264 || form == SampleForm::h265)
    return make_unit_editor(source, settings);
  if (is_picture(form)) return make_picture_editor(source, settings);
  if (form == SampleForm::gpmf || form == SampleForm::unknown)
    return make_record_editor(source, settings);
  return nullptr;  // harmless; and camm, whose runs are edited as a whole by edit_camm_run()
}

SampleEdits::SampleEdits(const Source& source, std::shared_ptr<const IsoLayout> layout,
                         std::vector<SampleSettings> settings, std::vector<bool> edited,
                         SampleReport* report)
    : source_(source),
      layout_(std::move(layout)),
      settings_(std::move(settings)),
      report_(report),
      runs_(source, *layout_, edited) {
  for (const SampleSettings& each : settings_) editors_.push_back(make_sample_editor(source, each));
}

Status SampleEdits::fill() {
  ready_.clear();
  next_ready_ = 0;
  while (ready_.empty()) {
    if (left_ == 0) {
      Result<std::optional<MediaRun>> run = runs_.next();
      if (!run) return run.error();
      run_ = std::move(*run);
      if (!run_) {
        done_ = true;
        return ok();
      }
      if (settings_[run_->track].form == SampleForm::camm) {
        std::vector<uint32_t> sizes;
        const Status edited = edit_camm_run(source_, *layout_, *run_, settings_[run_->track],
                                            &ready_, &sizes, report_);
        if (!edited) return edited;
        if (new_sizes_) {
          if (const Status taken = new_sizes_(*run_, sizes); !taken) return taken;
        }
        continue;
      }
      left_ = run_->samples;
      offset_ = run_->offset;
      sizes_.emplace(source_, *layout_, *run_);
      continue;
    }
    uint64_t size = 0;
    if (!sizes_->next(&size)) return cut_off();
    --left_;
    // The sizes were added up when the run was read; a file that changed since must not mislead.
    if (offset_ > source_.size() || size > source_.size() - offset_) return cut_off();
    SampleEditor* const editor = editors_[run_->track].get();
    if (editor && size > 0) {
      const Status edited = editor->edit_sample(offset_, size, &ready_, report_);
      if (!edited) return edited;
    }
    offset_ += size;
  }
  return ok();
}

Result<std::optional<Edit>> SampleEdits::next() {
  if (!done_ && next_ready_ == ready_.size()) {
    if (const Status filled = fill(); !filled) return filled.error();
  }
  if (done_) return std::optional<Edit>();
  return std::optional(std::move(ready_[next_ready_++]));
}

}  // namespace sphere::media
