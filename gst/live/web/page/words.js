// SPDX-License-Identifier: LGPL-2.1-or-later
// What the page says, in the languages that it speaks.

const all = {
  en: {
    title: 'Live 360°',
    view: 'Live 360° picture. Arrow keys turn it, plus and minus zoom.',
    connecting: 'Connecting …',
    playing: 'Live',
    lost: 'The camera is lost. The picture comes back by itself.',
    returning: 'The connection was lost. Coming back …',
    full: 'As many people watch as may. Trying again …',
    refused: 'This link is not, or no longer, valid. Ask for a new one.',
    ended: 'The stream has ended.',
    unsupported: 'This browser can’t draw the picture: it has no WebGL 2.',
    tooLarge: 'The picture is too large for this device’s graphics.',
    soundOff: 'Sound is off. Turn it on.',
    soundOn: 'Sound is on. Turn it off.',
    soundAbsent: 'There is no sound: the people who are filmed did not agree to it, or the camera has none.',
    noSound: 'No sound',
    planet: 'Little planet',
    sensor: 'Look around by moving the phone',
    headset: 'Show in the headset',
    north: 'North mark: the arrow shows where the front of the camera is. Look there.',
    share: 'Copy a link to this view',
    copied: 'The link is copied.',
    full_screen: 'Full screen',
    help: 'Keys and help',
    close: 'Close',
    helpText: [
      ['Drag, or ← ↑ → ↓', 'turn (with Shift: faster)'],
      ['Wheel, two fingers, or + −', 'zoom'],
      ['0', 'look to the front'],
      ['P', 'little planet'],
      ['S', 'sound on and off'],
      ['F', 'full screen'],
      ['C', 'copy a link to this view'],
    ],
  },
  zh: {
    title: '360° 直播',
    view: '360° 直播画面。方向键转动，加号和减号缩放。',
    connecting: '正在连接……',
    playing: '直播中',
    lost: '相机已断开，恢复后画面会自动继续。',
    returning: '连接已断开，正在恢复……',
    full: '观看人数已满，正在重试……',
    refused: '此链接无效或已失效，请索取新的链接。',
    ended: '直播已结束。',
    unsupported: '此浏览器没有 WebGL 2，无法显示画面。',
    tooLarge: '画面太大，此设备的图形处理器无法显示。',
    soundOff: '声音已关闭，点击打开。',
    soundOn: '声音已打开，点击关闭。',
    soundAbsent: '没有声音：被拍摄的人没有同意，或者相机没有声音。',
    noSound: '没有声音',
    planet: '小星球',
    sensor: '转动手机来环视',
    headset: '在头戴设备中显示',
    north: '北标：箭头指向相机的正前方。点击看向那里。',
    share: '复制此视角的链接',
    copied: '链接已复制。',
    full_screen: '全屏',
    help: '按键和帮助',
    close: '关闭',
    helpText: [
      ['拖动，或 ← ↑ → ↓', '转动（按住 Shift 更快）'],
      ['滚轮、双指，或 + −', '缩放'],
      ['0', '看向正前方'],
      ['P', '小星球'],
      ['S', '打开或关闭声音'],
      ['F', '全屏'],
      ['C', '复制此视角的链接'],
    ],
  },
};

/** The first language of the person that the page speaks; English if there is none. */
export function language() {
  const wanted = new URLSearchParams(location.search).get('lang');
  const list = wanted ? [wanted] : navigator.languages || [navigator.language || 'en'];
  return list.map(name => name.slice(0, 2).toLowerCase()).find(name => name in all) || 'en';
}

export const words = all[language()];
