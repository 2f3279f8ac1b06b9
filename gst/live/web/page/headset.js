// SPDX-License-Identifier: LGPL-2.1-or-later
// Headsets, by WebXR: each eye looks along its own directions from the middle of the sphere.

import {product, turnOf} from './geometry.js';

export async function hasHeadset() {
  try {
    return Boolean(navigator.xr) && await navigator.xr.isSessionSupported('immersive-vr');
  } catch {
    return false;
  }
}

/** From WebXR's axes (y up, z backwards), column by column, to rows of ours. */
export function turnOfPose(matrix) {
  return [matrix[0], -matrix[4], -matrix[8],
    -matrix[1], matrix[5], matrix[9],
    -matrix[2], matrix[6], matrix[10]];
}

/** Left, right, bottom, top of an eye's plane, y down, from its projection. */
export function planeOfProjection(p) {
  return [(p[8] - 1) / p[0], (p[8] + 1) / p[0], -(p[9] - 1) / p[5], -(p[9] + 1) / p[5]];
}

/**
 * Shows the picture in the headset until it ends; `take` is called before each drawing. Returns a
 * function that ends it.
 */
export async function show(picture, yaw, take, ended) {
  const gl = picture.gl;
  const session = await navigator.xr.requestSession('immersive-vr');
  let space = null;
  try {
    await gl.makeXRCompatible();
    await session.updateRenderState({baseLayer: new XRWebGLLayer(session, gl)});
    space = await session.requestReferenceSpace('local');
  } catch (error) {
    // Otherwise the headset would stay black.
    await session.end();
    throw error;
  }
  const heading = turnOf(yaw, 0);
  const draw = (time, frame) => {
    session.requestAnimationFrame(draw);
    const pose = frame.getViewerPose(space);
    if (!pose) return;
    take();
    const layer = session.renderState.baseLayer;
    gl.bindFramebuffer(gl.FRAMEBUFFER, layer.framebuffer);
    for (const view of pose.views) {
      const {x, y, width, height} = layer.getViewport(view);
      gl.viewport(x, y, width, height);
      picture.fill(product(heading, turnOfPose(view.transform.matrix)),
        planeOfProjection(view.projectionMatrix), false);
    }
  };
  session.addEventListener('end', ended, {once: true});
  session.requestAnimationFrame(draw);
  return () => session.end();
}
