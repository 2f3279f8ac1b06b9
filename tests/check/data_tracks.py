# SPDX-License-Identifier: LGPL-2.1-or-later
"""Boxes of MP4: tracks of data that no muxer here writes, and files whose media is far from the beginning."""

import struct

CONTAINERS = (b"moov", b"trak", b"mdia", b"minf", b"stbl")


def box(kind, *parts):
    content = b"".join(parts)
    return struct.pack(">I", len(content) + 8) + kind.encode() + content


def boxes_of(data):
    """Type, content and offset of each."""
    at = 0
    while at + 8 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        yield kind, data[at + 8:at + size], at
        at += size


def add_data_track(path, codec, handler, samples):
    """Adds a track to a file whose index is its last box."""
    data = path.read_bytes()
    kind, _, at = list(boxes_of(data))[-1]
    assert kind == b"moov"
    moov = data[at:]
    media = b"".join(samples)
    start = len(data) - len(moov) + 8
    full = bytes(4)
    identity = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
    duration = 1000
    sizes = b"".join(struct.pack(">I", len(sample)) for sample in samples)
    tables = box("stbl",
                 box("stsd", full, struct.pack(">I", 1), box(codec, bytes(6), b"\0\1")),
                 box("stts", full, struct.pack(">3I", 1, len(samples), duration // len(samples))),
                 box("stsc", full, struct.pack(">4I", 1, 1, len(samples), 1)),
                 box("stsz", full, struct.pack(">2I", 0, len(samples)), sizes),
                 box("stco", full, struct.pack(">2I", 1, start)))
    track = box("trak",
                box("tkhd", b"\0\0\0\7", struct.pack(">5I", 0, 0, 9, 0, duration), bytes(16), identity,
                    bytes(8)),
                box("mdia", box("mdhd", full, struct.pack(">4I", 0, 0, 1000, duration), b"\x55\xc4\0\0"),
                    box("hdlr", full, full, handler.encode(), bytes(12), b"CANARY handler\0"),
                    box("minf", box("nmhd", full),
                        box("dinf", box("dref", full, struct.pack(">I", 1), box("url ", b"\0\0\0\1"))),
                        tables)))
    path.write_bytes(data[:-len(moov)] + box("mdat", media) +
                     struct.pack(">I", len(moov) + len(track)) + moov[4:] + track)


def camm(kind, form, *values):
    """A record of motion (2), or of a place (5), as cameras for street views write it."""
    return struct.pack("<HH" + form, 0, kind, *values)


def moved(data, distance):
    """The boxes of an index whose media is so far away from where it was."""
    out = b""
    for kind, content, _ in boxes_of(data):
        if kind == b"stco":
            count = struct.unpack_from(">I", content, 4)[0]
            offsets = struct.unpack_from(f">{count}I", content, 8)
            kind = b"co64"
            content = content[:8] + struct.pack(f">{count}Q", *(offset + distance for offset in offsets))
        elif kind in CONTAINERS:
            content = moved(content, distance)
        out += box(kind.decode(), content)
    return out


def write_far(path, data, hole):
    """Writes the same file with a hole of so many bytes before its media, which take no space on the disk."""
    found = {kind: (content, at) for kind, content, at in boxes_of(data)}
    media, at = found[b"mdat"]
    head = box("ftyp", found[b"ftyp"][0]) + struct.pack(">I4sQ", 1, b"mdat", 16 + hole + len(media))
    with open(path, "wb") as file:
        file.write(head)
        file.seek(len(head) + hole)
        file.write(media + box("moov", moved(found[b"moov"][0], len(head) + hole - at - 8)))
