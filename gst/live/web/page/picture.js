// SPDX-License-Identifier: LGPL-2.1-or-later
// Draws what one sees of the sphere: for each pixel its direction, and the point of that direction
// in the equirectangular picture. Nothing is interpolated between corners, so the geometry is exact.

import {halfPlane, turnOf} from './geometry.js';

const vertexShader = `#version 300 es
out vec2 place;
void main() {
  place = vec2((gl_VertexID << 1) & 2, gl_VertexID & 2);
  gl_Position = vec4(place * 2.0 - 1.0, 0.0, 1.0);
}`;

const fragmentShader = `#version 300 es
precision highp float;
in vec2 place;
out vec4 colour;
uniform sampler2D picture;
uniform mat3 turn;      // camera to scene
uniform vec4 plane;     // left, right, bottom, top; y points down
uniform bool planet;    // stereographic
uniform bool flat_;     // no sphere at all
const float pi = 3.14159265358979;
void main() {
  vec2 p = mix(plane.xz, plane.yw, place);
  if (flat_) {
    vec2 at = p * 0.5 + 0.5;
    bool inside = all(greaterThanEqual(at, vec2(0.0))) && all(lessThanEqual(at, vec2(1.0)));
    colour = vec4(inside ? texture(picture, at).rgb : vec3(0.0), 1.0);
    return;
  }
  float square = dot(p, p);
  vec3 ray = planet ? vec3(2.0 * p, 1.0 - square) / (1.0 + square)
                    : vec3(p, 1.0) * inversesqrt(1.0 + square);
  vec3 d = turn * ray;
  // Some drivers give pi for the angle of a negative zero.
  const float nothing = 1e-20;
  float longitude = atan(d.x + nothing, d.z);
  float latitude = atan(nothing - d.y, length(d.xz));
  colour = vec4(texture(picture, vec2(longitude / (2.0 * pi) + 0.5, 0.5 - latitude / pi)).rgb, 1.0);
}`;

function compile(gl, type, text) {
  const shader = gl.createShader(type);
  gl.shaderSource(shader, text);
  gl.compileShader(shader);
  if (!gl.getShaderParameter(shader, gl.COMPILE_STATUS) && !gl.isContextLost())
    throw new Error(gl.getShaderInfoLog(shader));
  return shader;
}

export class Picture {
  /** Throws where the browser has no WebGL 2. */
  constructor(canvas) {
    this.canvas = canvas;
    this.spherical = true;
    this.ratio = 2;
    const gl = canvas.getContext('webgl2', {alpha: false, antialias: false, depth: false,
      powerPreference: 'high-performance'});
    if (!gl) throw new Error('no WebGL 2');
    this.gl = gl;
    this.prepare();
    // A phone takes the context away when it needs the memory.
    canvas.addEventListener('webglcontextlost', event => event.preventDefault());
    canvas.addEventListener('webglcontextrestored', () => this.prepare());
  }

  prepare() {
    const gl = this.gl;
    const program = gl.createProgram();
    gl.attachShader(program, compile(gl, gl.VERTEX_SHADER, vertexShader));
    gl.attachShader(program, compile(gl, gl.FRAGMENT_SHADER, fragmentShader));
    gl.linkProgram(program);
    if (!gl.getProgramParameter(program, gl.LINK_STATUS) && !gl.isContextLost())
      throw new Error(gl.getProgramInfoLog(program));
    gl.useProgram(program);
    this.places = {};
    for (const name of ['turn', 'plane', 'planet', 'flat_'])
      this.places[name] = gl.getUniformLocation(program, name);
    gl.bindVertexArray(gl.createVertexArray());
    gl.bindTexture(gl.TEXTURE_2D, gl.createTexture());
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_S, gl.REPEAT);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_T, gl.CLAMP_TO_EDGE);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.LINEAR);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, gl.LINEAR);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGB, 1, 1, 0, gl.RGB, gl.UNSIGNED_BYTE, new Uint8Array(3));
    this.mostPixels = gl.getParameter(gl.MAX_TEXTURE_SIZE);
  }

  /** Takes over the video's present picture. False where the graphics can't hold one of its size. */
  take(video) {
    const gl = this.gl;
    if (video.videoWidth > this.mostPixels || video.videoHeight > this.mostPixels) return false;
    if (video.videoHeight > 0) this.ratio = video.videoWidth / video.videoHeight;
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGB, gl.RGB, gl.UNSIGNED_BYTE, video);
    return true;
  }

  /** As many pixels as the screen has. */
  fit() {
    const scale = Math.min(window.devicePixelRatio || 1, 2);
    const width = Math.max(1, Math.round(this.canvas.clientWidth * scale));
    const height = Math.max(1, Math.round(this.canvas.clientHeight * scale));
    if (this.canvas.width !== width) this.canvas.width = width;
    if (this.canvas.height !== height) this.canvas.height = height;
  }

  /** `turn`: rows of the camera's matrix, or nothing for that of the view. */
  draw(view, turn) {
    const gl = this.gl;
    const {width, height} = this.canvas;
    gl.bindFramebuffer(gl.FRAMEBUFFER, null);
    gl.viewport(0, 0, width, height);
    let [x, y] = halfPlane(view, width, height);
    if (!this.spherical) {
      const wide = width / height / this.ratio;
      [x, y] = [Math.max(wide, 1), Math.max(1 / wide, 1)];
    }
    this.fill(turn || turnOf(view.yaw, view.pitch), [-x, x, y, -y], view.planet);
  }

  /** Fills the present viewport. */
  fill(turn, plane, planet) {
    const gl = this.gl;
    gl.uniformMatrix3fv(this.places.turn, true, turn);
    gl.uniform4fv(this.places.plane, plane);
    gl.uniform1i(this.places.planet, planet ? 1 : 0);
    gl.uniform1i(this.places.flat_, this.spherical ? 0 : 1);
    gl.drawArrays(gl.TRIANGLES, 0, 3);
  }
}
