// SPDX-License-Identifier: LGPL-2.1-or-later
// The stream over HTTP, for networks through which UDP does not get: fragmented MP4, read as it
// comes and given to the video element piece by piece.

const kept = 5;           // seconds behind the present picture
const farBehind = 1.0;    // seconds; then the rest is skipped
const closeBehind = 0.15;
const mostWaiting = 8 << 20;

const Source = () => window.ManagedMediaSource || window.MediaSource;

export const canPlay = () => Boolean(Source());

function opened(source) {
  return new Promise((resolve, reject) => {
    source.addEventListener('sourceopen', resolve, {once: true});
    source.addEventListener('sourceclose', () => reject(new Error('closed')), {once: true});
  });
}

/**
 * Plays until the stream ends or `signal` aborts. Throws an error with the `status` of an answer
 * that was no stream.
 */
export async function play(video, headers, signal) {
  const answer = await fetch('stream.mp4', {headers, signal, cache: 'no-store'});
  if (!answer.ok) throw Object.assign(new Error('refused'), {status: answer.status});
  const type = answer.headers.get('Content-Type');
  const Kind = Source();
  if (!Kind.isTypeSupported(type)) throw Object.assign(new Error('codec'), {status: 406});
  const source = new Kind();
  // Otherwise iPhones keep the page from using it.
  video.disableRemotePlayback = true;
  const address = URL.createObjectURL(source);
  video.srcObject = null;
  video.src = address;
  try {
    await opened(source);
    await feed(video, source, source.addSourceBuffer(type), answer.body.getReader(), signal);
  } finally {
    URL.revokeObjectURL(address);
    video.removeAttribute('src');
    video.load();
  }
}

async function feed(video, source, buffer, reader, signal) {
  const waiting = [];
  let bytes = 0;
  let problem = null;
  const next = () => {
    if (buffer.updating || source.readyState !== 'open') return;
    try {
      const ranges = buffer.buffered;
      if (ranges.length > 0) {
        const end = ranges.end(ranges.length - 1);
        const begin = ranges.start(ranges.length - 1);
        if (video.currentTime < begin || end - video.currentTime > farBehind)
          video.currentTime = Math.max(begin, end - closeBehind);
        if (ranges.start(0) < video.currentTime - 2 * kept) {
          buffer.remove(0, video.currentTime - kept);
          return;
        }
      }
      if (waiting.length > 0) {
        const part = waiting.shift();
        bytes -= part.byteLength;
        buffer.appendBuffer(part);
      }
    } catch (error) {
      problem = error;
    }
  };
  buffer.addEventListener('updateend', next);
  buffer.addEventListener('error', () => { problem = new Error('damaged'); });
  video.play().catch(() => {});
  for (;;) {
    const {value, done} = await reader.read();
    if (done || signal.aborted) return;
    if (problem || video.error) throw problem || video.error;
    waiting.push(value);
    bytes += value.byteLength;
    // A browser that can't keep up: begin again with the present.
    if (bytes > mostWaiting) throw new Error('too slow');
    next();
  }
}
