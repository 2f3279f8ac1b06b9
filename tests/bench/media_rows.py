# SPDX-License-Identifier: LGPL-2.1-or-later
"""`sphere redact` against cp and exiftool: rows of the benchmark table."""

import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ROUNDS = 3
FILM_BYTES = 2_000_000_000
PHOTOS = 100
# Of photos: much noise makes files of 13 MB, little noise files of 3 MB.
NOISES = (30, 6)
# What is put in, to be taken out again.
PLACE = ("48.8584", "2.2945")


def timed(*command):
    """Seconds and processor seconds."""
    begin = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"bench: {command[0]} failed")
    return time.monotonic() - begin, usage.ru_utime + usage.ru_stime


def peak_mb(*command):
    """The peak of memory in MB. The count that the kernel returns at the end begins with this program's own."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    peak = 0
    while process.poll() is None:
        lines = pathlib.Path(f"/proc/{process.pid}/status").read_text(encoding="utf-8").splitlines()
        peak = max([peak, *(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))])
    if process.returncode:
        sys.exit(f"bench: {command[0]} failed")
    return peak * 1024 / 1e6


def ffmpeg(*words):
    subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-y", *map(str, words)], check=True)


def make_film(path, size):
    """A short film with noise in it, again and again."""
    clip = path.with_suffix(".clip.mp4")
    ffmpeg("-f", "lavfi", "-i", "testsrc2=s=1920x960:r=30:d=2,noise=alls=60:allf=t", "-c:v", "libx264",
           "-preset", "ultrafast", "-b:v", "60M", clip)
    ffmpeg("-stream_loop", "-1", "-i", clip, "-c", "copy", "-fs", size, "-metadata",
           "location=+{}+{}/".format(*PLACE), "-metadata", "title=A_TITLE_OF_THE_BENCH", path)
    clip.unlink()


def make_photos(folder, noise):
    photo = folder / "0.jpg"
    folder.mkdir()
    ffmpeg("-f", "lavfi", "-i", f"testsrc2=s=6912x3456,noise=alls={noise}", "-frames:v", "1", "-q:v", "3", photo)
    subprocess.run(["exiftool", "-q", "-overwrite_original", "-Make=Maker", "-SerialNumber=A_SERIAL_NUMBER",
                    f"-GPSLatitude={PLACE[0]}", "-GPSLatitudeRef=N", f"-GPSLongitude={PLACE[1]}",
                    "-GPSLongitudeRef=E", "-XMP-GPano:ProjectionType=equirectangular",
                    "-XMP-GPano:FullPanoWidthPixels=6912", photo], check=True)
    for index in range(1, PHOTOS):
        shutil.copyfile(photo, folder / f"{index}.jpg")


def ratios(line, what, mine, theirs, peer, bound):
    each = [b / a for a, b in zip(mine, theirs)]
    line(what, f"{statistics.median(mine):.2f}", f"{statistics.median(theirs):.2f}",
         f"{statistics.median(each):.2f}x", f"({min(each):.2f}-{max(each):.2f})  {peer}  {bound}")


def film(folder, sphere, tool, line):
    source, copy, out = folder / "film.mp4", folder / "copy.mp4", folder / "out.mp4"
    make_film(source, FILM_BYTES)
    size = source.stat().st_size
    runs, copies = [], []
    for _ in range(ROUNDS):
        # What was written before is still on its way to the disk and fills the memory: who comes second would wait.
        for make, times in ((lambda: timed("cp", source, copy), copies),
                            (lambda: tool("media", "copy", str(source), str(out)), runs)):
            for path in (copy, out):
                path.unlink(missing_ok=True)
            os.sync()
            times.append(make())
    ratios(line, "redact, MP4 of 2 GB, without the final look (s)",
           [run["write_ms"] / 1e3 for run in runs], [each[0] for each in copies], "cp",
           "at least 0.67x: 1.5 times as long")
    ratios(line, "  the same, processor time (s)", [run["write_cpu_ms"] / 1e3 for run in runs],
           [each[1] for each in copies], "cp", "")
    for key, what in (("look_ms", "redact, the final look (GB/s)"),
                      ("look_cpu_ms", "  the same, by processor time (GB/s)")):
        speeds = [size / 1e6 / run[key] for run in runs]
        line(what, f"{statistics.median(speeds):.2f}", rest=f"({min(speeds):.2f}-{max(speeds):.2f})  at least 0.5")
    out.unlink()
    line("redact, MP4 of 2 GB, memory (MB)",
         f"{peak_mb(sphere, 'redact', '--quiet', source, out):.1f}", rest="at most 32")
    out.unlink()
    matroska = folder / "film.mkv"
    ffmpeg("-i", source, "-c", "copy", matroska)
    line("redact, Matroska of 2 GB, memory (MB)",
         f"{peak_mb(sphere, 'redact', '--quiet', matroska, folder / 'out.mkv'):.1f}", rest="at most 32")
    for path in (matroska, folder / "out.mkv"):
        path.unlink()
    runs = []
    for _ in range(ROUNDS):
        shutil.copyfile(source, copy)
        os.sync()
        runs.append(tool("media", "in-place", str(copy)))
    for key, what, bound in (("", "redact in place, 2 GB, boxes and tags (s)", "at most 0.1"),
                             ("pass_", "  and a pass over the pictures (s)", "")):
        times = [run[key + "ms"] / 1e3 for run in runs]
        processor = statistics.median(run[key + "cpu_ms"] / 1e3 for run in runs)
        line(what, f"{statistics.median(times):.3f}",
             rest=f"({min(times):.3f}-{max(times):.3f})  {processor:.3f} of a processor  {bound}")


def photos(folder, noise, sphere, line):
    if not shutil.which("exiftool"):
        line(f"redact, {PHOTOS} photos (s)", "-", rest="not measured: there is no exiftool")
        return
    source = folder / "photos"
    make_photos(source, noise)
    size = (source / "0.jpg").stat().st_size / 1e6
    names = folder / "names"
    # The second one leaves out what a player needs, and works in place.
    mine, theirs, shortest = [], [], []
    for index in range(ROUNDS):
        ours, other, copy = (folder / f"{name}-{index}" for name in ("ours", "theirs", "copy"))
        os.sync()
        mine.append(timed(sphere, "redact", "--quiet", source, ours))
        names.write_text("".join(f"{path}\n" for path in sorted(source.iterdir())))
        os.sync()
        theirs.append(timed("exiftool", "-q", "-all=", "-tagsfromfile", "@", "-XMP-GPano:all",
                            "-Orientation", "-ICC_Profile", "-o", f"{other}/%f.%e", "-@", names))
        if any(len(list(each.iterdir())) != PHOTOS for each in (ours, other)):
            sys.exit("bench: photos are missing")
        shutil.rmtree(ours)
        shutil.rmtree(other)
        shutil.copytree(source, copy)
        names.write_text("".join(f"{path}\n" for path in sorted(copy.iterdir())))
        os.sync()
        shortest.append(timed("exiftool", "-q", "-all=", "-overwrite_original", "-@", names))
        shutil.rmtree(copy)
    memory = peak_mb(sphere, "redact", "--quiet", source, folder / "ours")
    shutil.rmtree(folder / "ours")
    shutil.rmtree(source)
    for peers, peer, bound in ((theirs, "exiftool", "at least 5x: 0.2 times as long"),
                               (shortest, "exiftool -all=", "")):
        ratios(line, f"redact, {PHOTOS} photos of 24 Mpx, {size:.0f} MB (s)",
               [each[0] for each in mine], [each[0] for each in peers], peer, bound)
        ratios(line, "  the same, processor time (s)", [each[1] for each in mine],
               [each[1] for each in peers], peer, "")
    line("redact, photos, memory (MB)", f"{memory:.1f}", rest="at most 32")


def large_pictures(folder, sphere, line):
    """Pictures of 72 Mpx, of which no part is held that grows with them."""
    for end, options in (("jpg", ("-q:v", "1")), ("png", ()), ("tif", ("-compression_algo", "raw"))):
        source, out = folder / f"large.{end}", folder / f"out.{end}"
        ffmpeg("-f", "lavfi", "-i", "testsrc2=s=12000x6000,noise=alls=30", "-frames:v", "1", *options, source)
        size = source.stat().st_size / 1e6
        line(f"redact, {end.upper()} of {size:.0f} MB, memory (MB)",
             f"{peak_mb(sphere, 'redact', '--quiet', source, out):.1f}", rest="at most 32")
        source.unlink()
        out.unlink()


def measure(sphere, tool, line):
    """`tool` runs a program of the benchmark, `line` prints a row. About 7 GB are needed."""
    with tempfile.TemporaryDirectory(prefix="sphere-bench-") as folder:
        film(pathlib.Path(folder), sphere, tool, line)
        large_pictures(pathlib.Path(folder), sphere, line)
        for noise in NOISES:
            photos(pathlib.Path(folder), noise, sphere, line)
