// SPDX-License-Identifier: LGPL-2.1-or-later

#include "hw/madv/core.h"

#include <algorithm>

namespace sphere::madv {

SessionCore::SessionCore(CoreSettings settings)
    : settings_(std::move(settings)),
      channel_(
          settings_,
          {.opened = [this](Time now) { connect_.start(now); },
           .message_received =
               [this](const Message& message) {
                 change_state([&message](CameraState& state) { state.update(message); });
               },
           .notified = [this](std::shared_ptr<const Message> message,
                              Time now) { handle_notification(std::move(message), now); },
           .ended =
               [this](std::optional<Failure> failure) {
                 transfers_.end("the session was ended");
                 events_.push_back({.kind = Event::Kind::ended, .failure = std::move(failure)});
               }}),
      transfers_(settings_, channel_),
      connect_(settings_, channel_, transfers_,
               {.preview_ready = [this] { emit({.kind = Event::Kind::preview_ready}); },
                .lens_table =
                    [this](const Result<std::string>& table) {
                      if (table)
                        emit({.kind = Event::Kind::lens_table, .bytes = *table});
                      else
                        emit({.kind = Event::Kind::no_lens_table,
                              .failure = Failure{table.error().kind == Error::Kind::unsupported
                                                     ? Failure::Reason::missing
                                                     : Failure::Reason::silent,
                                                 table.error().message}});
                    },
                .change_state = [this](const auto& change) { change_state(change); },
                .ready = [this] { emit({.kind = Event::Kind::ready}); }}) {}

void SessionCore::handle_notification(std::shared_ptr<const Message> message, Time now) {
  transfers_.notified(*message, now);
  // These notifications don't contain the new value.
  if (message->id() == msg_card_state || message->id() == msg_card_full)
    channel_.refresh(msg_storage, now);
  emit({.kind = Event::Kind::notification, .message = std::move(message)});
}

void SessionCore::finish(Time now) {
  channel_.finish(now);
  transfers_.end("the session was ended");
}

void SessionCore::advance(Time now) {
  channel_.advance(now);
  if (!channel_.ended()) transfers_.advance(now);
}

std::optional<Time> SessionCore::deadline() const {
  const std::optional<Time> control = channel_.deadline(), files = transfers_.deadline();
  return control && files ? std::min(*control, *files) : control ? control : files;
}

void SessionCore::emit(Event event) {
  if (!channel_.ended() && events_.size() < max_events) events_.push_back(std::move(event));
}

}  // namespace sphere::madv
