"""Pictures and videos as they come from elsewhere: named, stamped, turned, cut off and damaged in ways that ours are not."""

import struct
from fractions import Fraction

import av
import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from physad_ros.core.errors import BadData
from physad_ros.dataset.sources import Footage
from physad_ros.dataset.tree import ClipRef, load_clip
from physad_ros.dataset.video import (
    decode_jpeg,
    encode_jpeg,
    frame_rate,
    iter_video,
    read_film,
    read_video,
    write_video,
)

FPS = 60.0


def pictures(count=60):
    """Textured frames, each other than the last, bright in the upper left corner alone."""
    rng = np.random.default_rng(3)
    texture = cv2.resize(rng.integers(0, 90, (12, 16, 3), np.uint8), (96, 72), interpolation=cv2.INTER_CUBIC)
    frames = [np.roll(texture, k, axis=1) for k in range(count)]
    for frame in frames:
        frame[:16, :16] = 255
    return frames


def stamped(path, stamps, time_base=Fraction(1, 600), container=None):
    """A video of which frame k is shown at ``stamps[k]`` [s]."""
    with av.open(f"file:{path}", "w", format=container) as out:
        stream = out.add_stream("libx264", rate=60)
        stream.width, stream.height, stream.pix_fmt, stream.time_base = 96, 72, "yuv420p", time_base
        stream.codec_context.time_base = time_base
        for frame, stamp in zip(pictures(len(stamps)), stamps):
            shown = av.VideoFrame.from_ndarray(frame, format="bgr24")
            shown.pts, shown.time_base = round(stamp / time_base), time_base
            out.mux(stream.encode(shown))
        out.mux(stream.encode(None))
    return path


# -- JPEG -----------------------------------------------------------------------------------------------------------------


PICTURE = np.random.default_rng(0).integers(0, 255, (45, 80, 3), np.uint8).repeat(8, 0).repeat(8, 1)
JPEG = encode_jpeg(PICTURE)


@pytest.mark.parametrize("tail", [b"\0" * 5000, b"\r\n", b"\xff", b"\xff\xff\xff", JPEG[700:1900], JPEG])
@pytest.mark.parametrize("height", [None, 180])
def test_what_follows_a_picture_does_not_matter(tail, height):
    assert np.array_equal(decode_jpeg(JPEG + tail, height), decode_jpeg(JPEG, height))


@given(st.floats(0, 0.999))
def test_a_picture_that_is_cut_off_is_refused_whatever_follows(share):
    part = JPEG[: int(share * len(JPEG))]
    for tail in (b"", b"\0" * 9000, b"\xff\xd9"):
        with pytest.raises(BadData):
            decode_jpeg(part + tail)


@pytest.mark.parametrize("height", [None, 180])
@pytest.mark.parametrize("share", [0.2, 0.5, 0.8])
@pytest.mark.parametrize("lost", [200, 1024, 4000])
def test_a_picture_of_which_the_middle_is_lost_is_refused(height, share, lost):
    at = int(share * (len(JPEG) - 4000))
    with pytest.raises(BadData, match="no whole JPEG"):
        decode_jpeg(JPEG[:at] + JPEG[at + lost :], height)


def test_a_header_that_states_a_monstrous_size_is_refused_before_there_is_room_for_it():
    at = JPEG.index(b"\xff\xc0")
    with pytest.raises(BadData, match="too many"):
        decode_jpeg(JPEG[: at + 5] + struct.pack(">HH", 65000, 65000) + JPEG[at + 9 :])


@pytest.mark.parametrize("height", [None, 360, 180, 100, 45, 17])
def test_a_sound_picture_is_what_opencv_makes_of_it(height):
    ours = decode_jpeg(JPEG, height)
    whole = cv2.imdecode(np.frombuffer(JPEG, np.uint8), cv2.IMREAD_COLOR)
    assert ours.shape == ((height or 360), round((height or 360) * 640 / 360), 3)
    if height in (None, 360):
        assert np.array_equal(ours, whole)
    assert abs(ours.mean() - whole.mean()) < 2


def test_a_picture_is_turned_as_its_exif_says():
    tiff = b"MM\0*\0\0\0\x08\0\x01" + struct.pack(">HHIHH", 0x0112, 3, 1, 3, 0) + b"\0\0\0\0"  # orientation 3: half a turn
    exif = b"Exif\0\0" + tiff
    turned = JPEG[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + JPEG[2:]
    assert np.array_equal(decode_jpeg(turned), decode_jpeg(JPEG)[::-1, ::-1])
    with pytest.raises(BadData):
        decode_jpeg(turned[:-3000])


# -- video ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["2026-11-29T10:20:30.mp4", "a%03d.mp4", "two words?.mp4", "http:x.mp4"])
@pytest.mark.parametrize("relative", [True, False])
def test_a_file_may_have_any_name(tmp_path, monkeypatch, name, relative):
    monkeypatch.chdir(tmp_path)
    path = type(tmp_path)(name) if relative else tmp_path / name
    assert write_video(path, pictures(20), FPS) == 20
    assert len(read_video(path)[0]) == len(Footage(path, 90).frames) == len(load_clip(ClipRef(path, "clip", "test", "x")).frames) == 20


@pytest.mark.parametrize("share", [0.3, 0.6, 0.95])
def test_a_video_that_is_cut_off_is_refused_by_every_reader(tmp_path, share):
    write_video(tmp_path / "v.mp4", pictures(), FPS)
    data = (tmp_path / "v.mp4").read_bytes()
    (tmp_path / "v.mp4").write_bytes(data[: int(share * len(data))])
    for read in (lambda p: list(iter_video(p)), read_video, lambda p: Footage(p, 90), lambda p: load_clip(ClipRef(p, "clip", "test", "x"))):
        with pytest.raises(BadData, match=r"v\.mp4"):
            read(tmp_path / "v.mp4")


@pytest.mark.parametrize("container", ["mp4", "matroska", "avi"])
def test_a_video_that_ends_between_two_frames_is_refused_by_the_length_it_states(tmp_path, container):
    """At such a place nothing in the stream itself looks wrong."""
    path = tmp_path / "v"
    with av.open(str(path), "w", format=container, options={"movflags": "faststart"} if container == "mp4" else {}) as out:
        stream = out.add_stream("mjpeg", rate=60)  # every frame by itself
        stream.width, stream.height, stream.pix_fmt = 96, 72, "yuvj420p"
        for frame in pictures(40):
            out.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="bgr24")))
        out.mux(stream.encode(None))
    assert len(read_film(path).frames) == 40
    data = path.read_bytes()
    frames = [at for at in range(len(data) - 2) if data[at : at + 3] == b"\xff\xd8\xff"]
    assert len(frames) == 40
    path.write_bytes(data[: frames[25]])
    with pytest.raises(BadData, match=r"cut off|damaged|Invalid"):
        read_film(path)


def test_a_video_with_a_hole_is_refused(tmp_path):
    write_video(tmp_path / "v.mp4", pictures(), FPS)
    data = bytearray((tmp_path / "v.mp4").read_bytes())
    at = data.index(b"mdat") + (len(data) - data.index(b"mdat")) // 2
    data[at : at + 900] = bytes(900)
    (tmp_path / "v.mp4").write_bytes(data)
    with pytest.raises(BadData, match=r"v\.mp4"):
        read_video(tmp_path / "v.mp4")


def test_frames_that_were_dropped_leave_a_gap_and_do_not_slow_the_rate(tmp_path):
    kept = [k / 60 for k in range(72) if not 30 <= k < 42]
    stamped(tmp_path / "v.mp4", kept)
    film = read_film(tmp_path / "v.mp4")
    assert (film.fps, film.dropped) == (FPS, 12)
    assert np.allclose(film.stamps_s, kept, atol=1e-6)
    played = Footage(tmp_path / "v.mp4", 90)
    assert np.allclose(played.stamps_s, kept, atol=1e-6) and played.length_s == pytest.approx(1.2) and played.fps == FPS
    clip = load_clip(ClipRef(tmp_path / "v.mp4", "clip", "test", "x"))
    assert np.allclose(clip.stamps_s, kept, atol=1e-6)
    assert clip.timetable.frames == 72 and clip.timetable.window_end_s == pytest.approx(1.2)


@pytest.mark.parametrize("fps", [24.0, 30000 / 1001, 60.0])
@pytest.mark.parametrize("container, time_base", [("mp4", Fraction(1, 90000)), ("matroska", Fraction(1, 1000))])
def test_the_rate_is_found_whatever_the_container_rounds_stamps_to(tmp_path, fps, container, time_base):
    stamped(tmp_path / "v", [k / fps for k in range(50)], time_base, container)
    assert frame_rate(tmp_path / "v") == pytest.approx(fps, rel=2e-3)
    assert read_film(tmp_path / "v").dropped == 0


def test_pictures_that_refer_to_later_ones_come_in_order_from_a_container_that_tells_only_when_they_are_decoded(tmp_path):
    with av.open(str(tmp_path / "v.avi"), "w") as out:
        stream = out.add_stream("libx264", rate=30)
        stream.width, stream.height, stream.pix_fmt, stream.options = 96, 72, "yuv420p", {"bf": "3", "b-adapt": "0", "b-pyramid": "normal"}
        for k in range(60):  # ever brighter
            out.mux(stream.encode(av.VideoFrame.from_ndarray(np.full((72, 96, 3), 4 * k, np.uint8), format="bgr24")))
        out.mux(stream.encode(None))
    film = read_film(tmp_path / "v.avi")
    assert (np.diff(film.frames.mean(axis=(1, 2, 3))) > 0).all()
    assert np.allclose(film.stamps_s, np.arange(60) / 30) and (film.fps, film.dropped) == (30.0, 0)


def test_a_video_whose_frames_change_their_size_is_refused(tmp_path):
    with av.open(str(tmp_path / "v.avi"), "w") as out:
        stream = out.add_stream("mjpeg", rate=30)
        stream.width, stream.height, stream.pix_fmt = 96, 72, "yuvj420p"
        for k, frame in enumerate(pictures(20)):
            packet = av.Packet(encode_jpeg(frame if k < 12 else frame[:36, :48]))
            packet.stream, packet.pts, packet.dts, packet.time_base = stream, k, k, Fraction(1, 30)
            out.mux(packet)
    for read in (read_film, lambda p: Footage(p, 90)):
        with pytest.raises(BadData, match=r"v\.avi: its frames change from 96x72 to 48x36 at 0\.4 s"):
            read(tmp_path / "v.avi")


IDENTITY = struct.pack(">9i", 1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30)
TURNS = {
    "half a turn": ((-1, 0, 0, -1), lambda f: f[::-1, ::-1]),
    "a quarter, clockwise": ((0, 1, -1, 0), lambda f: np.rot90(f, -1)),
    "a quarter, counter-clockwise": ((0, -1, 1, 0), lambda f: np.rot90(f, 1)),
    "mirrored": ((-1, 0, 0, 1), lambda f: f[:, ::-1]),
}


def tag(path, a, b, c, d):
    """Write a display matrix into the one track of an MP4."""
    data = path.read_bytes()
    at = data.index(IDENTITY, data.index(b"tkhd"))
    matrix = struct.pack(">9i", a << 16, b << 16, 0, c << 16, d << 16, 0, 0, 0, 1 << 30)
    path.write_bytes(data[:at] + matrix + data[at + len(matrix) :])


@pytest.mark.parametrize("turn", TURNS)
def test_every_reader_turns_a_picture_as_the_video_says(tmp_path, turn):
    matrix, turned = TURNS[turn]
    path = tmp_path / "v.mp4"
    write_video(path, pictures(8), FPS)
    plain, _ = read_video(path)
    tag(path, *matrix)
    expected = np.stack([turned(f) for f in plain])
    assert np.array_equal(read_video(path)[0], expected)
    assert np.array_equal(load_clip(ClipRef(path, "clip", "test", "x")).frames, expected)
    played = Footage(path, 95)
    assert (played.height, played.width) == expected.shape[1:3]
    assert np.abs(decode_jpeg(played.frames[0]).astype(int) - expected[0]).mean() < 3
    if turn != "mirrored":  # which OpenCV does not know
        assert np.abs(cv2.VideoCapture(str(path)).read()[1].astype(int) - expected[0]).mean() < 3


def test_a_video_that_is_to_be_turned_askew_is_refused(tmp_path):
    write_video(tmp_path / "v.mp4", pictures(8), FPS)
    tag(tmp_path / "v.mp4", 1, 1, -1, 1)
    with pytest.raises(BadData, match="quarter turns"):
        read_video(tmp_path / "v.mp4")
