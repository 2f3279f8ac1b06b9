// SPDX-License-Identifier: LGPL-2.1-or-later
// Puts the page together: picture, stream, input and buttons.

import {hashOf, limits, looksTo, product, turnOf, usualView, viewFrom} from './geometry.js';
import {hasHeadset, show} from './headset.js';
import {Input} from './input.js';
import {mayHaveOrientation, watch as watchOrientation} from './orientation.js';
import {Picture} from './picture.js';
import {Stream} from './stream.js';
import {language, words} from './words.js';

const element = id => document.getElementById(id);
const canvas = element('view');
const video = element('video');

document.documentElement.lang = language() === 'zh' ? 'zh-Hans' : 'en';
document.title = words.title;
canvas.setAttribute('aria-label', words.view);

/** Gives a button its name, for those who see it and those who do not. */
function name(id, text) {
  const button = element(id);
  button.setAttribute('aria-label', text);
  button.title = text;
}
for (const [id, text] of [['planet', words.planet], ['sensor', words.sensor],
  ['headset', words.headset], ['north', words.north], ['share', words.share],
  ['screen', words.full_screen], ['help', words.help], ['sound', words.soundOff]]) name(id, text);

// --- the token ---------------------------------------------------------------------------------

// It comes behind the # of the link, which no server and no other page sees, and leaves the address
// at once, because an address is shown to everybody who looks at the screen.
function takeToken() {
  const given = new URLSearchParams(location.hash.slice(1)).get('token');
  try {
    if (given) sessionStorage.setItem('token', given);
    return given || sessionStorage.getItem('token') || '';
  } catch {
    return given || '';
  }
}
const token = takeToken();

// --- the view ----------------------------------------------------------------------------------

const view = viewFrom(location.hash);
let sensorTurn = null;   // of the device, without its heading
let heading = 0;         // what fingers add to the device's own
let stopSensor = null;
let stopHeadset = null;
let dirty = true;
let hashTimer = 0;

function storeView() {
  clearTimeout(hashTimer);
  hashTimer = setTimeout(() => history.replaceState(null, '', `#${hashOf(view)}`), 150);
}

function changed() {
  dirty = true;
  storeView();
}

function goTo(next) {
  input.glide = null;
  Object.assign(view, next);
  update();
  changed();
}

const input = new Input(canvas, view, changed);
window.addEventListener('hashchange', () => {
  // Another link to the same stream.
  const given = new URLSearchParams(location.hash.slice(1)).get('token');
  if (given && given !== token) location.reload();
  goTo(viewFrom(location.hash));
});
if (token) storeView();

// --- drawing -----------------------------------------------------------------------------------

let picture = null;
try {
  picture = new Picture(canvas);
} catch {
  say('unsupported');
}

const needle = element('needle');
function draw(time) {
  requestAnimationFrame(draw);
  if (input.advance(time)) changed();
  if (!picture || stopHeadset || !dirty) return;
  dirty = false;
  let turn = null;
  if (sensorTurn) {
    turn = product(turnOf(heading, 0), sensorTurn);
    Object.assign(view, looksTo(turn));
  }
  picture.fit();
  picture.draw(view, turn);
  needle.setAttribute('transform', `rotate(${(-view.yaw).toFixed(1)} 12 12)`);
}
new ResizeObserver(() => { dirty = true; }).observe(canvas);
canvas.addEventListener('webglcontextrestored', () => { dirty = true; });

// --- the stream --------------------------------------------------------------------------------

function say(state) {
  document.body.dataset.state = state;
  element('state').textContent = words[state];
}

const stream = new Stream(video, token);
function takePicture() {
  if (video.readyState < 2 || !picture) return;
  if (picture.take(video)) dirty = true;
  else say('tooLarge');
}
stream.addEventListener('picture', takePicture);
stream.addEventListener('state', () => say(stream.state));

// People watch without touching the screen, so it is kept on.
async function stayAwake() {
  if (stream.state !== 'playing' || document.hidden) return;
  try {
    await navigator.wakeLock?.request('screen');
  } catch {
    // The system decides.
  }
}
stream.addEventListener('state', stayAwake);
document.addEventListener('visibilitychange', stayAwake);
stream.addEventListener('facts', () => {
  if (picture) picture.spherical = stream.facts.projection !== 'rectangular';
  document.body.classList.toggle('flat', stream.facts.projection === 'rectangular');
  updateSound();
});

// --- buttons -----------------------------------------------------------------------------------

const notice = element('notice');
let noticeTimer = 0;
function announce(text) {
  notice.textContent = text;
  clearTimeout(noticeTimer);
  noticeTimer = setTimeout(() => { notice.textContent = ''; }, 4000);
}

const press = (id, pressed) => element(id).setAttribute('aria-pressed', String(pressed));

function updateSound() {
  const absent = !stream.facts?.sound;
  const button = element('sound');
  button.setAttribute('aria-disabled', String(absent));
  button.classList.toggle('absent', absent);
  element('absent').hidden = !absent || !stream.facts;
  if (absent) video.muted = true;
  press('sound', !absent && !video.muted);
  name('sound', absent ? words.soundAbsent : video.muted ? words.soundOff : words.soundOn);
}

function update() {
  press('planet', view.planet);
  press('sensor', Boolean(sensorTurn || stopSensor));
}

const actions = {
  sound() {
    if (!stream.facts?.sound) {
      announce(words.soundAbsent);
      return;
    }
    video.muted = !video.muted;
    if (!video.muted) video.play().catch(() => {});
    updateSound();
  },
  planet() {
    goTo(view.planet ? {planet: false, pitch: 0, fov: limits.perspective.usual}
      : {planet: true, pitch: -90, fov: limits.planet.usual});
  },
  async sensor() {
    if (stopSensor) {
      stopSensor();
      stopSensor = null;
      sensorTurn = null;
      input.onDrag = null;
    } else {
      let first = true;
      stopSensor = await watchOrientation(turn => {
        // It goes on where the view is now.
        if (first) heading = view.yaw - looksTo(turn).yaw;
        first = false;
        sensorTurn = turn;
        changed();
      });
      if (stopSensor) input.onDrag = angle => { heading += angle; };
    }
    update();
  },
  async headset() {
    if (stopHeadset) {
      stopHeadset();
      return;
    }
    try {
      stopHeadset = await show(picture, view.yaw, takePicture, () => {
        stopHeadset = null;
        dirty = true;
        press('headset', false);
      });
      press('headset', true);
    } catch {
      stopHeadset = null;
    }
  },
  north() {
    heading = 0;
    goTo(view.planet ? {yaw: 0} : {...usualView()});
  },
  async share() {
    const link = new URL(location.href);
    link.hash = token ? `token=${token}&${hashOf(view)}` : hashOf(view);
    try {
      await navigator.clipboard.writeText(link.href);
      announce(words.copied);
    } catch {
      // Without a secure page there is no clipboard: the address itself is the link.
      history.replaceState(null, '', link.hash);
      announce(link.href);
    }
  },
  screen() {
    if (document.fullscreenElement) document.exitFullscreen();
    else document.documentElement.requestFullscreen?.().catch(() => {});
  },
  help() {
    element('dialog').showModal();
  },
};
for (const [id, action] of Object.entries(actions)) element(id).addEventListener('click', action);
document.addEventListener('fullscreenchange', () =>
  press('screen', Boolean(document.fullscreenElement)));

const keys = {p: 'planet', s: 'sound', f: 'screen', c: 'share', 0: 'north', '?': 'help'};
document.addEventListener('keydown', event => {
  if (event.ctrlKey || event.altKey || event.metaKey || element('dialog').open) return;
  const id = keys[event.key.toLowerCase()];
  if (id && !element(id).hidden) actions[id]();
});

const list = element('keys');
for (const [key, meaning] of words.helpText) {
  const term = document.createElement('dt');
  term.textContent = key;
  const description = document.createElement('dd');
  description.textContent = meaning;
  list.append(term, description);
}
element('dialog-title').textContent = words.help;
element('close').textContent = words.close;
element('absent').textContent = words.noSound;

element('screen').hidden = !document.fullscreenEnabled;
element('sensor').hidden = !mayHaveOrientation();
hasHeadset().then(has => { element('headset').hidden = !has; });

update();
updateSound();
if (picture) {
  say('connecting');
  stream.run();
  requestAnimationFrame(draw);
}
