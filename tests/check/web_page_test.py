# SPDX-License-Identifier: LGPL-2.1-or-later
"""The page in a browser: it plays, it turns as it should, and it says how it is. Prints a summary
line as gst-check does.

With SPHERE_PAGE_PICTURES=FOLDER it leaves pictures of the page there.
"""

import contextlib
import json
import math
import os
import pathlib
import subprocess
import sys
import tempfile

from browser import Browser, program
from checks import BUILD, DEADLINE, attempt, check, finish, launch_ours, run

TOOL = str(BUILD / "tests" / "tools" / "web-page")
WIDTH, HEIGHT = 800, 600
# Where nobody looks at the picture.
SMALL = (400, 300)
# The part that is compared: without the buttons.
PART_WIDTH, PART_HEIGHT = 400, 300
FOV = 75
FOCAL = HEIGHT / 2 / math.tan(math.radians(FOV / 2))
# What is compared is so much smaller.
SHRUNK = 4
# Half of the canvas is an eye's; a part of it around where the eye looks straight ahead.
EYE_WIDTH = 200
# The page has been drawn once more.
DRAWN = "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
PICTURES = os.environ.get("SPHERE_PAGE_PICTURES")


# The stream where its pictures are compared, which stand still; and where it need only play.
FULL = ("--fps", "6")
PLAIN = ("--size", "320x160", "--fps", "10")


@contextlib.contextmanager
def page(*words, stream=PLAIN):
    """The tool that serves the page, and its link."""
    with subprocess.Popen([TOOL, *stream, *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          text=True) as process:
        try:
            yield process, json.loads(process.stdout.readline())["link"]
        finally:
            process.stdin.close()
            process.wait(DEADLINE)


def tell(process, word):
    process.stdin.write(word + "\n")
    process.stdin.flush()


def keep(browser, name):
    if PICTURES:
        pathlib.Path(PICTURES, name).write_bytes(browser.picture())


class Truth:
    """The scene, of which ffmpeg draws any view."""

    def __init__(self, folder):
        self.path = f"{folder}/truth.png"
        launch_ours("spheretestsrc num-buffers=1 output=equirect ! "
                    "video/x-raw,width=960,height=480 ! videoconvert ! pngenc ! "
                    f"filesink location={self.path}")

    def views(self, directions, width=PART_WIDTH):
        """One picture for each yaw and pitch."""
        across = 2 * math.degrees(math.atan(width / 2 / FOCAL))
        down = 2 * math.degrees(math.atan(PART_HEIGHT / 2 / FOCAL))
        count = len(directions)
        graph = f"split={count}" + "".join(f"[in{i}]" for i in range(count))
        for i, (yaw, pitch) in enumerate(directions):
            yaw = (yaw + 180) % 360 - 180
            graph += (f";[in{i}]v360=e:flat:yaw={yaw}:pitch={pitch}:h_fov={across}:v_fov={down}:"
                      f"w={width}:h={PART_HEIGHT},scale=iw/{SHRUNK}:ih/{SHRUNK}:flags=area[out{i}]")
        graph += ";" + "".join(f"[out{i}]" for i in range(count)) + f"vstack={count}"
        done = subprocess.run(["ffmpeg", "-v", "error", "-i", self.path, "-filter_complex", graph, "-f",
                               "rawvideo", "-pix_fmt", "gray", "-"], stdout=subprocess.PIPE,
                              timeout=DEADLINE, check=True)
        size = len(done.stdout) // count
        return [done.stdout[i * size:(i + 1) * size] for i in range(count)]


def seen(browser, middle, width):
    """A part of the page, around the middle of its height."""
    png = browser.picture(x=middle - width / 2, y=(HEIGHT - PART_HEIGHT) / 2, width=width,
                          height=PART_HEIGHT)
    done = subprocess.run(["ffmpeg", "-v", "error", "-f", "png_pipe", "-i", "-", "-vf",
                           f"scale=iw/{SHRUNK}:ih/{SHRUNK}:flags=area", "-f", "rawvideo",
                           "-pix_fmt", "gray", "-"], input=png, stdout=subprocess.PIPE,
                          timeout=DEADLINE, check=True)
    return done.stdout


def difference(a, b):
    """Of brightness, without its mean and its range: a browser's colours are its own."""
    def normal(values):
        mean = sum(values) / len(values)
        spread = math.sqrt(sum((v - mean) ** 2 for v in values) / len(values)) or 1
        return [(v - mean) / spread for v in values]
    return sum((x - y) ** 2 for x, y in zip(normal(a), normal(b))) / len(a)


def shows(truth, browser, what, yaw, pitch, middle=WIDTH / 2, width=PART_WIDTH):
    """The view is the true one, and none that is a degree or two off is nearer to it."""
    picture = seen(browser, middle, width)
    check(f"{what}: a whole picture",
          len(picture) == (width // SHRUNK) * (PART_HEIGHT // SHRUNK), len(picture))
    off = ((0, 0), (1, 0), (-1, 0), (2, 0), (-2, 0), (0, 1), (0, -1))
    views = truth.views([(yaw + dyaw, pitch + dpitch) for dyaw, dpitch in off], width)
    errors = {one: difference(picture, view) for one, view in zip(off, views)}
    best = min(errors, key=errors.get)
    check(f"{what}: yaw {yaw:.1f}, pitch {pitch:.1f}", best == (0, 0) and errors[best] < 0.15,
          errors)


def brightness(browser, x, y, width, height):
    """A part of the page, pixel by pixel."""
    png = browser.picture(x=x, y=y, width=width, height=height)
    return subprocess.run(["ffmpeg", "-v", "error", "-f", "png_pipe", "-i", "-", "-f", "rawvideo",
                           "-pix_fmt", "gray", "-"], input=png, stdout=subprocess.PIPE,
                          timeout=DEADLINE, check=True).stdout


def lines(browser):
    """No line goes through the middle of the picture, where angles are zero."""
    long = 301
    across = brightness(browser, (WIDTH - long) // 2, HEIGHT // 2 - 1, long, 3)
    down = brightness(browser, WIDTH // 2 - 1, (HEIGHT - long) // 2, 3, long)
    threes = {"row": zip(across[:long], across[long:2 * long], across[2 * long:]),
              "column": zip(down[0::3], down[1::3], down[2::3])}
    for what, values in threes.items():
        apart = sum(abs(a - b) < 20 and abs(2 * m - a - b) > 60 for a, m, b in values)
        check(f"no {what} stands out", apart < long // 4, apart)


def view_of(browser):
    """What the address says, once it rests."""
    browser.until("location.hash.includes('yaw')")
    words = browser.run("new Promise(done => setTimeout(() => done(location.hash), 300))")
    return dict(part.split("=") for part in words.lstrip("#").split("&"))


def go(browser, yaw, pitch):
    browser.run(f"location.hash = '#yaw={yaw}&pitch={pitch}&fov={FOV}'")
    browser.run(DRAWN)


def drag(browser, x, y):
    """From the middle by so many pixels; rests before it lets go."""
    left, top = WIDTH / 2, HEIGHT / 2
    browser.mouse("mousePressed", left, top, clickCount=1)
    for step in range(1, 9):
        browser.mouse("mouseMoved", left + x * step / 8, top + y * step / 8, buttons=1)
    browser.run("new Promise(done => setTimeout(done, 200))")
    browser.mouse("mouseReleased", left + x, top + y, clickCount=1)


def playing(browser, what):
    check(f"{what}: plays",
          browser.until("document.body.dataset.state === 'playing'") is not None,
          browser.run("document.body.dataset.state"))
    # The first picture may be a black one.
    browser.until("document.getElementById('video').getVideoPlaybackQuality().totalVideoFrames > 5")
    browser.run(DRAWN)


def resize(browser, width, height):
    """Sets the size of the page, in pixels of the screen."""
    browser.call("Emulation.setDeviceMetricsOverride", width=width, height=height,
                 deviceScaleFactor=1, mobile=False)


def test_view(truth):
    with page(stream=FULL) as (process, link), Browser() as browser:
        resize(browser, WIDTH, HEIGHT)
        browser.open(f"{link}#yaw=0&pitch=0&fov={FOV}")
        playing(browser, "over WebRTC")
        check("by WebRTC", browser.run("document.getElementById('video').srcObject !== null"))
        shows(truth, browser, "as it begins", 0, 0)
        keep(browser, "live-page.png")
        for yaw, pitch in ((90, 0), (-120, 20), (180, -35)):
            go(browser, yaw, pitch)
            shows(truth, browser, "by its link", yaw, pitch)

        # What is under the finger stays there: to the right means that one looks to the left.
        go(browser, 0, 0)
        drag(browser, 150, 0)
        expected = -math.degrees(math.atan(150 / FOCAL))
        shows(truth, browser, "dragged to the right", expected, 0)
        now = view_of(browser)
        check("and its link", abs(float(now["yaw"]) - expected) < 1, now)
        go(browser, 40, 0)
        drag(browser, 0, 100)
        expected = math.degrees(math.atan(100 / FOCAL))
        shows(truth, browser, "dragged down", 40, expected)

        go(browser, 0, 0)
        browser.run("document.getElementById('view').focus()")
        browser.key("ArrowRight")
        browser.key("ArrowUp")
        now = view_of(browser)
        check("keys", (float(now["yaw"]), float(now["pitch"])) == (5, 5), now)
        shows(truth, browser, "by keys", 5, 5)
        browser.call("Input.dispatchMouseEvent", type="mouseWheel", x=400, y=300, deltaX=0,
                     deltaY=-200)
        check("wheel", float(view_of(browser)["fov"]) < FOV - 5, view_of(browser))

        browser.key("p")
        now = view_of(browser)
        check("little planet", now.get("planet") == "1" and float(now["pitch"]) == -90, now)
        browser.run("document.activeElement.blur()")
        browser.run(DRAWN)
        keep(browser, "live-page-planet.png")
        browser.key("0")
        browser.call("Emulation.setEmulatedMedia",
                     features=[{"name": "prefers-color-scheme", "value": "dark"}])
        browser.key("?")
        browser.run(DRAWN)
        keep(browser, "live-page-dark.png")
        browser.run("document.getElementById('dialog').close()")
        # The middle row and column, where angles are zero, in a window with an odd size.
        resize(browser, WIDTH + 1, HEIGHT + 1)
        browser.until(f"document.getElementById('view').width === {WIDTH + 1}")
        go(browser, 0, 0)
        lines(browser)

        # An endless throw would be a fault; with less motion wished for, there is none.
        browser.call("Emulation.setEmulatedMedia",
                     features=[{"name": "prefers-reduced-motion", "value": "reduce"}])
        check("everything has a name", browser.run(
            "[...document.querySelectorAll('button')].every(b => b.ariaLabel || b.textContent)"))
        check("no problem in the page", not browser.problems(), browser.problems())
        others = [url for url in browser.asked_for()
                  if not url.startswith((link, "blob:" + link, "about:", "data:"))]
        check("nobody else was asked for anything", not others, others)

        tell(process, "viewers")
        check("one viewer", json.loads(process.stdout.readline())["viewers"] == 1)
        browser.open("about:blank")
        # It says that it goes, and need not be missed first.
        for _ in range(200):
            tell(process, "viewers")
            if json.loads(process.stdout.readline())["viewers"] == 0:
                break
        else:
            check("the viewer leaves", False)


def test_phone(truth):
    """A phone that is turned turns the view; a finger adds to it."""
    with page(stream=FULL) as (_, link), Browser() as browser:
        browser.call("Emulation.setDeviceMetricsOverride", width=WIDTH, height=HEIGHT,
                     deviceScaleFactor=1, mobile=False,
                     screenOrientation={"type": "portraitPrimary", "angle": 0})
        browser.call("Emulation.setTouchEmulationEnabled", enabled=True, maxTouchPoints=2)
        browser.open(f"{link}#yaw=40&pitch=0&fov={FOV}")
        playing(browser, "on a phone")
        check("the button is there", not browser.run("document.getElementById('sensor').hidden"))

        def hold(alpha, beta):
            browser.call("DeviceOrientation.setDeviceOrientationOverride", alpha=alpha, beta=beta,
                         gamma=0)
            browser.run(DRAWN)

        def pitch_is(degrees):
            return browser.until(f"Math.abs(Number(new URLSearchParams(location.hash.slice(1))"
                                 f".get('pitch')) - {degrees}) < 0.1")

        hold(0, 91)
        browser.run("document.getElementById('sensor').click()")
        check("it turns with the phone", pitch_is(1) is not None, view_of(browser))
        check("pressed", browser.run("document.getElementById('sensor').ariaPressed") == "true")
        hold(0, 90)
        pitch_is(0)
        shows(truth, browser, "from where the view was", 40, 0)
        hold(330, 110)
        pitch_is(20)
        shows(truth, browser, "turned to the right and up", 70, 20)
        hold(330, 90)
        pitch_is(0)
        drag(browser, -80, 0)
        now = view_of(browser)
        check("a finger adds to it", abs(float(now["yaw"]) - (70 + 80 * FOV / HEIGHT)) < 1, now)
        browser.run("document.getElementById('sensor').click()")
        hold(60, 120)
        later = view_of(browser)
        check("and then it stays", later["yaw"] == now["yaw"] and abs(float(later["pitch"])) < 0.1, later)
        check("not pressed", browser.run("document.getElementById('sensor').ariaPressed") == "false")
        check("no problem in the page", not browser.problems(), browser.problems())


# A headset whose eyes see two halves of the canvas. The person looks 30 degrees to the right, and
# each eye's picture is wider on its outer side.
HEADSET = """(() => {
  const turn = -30 * Math.PI / 180, aside = 0.25;
  const [c, s] = [Math.cos(turn), Math.sin(turn)];
  const view = eye => ({eye,
    transform: {matrix: [c, 0, -s, 0, 0, 1, 0, 0, s, 0, c, 0, 0, 0, 0, 1]},
    projectionMatrix: [FOCAL / 200, 0, 0, 0, 0, FOCAL / 300, 0, 0,
      eye === 'left' ? -aside : aside, 0, -1, -1, 0, 0, -0.2, 0]});
  class Session extends EventTarget {
    renderState = {};
    updateRenderState(state) { this.renderState = state; }
    requestReferenceSpace(kind) { return Promise.resolve({kind}); }
    requestAnimationFrame(draw) {
      requestAnimationFrame(time => {
        if (this.over) return;
        window.drawn = (window.drawn || 0) + 1;
        draw(time, {getViewerPose: () => ({views: [view('left'), view('right')]})});
      });
    }
    end() { this.over = true; this.dispatchEvent(new Event('end')); return Promise.resolve(); }
  }
  window.XRWebGLLayer = class {
    framebuffer = null;
    constructor(session, gl) { this.canvas = gl.canvas; }
    getViewport({eye}) {
      const {width, height} = this.canvas;
      return {x: eye === 'left' ? 0 : width / 2, y: 0, width: width / 2, height};
    }
  };
  WebGL2RenderingContext.prototype.makeXRCompatible = () => Promise.resolve();
  Object.defineProperty(navigator, 'xr', {value: {
    isSessionSupported: kind => Promise.resolve(kind === 'immersive-vr'),
    requestSession: () => Promise.resolve(new Session()),
  }});
})()"""


def test_headset(truth):
    with page(stream=FULL) as (_, link), Browser() as browser:
        browser.call("Emulation.setDeviceMetricsOverride", width=WIDTH, height=HEIGHT,
                     deviceScaleFactor=1, mobile=False)
        browser.call("Page.addScriptToEvaluateOnNewDocument",
                     source=HEADSET.replace("FOCAL", str(FOCAL)))
        browser.open(f"{link}#yaw=40&pitch=0&fov={FOV}")
        playing(browser, "with a headset")
        check("the button is there",
              browser.until("!document.getElementById('headset').hidden") is not None)
        browser.run("document.getElementById('headset').click()")
        check("both eyes are drawn", browser.until("window.drawn > 3") is not None)
        check("pressed",
              browser.until("document.getElementById('headset').ariaPressed === 'true'") is not None)
        # Straight ahead is beside the middle of each eye's half.
        for eye, middle in (("left", 200 + 50), ("right", 600 - 50)):
            shows(truth, browser, f"the {eye} eye", 70, 0, middle, EYE_WIDTH)
        browser.run("document.getElementById('headset').click()")
        check("it ends",
              browser.until("document.getElementById('headset').ariaPressed === 'false'") is not None)
        browser.run(DRAWN)
        shows(truth, browser, "the page again", 40, 0)
        check("no problem in the page", not browser.problems(), browser.problems())


def test_buttons(_):
    with page() as (_, link), Browser() as browser:
        browser.open(f"{link}#yaw=90&pitch=10")
        playing(browser, "for its buttons")
        browser.run(DRAWN)
        needle = browser.run("document.getElementById('needle').getAttribute('transform')")
        check("the north mark points to the front", needle.startswith("rotate(-90.0"), needle)
        browser.run("document.getElementById('north').click()")
        now = view_of(browser)
        check("and brings it back", (float(now["yaw"]), float(now["pitch"])) == (0, 0), now)
        browser.run("document.getElementById('screen').click()")
        check("full screen", browser.until("document.fullscreenElement !== null && document"
                                           ".getElementById('screen').ariaPressed === 'true'"))
        browser.run("document.getElementById('screen').click()")
        check("and back", browser.until("document.fullscreenElement === null"))
        browser.run("document.getElementById('share').click()")
        check("a link is copied or shown", browser.until(
            "document.getElementById('notice').textContent !== ''") is not None)

        # Without a mouse: all that can be seen can be reached, and has a name.
        browser.run("document.activeElement.blur()")
        reached = []
        for _ in range(12):
            browser.call("Input.dispatchKeyEvent", type="keyDown", key="Tab", code="Tab",
                         windowsVirtualKeyCode=9)
            browser.call("Input.dispatchKeyEvent", type="keyUp", key="Tab", code="Tab",
                         windowsVirtualKeyCode=9)
            reached.append(browser.run("document.activeElement.id"))
        shown = browser.run("[...document.querySelectorAll('#bar button')].filter(b => !b.hidden)"
                            ".map(b => b.id)")
        check("all are reached by Tab", set(shown) | {"view"} <= set(reached), (shown, reached))
        nodes = browser.call("Accessibility.getFullAXTree")["nodes"]
        nameless = [node["role"]["value"] for node in nodes if not node.get("ignored")
                    and node["role"]["value"] in ("button", "application", "toolbar", "dialog")
                    and not node.get("name", {}).get("value")]
        check("all have names", not nameless, nameless)
        roles = [node["role"]["value"] for node in nodes if not node.get("ignored")]
        check("the state is told to those who do not see it", "status" in roles, sorted(set(roles)))
        check("no problem in the page", not browser.problems(), browser.problems())

        policy = browser.run("fetch('/').then(a => a.headers.get('content-security-policy'))")
        check("nothing is allowed that is not named", policy.startswith("default-src 'none'")
              and "unsafe" not in policy and "*" not in policy, policy)
        browser.run("(() => { try { const s = document.createElement('script'); s.textContent = "
                    "'window.injected = 1'; document.body.append(s); } catch (refused) {} })()")
        check("no script but its own runs", browser.run("window.injected === undefined"))
        check("nobody else can be asked",
              browser.run("fetch('http://127.0.0.1:9/').then(() => '', e => e.message)"))
        check("and it is the policy that forbids it", any(
            "Content Security Policy" in str(one) and "127.0.0.1:9" in str(one)
            for one in browser.problems()), browser.problems())


def test_over_http(truth):
    with page("--sound", stream=()) as (_, link), Browser() as browser:
        resize(browser, WIDTH, HEIGHT)
        browser.open(f"{link}?way=http#yaw=30&pitch=0&fov={FOV}")
        playing(browser, "over HTTP")
        check("by MSE", browser.run("document.getElementById('video').src.startsWith('blob:')"))
        shows(truth, browser, "over HTTP", 30, 0)
        pictures = "document.getElementById('video').getVideoPlaybackQuality().totalVideoFrames"
        before = browser.run(pictures)
        check("it goes on", browser.until(f"{pictures} > {before + 20}") is not None)
        behind = browser.run("(() => { const v = document.getElementById('video'); return "
                             "v.buffered.end(v.buffered.length - 1) - v.currentTime; })()")
        check("near the present", behind < 1.5, behind)
        check("no problem in the page", not browser.problems(), browser.problems())


def test_sound(_):
    sound = "document.getElementById('sound')"
    with page() as (process, link), Browser() as browser:
        resize(browser, *SMALL)
        browser.open(link)
        playing(browser, "without sound")
        check("marked absent", browser.until(f"{sound}.ariaDisabled === 'true' && "
                                             "!document.getElementById('absent').hidden"))
        browser.run(f"{sound}.click()")
        check("and stays off", browser.run("document.getElementById('video').muted"))
        check("and says why", "agree" in browser.run("document.getElementById('notice').textContent"))
        check("no track", browser.run(
            "document.getElementById('video').srcObject.getAudioTracks().every(t => t.muted)"))
        # As when consent is given while people watch.
        tell(process, "sound")
        check("sound that comes is there", browser.until(
            "document.getElementById('video').srcObject?.getAudioTracks().some(t => !t.muted)"))
    with page("--sound") as (_, link), Browser() as browser:
        resize(browser, *SMALL)
        browser.open(link)
        playing(browser, "with sound")
        check("off at first", browser.run("document.getElementById('video').muted"))
        check("not absent", browser.until("document.getElementById('absent').hidden"))
        browser.run(f"{sound}.click()")
        check("on when clicked", not browser.run("document.getElementById('video').muted"))
        check("and said so", browser.run(f"{sound}.ariaPressed") == "true")


def test_states(_):
    with page() as (process, link), Browser() as browser:
        resize(browser, *SMALL)
        browser.open(link + "?lang=zh")
        playing(browser, "in Chinese")
        check("in Chinese", browser.run("document.getElementById('state').textContent") == "直播中")
        check("its language", browser.run("document.documentElement.lang") == "zh-Hans")
        tell(process, "lose")
        check("the camera is lost",
              browser.until("document.body.dataset.state === 'lost'") is not None)
        tell(process, "find")
        playing(browser, "the camera is back")
        tell(process, "end")
        check("the end", browser.until("document.body.dataset.state === 'ended'") is not None,
              browser.run("document.body.dataset.state"))


def test_server_comes_back(_):
    with Browser() as browser:
        resize(browser, *SMALL)
        with page() as (_, link):
            browser.open(link)
            playing(browser, "before")
        check("it says so", browser.until("document.body.dataset.state === 'returning'") is not None,
              browser.run("document.body.dataset.state"))
        with page("--port", link.rsplit(":", 1)[1].strip("/")):
            playing(browser, "after")


def test_without_udp(_):
    """Where UDP does not get through, the page takes HTTP by itself."""
    with page() as (_, link), Browser() as browser:
        resize(browser, *SMALL)
        # As a firewall: the browser's datagrams go to a port where nobody is.
        browser.call("Page.addScriptToEvaluateOnNewDocument", source="""
            const set = RTCPeerConnection.prototype.setRemoteDescription;
            RTCPeerConnection.prototype.setRemoteDescription = function (answer) {
              return set.call(this, {type: answer.type,
                sdp: answer.sdp.replace(/ [0-9]+ typ host/g, ' 9 typ host')});
            };""")
        browser.open(link)
        playing(browser, "without UDP")
        check("over HTTP", browser.run("document.getElementById('video').src.startsWith('blob:')"))


def test_geometry(_):
    """What no browser without sensors and without a headset can show."""
    with page() as (_, link), Browser() as browser:
        resize(browser, *SMALL)
        browser.open(link)
        playing(browser, "for geometry")

        def held(*angles):
            return browser.run("Promise.all([import('/orientation.js'), import('/geometry.js')]).then("
                               f"([o, g]) => g.looksTo(o.turnOfDevice{angles}))")

        # Alpha, beta, gamma, and the angle of the screen.
        for angles, yaw, pitch in (((0, 90, 0, 0), 0, 0), ((90, 90, 0, 0), -90, 0),
                                   ((0, 120, 0, 0), 0, 30), ((-30, 60, 0, 0), 30, -30),
                                   ((0, 0, -90, 90), 90, 0)):
            found = held(*angles)
            check(f"a phone held at {angles}",
                  abs(found["yaw"] - yaw) < 0.01 and abs(found["pitch"] - pitch) < 0.01, found)
        eye = browser.run(
            "import('/headset.js').then(h => [h.planeOfProjection([1, 0, 0, 0, 0, 2, 0, 0, 0.25, 0, "
            "-1, -1, 0, 0, -0.2, 0]), h.turnOfPose([1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1]),"
            "h.turnOfPose([0, 0, -1, 0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1])])")
        check("an eye's plane", eye[0] == [-0.75, 1.25, 0.5, -0.5], eye[0])
        check("a head at rest", [abs(v) for v in eye[1]] == [1, 0, 0, 0, 1, 0, 0, 0, 1], eye[1])
        # Turned to the left around the axis that points up: one looks along -x.
        check("a head turned to the left", (eye[2][2], eye[2][8]) == (-1, 0), eye[2])
        check("what is held stays", browser.run("""import('/geometry.js').then(g => {
          for (let i = 0; i < 500; i++) {
            const view = {...g.usualView(), yaw: 360 * Math.random() - 180,
              pitch: 100 * Math.random() - 50};
            const from = g.rayAt(view, 800 * Math.random(), 600 * Math.random(), 800, 600);
            const to = g.rayAt(view, 400 + 100 * Math.random(), 300 + 100 * Math.random(), 800, 600);
            const direction = g.turned(g.turnOf(view.yaw, view.pitch), from);
            // Beside a pole there are directions that no pitch brings to that place.
            if (Math.abs(direction[1]) > Math.hypot(to[1], to[2])) continue;
            const next = g.held(to, direction, view.pitch);
            if (Math.abs(next.pitch) > 89.9) continue;
            const now = g.turned(g.turnOf(next.yaw, next.pitch), to);
            if (Math.hypot(now[0] - direction[0], now[1] - direction[1], now[2] - direction[2]) > 0.001)
              return false;
          }
          return true;
        })"""))


def test_token(_):
    token = "a-token-for-the-page-test"
    with page("--https", "--token", token) as (_, link), Browser() as browser:
        browser.call("Security.enable")
        browser.call("Security.setIgnoreCertificateErrors", ignore=True)
        resize(browser, *SMALL)
        browser.open(link)
        check("without the token", browser.until("document.body.dataset.state === 'refused'"))
        browser.open(f"{link}#token={token}wrong")
        check("with a wrong one", browser.until("document.body.dataset.state === 'refused'"))
        browser.open(f"{link}#token={token}&yaw=20")
        playing(browser, "with the token")
        now = view_of(browser)
        check("it leaves the address", "token" not in now and float(now["yaw"]) == 20, now)
        browser.call("Page.reload")
        playing(browser, "again, after it was read once")
        check("secure", browser.run("isSecureContext"))


def main():
    program()
    with tempfile.TemporaryDirectory(prefix="sphere-page-") as folder:
        truth = Truth(folder)
        chosen = sys.argv[1:]
        for test in (test_view, test_phone, test_headset, test_buttons, test_over_http, test_sound, test_states, test_token,
                     test_server_comes_back, test_without_udp, test_geometry):
            if not chosen or test.__name__ in chosen:
                attempt(test, truth)
    finish()


main()
