// SPDX-License-Identifier: LGPL-2.1-or-later

#include "hw/card_file.h"

#include <utility>

#include "hw/await.h"

namespace sphere::hw {

namespace {

using Reason = Failure::Reason;
using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr std::chrono::seconds web_timeout = 10s, size_timeout = 2s;
constexpr uint64_t four_gib = uint64_t{1} << 32;

Failure cancelled() { return {Reason::stopped, "the transfer was cancelled"}; }

}  // namespace

std::optional<Failure> connect_and_wait(CameraClient& client, GCancellable* cancellable) {
  if (client.is_ready()) return std::nullopt;
  const auto outcome = await<std::optional<Failure>>(
      cancellable, [&](auto handler) { client.connect(std::move(handler)); });
  return outcome ? std::get<0>(*outcome) : cancelled();
}

std::optional<Failure> describe_file(CameraClient& client, const std::string& path,
                                     CertificatePins* pins, MediaInfo& info,
                                     GCancellable* cancellable) {
  CardFile file(client, path, FileTransport::any, pins);
  if (auto failure = file.describe(info, cancellable)) return failure;
  const std::shared_ptr<Camera> camera = client.camera();
  const auto address = camera && camera->files() ? camera->files()->address(path) : std::nullopt;
  if (!address || !info.size) return std::nullopt;
  WebFileReader web(pins, size_timeout);
  WebFileReader::Part part{0, 1, [&info](uint64_t told) {
                             if (told % four_gib == *info.size % four_gib) info.size = told;
                           }};
  (void)web.read(
      *address, part, [](std::string_view) { return ok(); }, cancellable);
  return std::nullopt;
}

bool may_pass(const Failure& failure) {
  return failure.reason == Reason::gone || failure.reason == Reason::silent ||
         failure.reason == Reason::unreachable || failure.reason == Reason::held ||
         failure.reason == Reason::not_there;
}

void pause(std::chrono::milliseconds duration, GCancellable* cancellable) {
  GPollFD poll = {};
  const bool has_descriptor = cancellable && g_cancellable_make_pollfd(cancellable, &poll);
  g_poll(&poll, has_descriptor ? 1 : 0, static_cast<gint>(duration.count()));
  if (has_descriptor) g_cancellable_release_fd(cancellable);
}

CardFile::CardFile(CameraClient& client, std::string path, FileTransport transport,
                   CertificatePins* pins)
    : client_(client),
      path_(std::move(path)),
      transport_(transport),
      web_(pins, web_timeout),
      try_web_(transport != FileTransport::data) {}

/// The camera with its files, while there is a connection.
std::shared_ptr<Camera> CardFile::camera_with_files(std::optional<Failure>& failure,
                                                    GCancellable* cancellable) {
  failure = connect_and_wait(client_, cancellable);
  if (failure) return nullptr;
  std::shared_ptr<Camera> camera = client_.camera();
  if (!camera) failure = Failure(Reason::gone, "the connection to the camera was lost");
  if (camera && !camera->files()) {
    failure = Failure(Reason::refused, "the files of this camera can't be read over the network");
    return nullptr;
  }
  return camera;
}

std::optional<Failure> CardFile::describe(MediaInfo& info, GCancellable* cancellable) {
  std::optional<Failure> failure;
  const std::shared_ptr<Camera> camera = camera_with_files(failure, cancellable);
  if (!camera) return failure;
  const auto outcome = await<MediaInfo, std::optional<Failure>>(
      cancellable, [&](auto handler) { camera->files()->info(path_, std::move(handler)); });
  if (!outcome) return cancelled();
  failure = std::get<1>(*outcome);
  if (failure) return failure;
  info = std::get<0>(*outcome);
  size_ = info.size;
  return std::nullopt;
}

void CardFile::assume_more_than(uint64_t bytes) {
  if (size_ && bytes > *size_) *size_ += (bytes - *size_ + four_gib - 1) / four_gib * four_gib;
}

void CardFile::correct_size(uint64_t told) {
  if (!size_ || told % four_gib == *size_ % four_gib) size_ = told;
}

std::optional<Failure> CardFile::read(uint64_t offset, std::optional<uint64_t> count,
                                      const Sink& sink, GCancellable* cancellable) {
  if (try_web_) {
    uint64_t arrived = 0;
    used_ = FileTransport::web;
    const std::optional<Failure> failure = read_by_web(
        offset, count,
        [&](std::string_view bytes) {
          arrived += bytes.size();
          return sink(bytes);
        },
        cancellable);
    if (!failure || arrived > 0 || transport_ != FileTransport::any ||
        failure->reason == Reason::silent || g_cancellable_is_cancelled(cancellable))
      return failure;
    // The other way works without the camera's web server.
    try_web_ = false;
  }
  used_ = FileTransport::data;
  return read_by_data(offset, count, sink, cancellable);
}

std::optional<Failure> CardFile::read_all(uint64_t offset, uint64_t count, const Sink& sink,
                                          std::chrono::milliseconds idle_timeout,
                                          GCancellable* cancellable) {
  Clock::time_point last_byte = Clock::now();
  RetryPause retry;
  uint64_t done = 0;
  bool sink_failed = false;
  for (;;) {
    const uint64_t before = done;
    std::optional<Failure> failure = read(
        offset + done, count - done,
        [&](std::string_view bytes) {
          const Status taken = sink(bytes);
          sink_failed = !taken;
          if (taken) done += bytes.size();
          return taken;
        },
        cancellable);
    if (g_cancellable_is_cancelled(cancellable)) return cancelled();
    if (sink_failed) return failure;
    if (!failure && done >= count) return std::nullopt;
    if (!failure) failure = Failure(Reason::gone, "the camera sent less than the whole file");
    if (done > before) {
      last_byte = Clock::now();
      retry.reset();
    }
    if (!may_pass(*failure) || Clock::now() - last_byte > idle_timeout) return failure;
    // Only the end of the transfer was lost. A request for no bytes would be one for the whole
    // file.
    if (done >= count) return std::nullopt;
    retry.wait(cancellable);
    if (g_cancellable_is_cancelled(cancellable)) return cancelled();
  }
}

std::optional<Failure> CardFile::read_by_web(uint64_t offset, std::optional<uint64_t> count,
                                             const Sink& sink, GCancellable* cancellable) {
  std::optional<Failure> failure;
  std::optional<FileAddress> address;
  {
    const std::shared_ptr<Camera> camera = client_.camera();
    if (camera && camera->files()) address = camera->files()->address(path_);
  }
  if (!address) {
    const std::shared_ptr<Camera> camera = camera_with_files(failure, cancellable);
    if (!camera) return failure;
    address = camera->files()->address(path_);
  }
  if (!address) return Failure(Reason::not_there, "this camera has no web server");
  WebFileReader::Part part{offset, count, [this](uint64_t told) { correct_size(told); }};
  return web_.read(*address, part, sink, cancellable).failure;
}

std::optional<Failure> CardFile::read_by_data(uint64_t offset, std::optional<uint64_t> count,
                                              const Sink& sink, GCancellable* cancellable) {
  std::optional<Failure> failure;
  const std::shared_ptr<Camera> camera = camera_with_files(failure, cancellable);
  if (!camera) return failure;
  struct Cancel {
    CameraFiles* files;
    unsigned number;
  } cancel{camera->files(), 0};
  gulong connection = 0;
  // Not ended by `cancellable`, because the sink uses the caller's objects until it is done.
  const auto outcome = await<std::optional<Failure>>(nullptr, [&](auto handler) {
    FileRead read;
    read.path = path_;
    read.offset = offset;
    read.size = count;
    if (!count && size_) read.size = *size_ - std::min(*size_, offset);
    read.sink = sink;
    // What is left of a shorter file can't be told from what comes now, but a larger size that has
    // the same lower bits is the right one.
    read.told_size = [this](uint64_t told) {
      if (size_ && told >= four_gib) correct_size(told);
    };
    read.done = std::move(handler);
    cancel.number = cancel.files->read(std::move(read));
    if (cancellable)
      connection = g_cancellable_connect(cancellable, G_CALLBACK(+[](GCancellable*, gpointer data) {
                                           const auto* one = static_cast<Cancel*>(data);
                                           one->files->cancel(one->number);
                                         }),
                                         &cancel, nullptr);
  });
  if (connection) g_cancellable_disconnect(cancellable, connection);
  failure = std::get<0>(*outcome);
  // A connection that was lost ends all transfers.
  if (failure && !client_.is_ready()) failure->reason = Reason::gone;
  return failure;
}

}  // namespace sphere::hw
