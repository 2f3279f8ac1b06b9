// SPDX-License-Identifier: LGPL-2.1-or-later

#include "plugins/privacy/stream_tags.h"

#include <utility>

#include "plugins/privacy/tags.h"

namespace sphere::privacy {

namespace {

TagsRef copy_of(const TagsRef& tags) { return TagsRef(gst_tag_list_copy(tags.get())); }

}  // namespace

void StreamTags::reset() {
  stream_.reset();
  global_.reset();
  private_.reset();
  position_.reset();
  denied_place_.reset();
  sent_global_.reset();
}

void StreamTags::send_global(const EventRef& event) {
  TagsRef tags(global_ ? gst_tag_list_copy(global_.get()) : gst_tag_list_new_empty());
  gst_tag_list_set_scope(tags.get(), GST_TAG_SCOPE_GLOBAL);
  if (private_) gst_tag_list_insert(tags.get(), private_.get(), GST_TAG_MERGE_REPLACE);
  if (own_source_) remove_place_tags(tags.get());
  if (position_) gst_tag_list_insert(tags.get(), position_.get(), GST_TAG_MERGE_REPLACE);
  if (!event && (sent_global_ ? gst_tag_list_is_equal(sent_global_.get(), tags.get())
                              : gst_tag_list_is_empty(tags.get())))
    return;
  sent_global_ = copy_of(tags);
  GstEvent* own = gst_event_new_tag(tags.release());
  push_(event ? in_place_of(event, own) : EventRef(own));
}

void StreamTags::remove_repeated_place(GstTagList* tags, const Allowance& allowance, bool direct) {
  const TagsRef place = place_tags(tags);
  if (gst_tag_list_is_empty(place.get())) return;
  if (!allowance.place) {
    denied_place_ = copy_of(place);
  } else if (denied_place_ && !direct && gst_tag_list_is_equal(place.get(), denied_place_.get())) {
    remove_place_tags(tags);
  } else {
    denied_place_.reset();
  }
}

void StreamTags::take(EventRef event, const Allowance& allowance, bool direct) {
  GstTagList* sent = nullptr;
  gst_event_parse_tag(event.get(), &sent);
  const TagsRef tags(gst_tag_list_copy(sent));
  remove_repeated_place(tags.get(), allowance, direct);
  TagsRef allowed = allowed_tags(tags.get(), allowance);
  TagsRef taken = take_private_tags(allowed.get());
  if (taken && private_)
    gst_tag_list_insert(private_.get(), taken.get(), GST_TAG_MERGE_REPLACE);
  else if (taken)
    private_ = std::move(taken);
  if (gst_tag_list_get_scope(tags.get()) == GST_TAG_SCOPE_GLOBAL) {
    global_ = std::move(allowed);
    send_global(event);
    return;
  }
  stream_ = copy_of(allowed);
  push_(in_place_of(event, gst_event_new_tag(allowed.release())));
  send_global(nullptr);
}

void StreamTags::withdraw(const Allowance& allowance) {
  if (stream_ && has_denied_tags(stream_.get(), allowance)) {
    stream_ = allowed_tags(stream_.get(), allowance);
    push_(EventRef(gst_event_new_tag(copy_of(stream_).release())));
  }
  if (global_) global_ = allowed_tags(global_.get(), allowance);
  if (private_) private_ = allowed_tags(private_.get(), allowance);
  if (!allowance.place) position_.reset();
  send_global(nullptr);
}

void StreamTags::set_own_source(bool exists) {
  if (own_source_ == exists) return;
  own_source_ = exists;
  send_global(nullptr);
}

void StreamTags::set_position(const std::optional<Position>& position) {
  position_ = position ? tags_of(*position) : nullptr;
  send_global(nullptr);
}

}  // namespace sphere::privacy
