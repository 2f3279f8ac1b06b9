// SPDX-License-Identifier: LGPL-2.1-or-later
// Gets the stream to a video element: by WebRTC with WHEP as its signalling, and where that brings
// no picture, over HTTP. Keeps trying, and tells its state.

import * as fragments from './fragments.js';

const firstPictureWithin = 6000;   // milliseconds; then the other way is tried
const nextPictureWithin = 4000;
const pauses = [500, 1000, 2000, 4000, 8000];
const askEvery = 2000;

const sleep = (time, signal) => new Promise(resolve => {
  const timer = setTimeout(resolve, time);
  signal?.addEventListener('abort', () => { clearTimeout(timer); resolve(); }, {once: true});
});

/** The player has to ask for stereo, because otherwise Opus is mono. */
function withStereo(sdp) {
  const opus = /^a=rtpmap:(\d+) opus\//im.exec(sdp);
  return opus ? sdp.replace(new RegExp(`^(a=fmtp:${opus[1]} .*?)(\\r?)$`, 'm'), '$1;stereo=1$2')
    : sdp;
}

export class Stream extends EventTarget {
  constructor(video, token) {
    super();
    this.video = video;
    this.headers = token ? {Authorization: `Bearer ${token}`} : {};
    this.facts = null;
    this.reachable = false;
    this.state = 'connecting';
    this.way = null;
    this.pictures = 0;
    this.lastPicture = 0;
    this.countPictures();
  }

  tell(state) {
    if (state === this.state) return;
    this.state = state;
    this.dispatchEvent(new Event('state'));
  }

  /** `pictures` counts what the video element has shown. */
  countPictures() {
    const shown = () => {
      this.pictures++;
      this.lastPicture = performance.now();
      if (this.way) this.tell('playing');
      this.dispatchEvent(new Event('picture'));
    };
    if (this.video.requestVideoFrameCallback) {
      const next = () => {
        shown();
        this.video.requestVideoFrameCallback(next);
      };
      this.video.requestVideoFrameCallback(next);
    } else {
      let last = 0;
      const look = () => {
        if (this.video.currentTime !== last && this.video.readyState >= 2) {
          last = this.video.currentTime;
          shown();
        }
        requestAnimationFrame(look);
      };
      look();
    }
  }

  async ask() {
    try {
      const answer = await fetch('stream.json', {headers: this.headers, cache: 'no-store'});
      this.reachable = true;
      if (answer.ok) {
        this.facts = await answer.json();
        this.dispatchEvent(new Event('facts'));
        return 200;
      }
      return answer.status;
    } catch {
      this.reachable = false;
      return 0;
    }
  }

  /** Returns only if this person may not watch. */
  async run() {
    let failures = 0;
    let overHttp = new URLSearchParams(location.search).get('way') === 'http';
    for (;;) {
      const status = await this.ask();
      if (status === 401 || status === 403 || status === 421 || status === 429) {
        this.tell('refused');
        return;
      }
      // What has ended needs no server any more.
      if ((status === 200 || status === 0) && this.facts?.state === 'ended') this.tell('ended');
      else if (status === 200 && this.facts.state === 'waiting') this.tell('lost');
      else if (this.pictures > 0) this.tell('returning');
      else this.tell('connecting');
      if (status === 200 && this.facts.state === 'playing') {
        const before = this.pictures;
        const problem = await this.watch(overHttp);
        if (problem === 503) this.tell('full');
        const came = this.pictures > before;
        failures = came ? 0 : failures + 1;
        // A way that worked once is tried again; one that brought no picture is not.
        if (!came && problem !== 503 && fragments.canPlay() && window.RTCPeerConnection)
          overHttp = !overHttp;
        if (came) continue;
      } else {
        failures = Math.min(failures + 1, 3);
      }
      await sleep(pauses[Math.min(failures, pauses.length) - 1] ?? pauses[0]);
    }
  }

  /** One attempt, up to its end. Returns the status of a refusal, or nothing. */
  async watch(overHttp) {
    const ending = new AbortController();
    const {signal} = ending;
    const begin = performance.now();
    const before = this.pictures;
    const silent = !this.facts?.sound;
    let expected = begin;
    const timer = setInterval(() => {
      const now = performance.now();
      const came = this.pictures > before;
      // A page that nobody sees gets no pictures. While the camera is lost, the connection is kept,
      // because the pictures come back on it.
      if (document.hidden || this.reachable && this.facts?.state === 'waiting') expected = now;
      const since = Math.max(expected, came ? this.lastPicture : 0);
      if (now - since > (came ? nextPictureWithin : firstPictureWithin)) ending.abort();
    }, 250);
    const asking = setInterval(async () => {
      await this.ask();
      // A connection that was made without sound never gets any.
      if (silent && this.facts?.sound || this.facts?.state === 'ended') ending.abort();
      if (this.facts?.state === 'waiting' && performance.now() - this.lastPicture > 1500)
        this.tell('lost');
    }, askEvery);
    try {
      this.way = overHttp || !window.RTCPeerConnection ? 'http' : 'webrtc';
      if (this.way === 'http') await fragments.play(this.video, this.headers, signal);
      else await this.connect(signal);
      return undefined;
    } catch (error) {
      return error.status;
    } finally {
      clearInterval(timer);
      clearInterval(asking);
      this.way = null;
      ending.abort();
    }
  }

  async connect(signal) {
    const connection = new RTCPeerConnection({bundlePolicy: 'max-bundle'});
    let place = null;
    const leave = () => {
      if (place) fetch(place, {method: 'DELETE', headers: this.headers, keepalive: true}).catch(() => {});
      place = null;
    };
    window.addEventListener('pagehide', leave);
    try {
      for (const kind of ['video', 'audio'])
        connection.addTransceiver(kind, {direction: 'recvonly'});
      const stream = new MediaStream();
      connection.addEventListener('track', event => {
        // No more is buffered than the network's jitter needs, because the stream is live.
        if ('jitterBufferTarget' in event.receiver) event.receiver.jitterBufferTarget = 0;
        stream.addTrack(event.track);
      });
      const offer = await connection.createOffer();
      await connection.setLocalDescription({type: 'offer', sdp: withStereo(offer.sdp)});
      const answer = await fetch('whep', {method: 'POST', signal, cache: 'no-store',
        headers: {...this.headers, 'Content-Type': 'application/sdp'},
        body: connection.localDescription.sdp});
      if (answer.status !== 201)
        throw Object.assign(new Error('refused'), {status: answer.status});
      place = answer.headers.get('Location');
      await connection.setRemoteDescription({type: 'answer', sdp: await answer.text()});
      this.video.srcObject = stream;
      this.video.play().catch(() => {});
      await new Promise(resolve => {
        signal.addEventListener('abort', resolve, {once: true});
        connection.addEventListener('connectionstatechange', () => {
          if (['failed', 'closed'].includes(connection.connectionState)) resolve();
        });
      });
    } finally {
      window.removeEventListener('pagehide', leave);
      leave();
      connection.close();
      this.video.srcObject = null;
    }
  }
}
