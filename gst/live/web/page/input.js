// SPDX-License-Identifier: LGPL-2.1-or-later
// Mouse, touch, wheel and keys turn the view.

import {clamp, held, limits, rayAt, turned, turnOf, wrapped} from './geometry.js';

const wheelStep = 0.0015;
const keyTurn = 5;          // degrees
const keyZoom = 1.1;
const glideTime = 0.25;     // seconds in which a glide loses most of its speed
const slowest = 2;          // degrees a second; a slower glide ends
const stale = 0.1;          // seconds; after a longer rest, lifting a finger starts no glide

export class Input {
  /** `changed` is called after each change of `view`, which has another owner. */
  constructor(canvas, view, changed) {
    this.canvas = canvas;
    this.view = view;
    this.changed = changed;
    this.pointers = new Map();
    this.hold = null;
    this.glide = null;
    /** Set where a device's sensor turns the view: then fingers turn its heading only. */
    this.onDrag = null;
    this.calm = window.matchMedia('(prefers-reduced-motion: reduce)');
    canvas.addEventListener('pointerdown', event => this.down(event));
    canvas.addEventListener('pointermove', event => this.move(event));
    for (const type of ['pointerup', 'pointercancel'])
      canvas.addEventListener(type, event => this.up(event));
    canvas.addEventListener('wheel', event => this.wheel(event), {passive: false});
    canvas.addEventListener('keydown', event => this.key(event));
  }

  range() {
    return this.view.planet ? limits.planet : limits.perspective;
  }

  place(event) {
    const box = this.canvas.getBoundingClientRect();
    return {x: event.clientX - box.left, y: event.clientY - box.top};
  }

  /** The middle of all fingers, and how far they are from it. */
  grip() {
    const all = [...this.pointers.values()];
    const x = all.reduce((sum, p) => sum + p.x, 0) / all.length;
    const y = all.reduce((sum, p) => sum + p.y, 0) / all.length;
    const spread = all.reduce((sum, p) => sum + Math.hypot(p.x - x, p.y - y), 0) / all.length;
    return {x, y, spread};
  }

  ray({x, y}) {
    return rayAt(this.view, x, y, this.canvas.clientWidth, this.canvas.clientHeight);
  }

  take() {
    const grip = this.grip();
    this.hold = {direction: turned(turnOf(this.view.yaw, this.view.pitch), this.ray(grip)),
      spread: grip.spread, fov: this.view.fov, x: grip.x};
  }

  down(event) {
    if (event.pointerType === 'mouse' && event.button !== 0) return;
    this.canvas.setPointerCapture(event.pointerId);
    this.pointers.set(event.pointerId, this.place(event));
    this.glide = null;
    this.speed = {yaw: 0, pitch: 0, time: event.timeStamp};
    this.take();
  }

  move(event) {
    if (!this.pointers.has(event.pointerId)) return;
    this.pointers.set(event.pointerId, this.place(event));
    const grip = this.grip();
    const view = this.view;
    if (this.hold.spread > 0 && grip.spread > 0) {
      const {min, max} = this.range();
      view.fov = clamp(this.hold.fov * this.hold.spread / grip.spread, min, max);
    }
    const before = {yaw: view.yaw, pitch: view.pitch};
    if (this.onDrag) {
      this.onDrag((this.hold.x - grip.x) * view.fov / this.canvas.clientHeight);
      this.hold.x = grip.x;
    } else {
      Object.assign(view, held(this.ray(grip), this.hold.direction, view.pitch));
    }
    const passed = Math.max((event.timeStamp - this.speed.time) / 1000, 0.001);
    // A mean of the last moves, because single ones are uneven.
    const mix = Math.min(passed / 0.05, 1);
    this.speed = {time: event.timeStamp,
      yaw: this.speed.yaw + mix * (wrapped(view.yaw - before.yaw) / passed - this.speed.yaw),
      pitch: this.speed.pitch + mix * ((view.pitch - before.pitch) / passed - this.speed.pitch)};
    this.changed();
  }

  up(event) {
    if (!this.pointers.delete(event.pointerId)) return;
    if (this.pointers.size > 0) {
      this.take();
      return;
    }
    const rested = (event.timeStamp - this.speed.time) / 1000 > stale;
    if (!rested && !this.onDrag && !this.calm.matches &&
        Math.hypot(this.speed.yaw, this.speed.pitch) > slowest) {
      this.glide = {...this.speed, time: null};
      this.changed();
    }
  }

  /** Glides on after a drag; whether it still does. `time` in milliseconds. */
  advance(time) {
    const glide = this.glide;
    if (!glide) return false;
    if (glide.time !== null) {
      const passed = Math.min((time - glide.time) / 1000, 0.1);
      const left = Math.exp(-passed / glideTime);
      this.view.yaw = wrapped(this.view.yaw + glide.yaw * passed);
      this.view.pitch = clamp(this.view.pitch + glide.pitch * passed, -limits.pitch, limits.pitch);
      glide.yaw *= left;
      glide.pitch *= left;
      if (Math.hypot(glide.yaw, glide.pitch) < slowest) this.glide = null;
    }
    glide.time = time;
    return this.glide !== null;
  }

  zoom(factor) {
    const {min, max} = this.range();
    this.view.fov = clamp(this.view.fov * factor, min, max);
    this.changed();
  }

  wheel(event) {
    event.preventDefault();
    const lines = event.deltaMode === 1 ? 20 : 1;
    this.zoom(Math.exp(clamp(event.deltaY * lines, -300, 300) * wheelStep));
  }

  turn(yaw, pitch) {
    this.glide = null;
    if (this.onDrag) this.onDrag(yaw);
    this.view.yaw = wrapped(this.view.yaw + yaw);
    this.view.pitch = clamp(this.view.pitch + pitch, -limits.pitch, limits.pitch);
    this.changed();
  }

  key(event) {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const step = keyTurn * (event.shiftKey ? 4 : 1);
    const actions = {
      ArrowLeft: () => this.turn(-step, 0), ArrowRight: () => this.turn(step, 0),
      ArrowUp: () => this.turn(0, step), ArrowDown: () => this.turn(0, -step),
      '+': () => this.zoom(1 / keyZoom), '=': () => this.zoom(1 / keyZoom),
      '-': () => this.zoom(keyZoom), '_': () => this.zoom(keyZoom),
    };
    const action = actions[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  }
}
