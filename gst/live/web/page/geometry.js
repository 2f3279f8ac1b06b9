// SPDX-License-Identifier: LGPL-2.1-or-later
// Directions and views. Axes: x right, y down, z forward; longitude grows to the right, latitude
// upwards. All functions take and return degrees.

const radians = Math.PI / 180;

export const limits = {pitch: 90, perspective: {min: 20, max: 120, usual: 75},
  planet: {min: 60, max: 320, usual: 250}};

export const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

/** From -180 to 180. */
export const wrapped = angle => angle - 360 * Math.floor((angle + 180) / 360);

/** A view: yaw, pitch, fov across the shorter side, and whether it is a little planet. */
export function usualView() {
  return {yaw: 0, pitch: 0, fov: limits.perspective.usual, planet: false};
}

/** The longest side of the picture's plane in units of its distance: [half width, half height]. */
export function halfPlane(view, width, height) {
  const angle = view.fov * radians / 2;
  const half = view.planet ? Math.tan(angle / 2) : Math.tan(angle);
  const unit = half / Math.min(width, height);
  return [unit * width, unit * height];
}

/** The direction, in the camera's axes, of a point in a canvas; of length 1. */
export function rayAt(view, x, y, width, height) {
  const [halfWidth, halfHeight] = halfPlane(view, width, height);
  const px = (2 * x / width - 1) * halfWidth;
  const py = (2 * y / height - 1) * halfHeight;
  const square = px * px + py * py;
  if (view.planet) return [2 * px / (1 + square), 2 * py / (1 + square), (1 - square) / (1 + square)];
  const length = Math.sqrt(1 + square);
  return [px / length, py / length, 1 / length];
}

/** Rows of the matrix that turns the camera's axes to those of the scene. */
export function turnOf(yaw, pitch) {
  const ca = Math.cos(yaw * radians), sa = Math.sin(yaw * radians);
  const cp = Math.cos(pitch * radians), sp = Math.sin(pitch * radians);
  return [ca, sa * sp, sa * cp, 0, cp, -sp, -sa, ca * sp, ca * cp];
}

export function product(a, b) {
  const result = new Array(9).fill(0);
  for (let row = 0; row < 3; row++)
    for (let column = 0; column < 3; column++)
      for (let i = 0; i < 3; i++) result[3 * row + column] += a[3 * row + i] * b[3 * i + column];
  return result;
}

export function turned(matrix, [x, y, z]) {
  return [matrix[0] * x + matrix[1] * y + matrix[2] * z,
    matrix[3] * x + matrix[4] * y + matrix[5] * z,
    matrix[6] * x + matrix[7] * y + matrix[8] * z];
}

/** Yaw and pitch of the direction that a turn looks to. */
export function looksTo(matrix) {
  const [x, y, z] = [matrix[2], matrix[5], matrix[8]];
  return {yaw: Math.atan2(x, z) / radians, pitch: Math.asin(clamp(-y, -1, 1)) / radians};
}

/**
 * Yaw and pitch with which `direction` of the scene is seen along `ray` of the camera: what a
 * person has taken hold of stays under the finger. Where no pitch does that, the nearest.
 */
export function held(ray, direction, pitchNow) {
  // direction.y = ray.y cos(pitch) - ray.z sin(pitch) = radius cos(pitch + phase)
  const radius = Math.hypot(ray[1], ray[2]);
  const phase = Math.atan2(ray[2], ray[1]);
  const angle = Math.acos(clamp(radius > 0 ? direction[1] / radius : 0, -1, 1));
  const candidates = [angle - phase, -angle - phase].map(p => wrapped(p / radians));
  const distance = p => Math.abs(wrapped(p - pitchNow));
  const best = distance(candidates[0]) <= distance(candidates[1]) ? candidates[0] : candidates[1];
  const pitch = clamp(best, -limits.pitch, limits.pitch);
  const z = ray[1] * Math.sin(pitch * radians) + ray[2] * Math.cos(pitch * radians);
  const yaw = Math.atan2(direction[0], direction[2]) - Math.atan2(ray[0], z);
  return {yaw: wrapped(yaw / radians), pitch};
}

/** A view from the part of an address behind the #; what is missing or damaged is as usual. */
export function viewFrom(hash) {
  const words = new URLSearchParams(hash.replace(/^#/, ''));
  const view = usualView();
  view.planet = words.get('planet') === '1';
  const range = view.planet ? limits.planet : limits.perspective;
  const number = (name, usual, low, high) => {
    const text = words.get(name);
    const value = text === null || text === '' ? NaN : Number(text);
    return Number.isFinite(value) ? clamp(value, low, high) : usual;
  };
  view.yaw = wrapped(number('yaw', 0, -1e6, 1e6));
  view.pitch = number('pitch', view.planet ? -90 : 0, -limits.pitch, limits.pitch);
  view.fov = number('fov', range.usual, range.min, range.max);
  return view;
}

export function hashOf(view) {
  const words = `yaw=${view.yaw.toFixed(2)}&pitch=${view.pitch.toFixed(2)}&fov=${view.fov.toFixed(1)}`;
  return view.planet ? `${words}&planet=1` : words;
}
