// SPDX-License-Identifier: LGPL-2.1-or-later
// The tags that a gate has sent downstream, so that it can send what replaces them.

#pragma once

#include <gst/gst.h>

#include <functional>
#include <optional>

#include "gst/sphere/base/position.h"
#include "plugins/privacy/allowance.h"
#include "plugins/privacy/stream_events.h"

namespace sphere::privacy {

/// Used only by the streaming thread. What can be withdrawn always goes downstream in a list of
/// global scope: muxers keep the tags of a stream where nobody can take them away.
class StreamTags {
 public:
  /// Pushes an event downstream.
  using Push = std::function<void(EventRef)>;
  explicit StreamTags(Push push) : push_(std::move(push)) {}

  /// Nothing was sent yet.
  void reset();
  /// Takes a tag event of upstream, and sends what may pass of it. `direct`: no element upstream
  /// can have repeated it. Parsers and encoders send the tags that they got once more when their
  /// own change; a place that came while it was denied does not pass in this way later.
  void take(EventRef event, const Allowance& allowance, bool direct);
  /// Sends what replaces the tags that are not allowed any more.
  void withdraw(const Allowance& allowance);
  /// Whether the gate has a source of positions of its own: then those of upstream don't pass.
  void set_own_source(bool exists);
  /// The position of that source; nothing: it knows none.
  void set_position(const std::optional<Position>& position);

 private:
  /// Removes a place that is only repeated.
  void remove_repeated_place(GstTagList* tags, const Allowance& allowance, bool direct);
  /// `event`: where the list comes from; null: from the gate itself.
  void send_global(const EventRef& event);

  const Push push_;
  // What may pass of the last lists of upstream. What can be withdrawn is apart.
  TagsRef stream_, global_, private_;
  bool own_source_ = false;
  TagsRef position_;      // of that source
  TagsRef denied_place_;  // the last that was denied; null: one that was not has come since then
  TagsRef sent_global_;   // null: none was sent
};

}  // namespace sphere::privacy
