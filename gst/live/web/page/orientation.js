// SPDX-License-Identifier: LGPL-2.1-or-later
// How a phone is held. The angles are those of the Device Orientation specification: the device's
// axes (x right, y to its top, z out of the screen) are turned by gamma, beta and alpha into those
// of the Earth (x east, y north, z up).

import {product} from './geometry.js';

const radians = Math.PI / 180;

const aroundZ = angle => {
  const c = Math.cos(angle * radians), s = Math.sin(angle * radians);
  return [c, -s, 0, s, c, 0, 0, 0, 1];
};
const aroundX = angle => {
  const c = Math.cos(angle * radians), s = Math.sin(angle * radians);
  return [1, 0, 0, 0, c, -s, 0, s, c];
};
const aroundY = angle => {
  const c = Math.cos(angle * radians), s = Math.sin(angle * radians);
  return [c, 0, s, 0, 1, 0, -s, 0, c];
};

/** From the Earth's axes to ours of the scene: x east, y down, z north. */
const earthToScene = [1, 0, 0, 0, 0, -1, 0, 1, 0];
/** From ours of the camera (y down, z forward) to those of the screen (y up, z to the person). */
const cameraToScreen = [1, 0, 0, 0, -1, 0, 0, 0, -1];

/** Rows of the matrix that turns the camera's axes to those of the scene. */
export function turnOfDevice(alpha, beta, gamma, screenAngle) {
  const device = product(aroundZ(alpha), product(aroundX(beta), aroundY(gamma)));
  return product(earthToScene, product(device, product(aroundZ(-screenAngle), cameraToScreen)));
}

export const mayHaveOrientation = () =>
  typeof DeviceOrientationEvent !== 'undefined' && navigator.maxTouchPoints > 0;

/** Asks the person where the system wants it, and then calls `turn` with each new one. */
export async function watch(turn) {
  if (typeof DeviceOrientationEvent.requestPermission === 'function' &&
      await DeviceOrientationEvent.requestPermission() !== 'granted') return null;
  const listener = event => {
    if (event.alpha === null && event.beta === null) return;
    const screenAngle = screen.orientation?.angle ?? window.orientation ?? 0;
    turn(turnOfDevice(event.alpha ?? 0, event.beta ?? 0, event.gamma ?? 0, screenAngle));
  };
  window.addEventListener('deviceorientation', listener);
  return () => window.removeEventListener('deviceorientation', listener);
}
