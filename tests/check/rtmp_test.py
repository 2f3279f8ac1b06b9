# SPDX-License-Identifier: LGPL-2.1-or-later
"""spheregeogate before flvmux and rtmp2sink: a server on loopback gets no place and no identity
without consent.
"""

import re
import socket
import struct
import threading

from checks import DEADLINE, attempt, check, finish, launch_ours

DOUBLE = rb"\x00(.{8})"
HANDSHAKE = 1536


def text(value):
    return b"\x02" + struct.pack(">H", len(value)) + value


def number(value):
    return b"\x00" + struct.pack(">d", value)


def fields(**values):
    """An object of AMF0."""
    content = b"".join(text(name.encode())[1:] + text(value) for name, value in values.items())
    return b"\x03" + content + b"\x00\x00\x09"


def message(content, stream=0):
    """A command of RTMP, in pieces of 128 bytes."""
    head = b"\x03" + b"\x00" * 3 + struct.pack(">I", len(content))[1:] + b"\x14" + \
        struct.pack("<I", stream)
    pieces = [content[at:at + 128] for at in range(0, len(content), 128)]
    return head + b"\xc3".join(pieces)


class Server(threading.Thread):
    """Takes one stream, and keeps every byte of it."""

    def __init__(self):
        super().__init__()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.settimeout(DEADLINE)
        self.port = self.listener.getsockname()[1]
        self.received = b""
        self.answered = set()

    def run(self):
        try:
            client, _ = self.listener.accept()
            with client:
                client.settimeout(DEADLINE)
                self.serve(client)
        except OSError as reason:
            print("the server:", reason)
        self.listener.close()

    def serve(self, client):
        hello = b""
        while len(hello) < 1 + HANDSHAKE:
            hello += client.recv(1 << 16)
        client.sendall(b"\x03" + bytes(HANDSHAKE) + hello[1:1 + HANDSHAKE])
        while part := client.recv(1 << 16):
            self.received += part
            self.answer(client)

    def answer(self, client):
        for name in (b"connect", b"releaseStream", b"FCPublish", b"createStream", b"publish"):
            asked = re.search(re.escape(text(name)) + DOUBLE, self.received, re.DOTALL)
            if not asked or name in self.answered:
                continue
            self.answered.add(name)
            turn = number(struct.unpack(">d", asked.group(1))[0])
            if name == b"connect":
                client.sendall(message(text(b"_result") + turn + fields(fmsVer=b"FMS/3,0,1,123") +
                                       fields(level=b"status",
                                              code=b"NetConnection.Connect.Success")))
            elif name == b"createStream":
                client.sendall(message(text(b"_result") + turn + b"\x05" + number(1)))
            elif name == b"publish":
                client.sendall(message(text(b"onStatus") + number(0) + b"\x05" + fields(
                    level=b"status", code=b"NetStream.Publish.Start"), 1))
            else:
                client.sendall(message(text(b"_result") + turn + b"\x05\x06"))


def stream(gate):
    """What the server gets."""
    server = Server()
    server.start()
    try:
        launch_ours("videotestsrc num-buffers=30 ! video/x-raw,width=64,height=32,framerate=25/1 ! "
                    "taginject tags=artist=CANARY_ARTIST,geo-location-latitude=39.90421,"
                    f"geo-location-longitude=116.40741,geo-location-name=CANARY_PLACE ! {gate}"
                    "x264enc speed-preset=ultrafast ! flvmux streamable=true ! rtmp2sink "
                    f"location=rtmp://127.0.0.1:{server.port}/live/one")
    finally:
        server.join(DEADLINE)
    return server.received


def test_denied(_):
    leaking = stream("")
    check("without the gate the server gets what is tagged", b"CANARY" in leaking, leaking[:400])
    clean = stream("spheregeogate ! ")
    check("the server gets the pictures", b"onMetaData" in clean and len(clean) > len(leaking) // 2,
          len(clean))
    forms = [form for value in (39.90421, 116.40741) for form in (
        struct.pack(">d", value), struct.pack("<d", value), str(value).encode()[:7])]
    found = [form for form in (b"CANARY", *forms) if form in clean]
    check("with it nothing of it arrives", not found, found)


attempt(test_denied, None)
finish()
