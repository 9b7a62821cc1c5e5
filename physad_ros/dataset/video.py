"""Pictures and video: JPEG as the camera sends it, MP4 as the data set keeps it. Frames are (H, W, 3) uint8 BGR."""

from __future__ import annotations

import array
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import simplejpeg
from av.sidedata.sidedata import Type as SideData
from numpy.typing import NDArray

from physad_ros.core.errors import BadData, why
from physad_ros.core.types import Film
from physad_ros.dataset.files import draft_of, sync

Frame = NDArray[np.uint8]
Buffer = bytes | array.array  # of bytes, as rclpy hands them over

JPEG_QUALITY = 90  # the camera's
VIDEO_CRF = 14  # x264; visually lossless, a tenth of the JPEGs' size

_REDUCED = (8, 4, 2)  # by which the JPEG decoder itself can make a picture smaller
_PIXELS_MAX = 1 << 26  # a damaged header may state any size
_EXIF = b"Exif\0\0"
_UPRIGHT = 1 << 16  # one, in the fixed-point numbers of a display matrix
_SAME_RATE = 2e-3  # share by which a rate that was measured may differ from the stated one and be the same


def encode_jpeg(frame: Frame, quality: int = JPEG_QUALITY) -> bytes:
    """A frame as JPEG."""
    done, data = cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise BadData(f"a picture of shape {frame.shape} cannot be encoded")
    return data.tobytes()


def decode_jpeg(data: Buffer, height: int | None = None) -> Frame:
    """A JPEG at its own or a smaller height; the decoder itself reduces by 2, 4 or 8 where that suffices (up to 4x faster).

    What follows the picture's end does not matter: cameras hand over their buffers with whatever else is in them.

    Raises:
        BadData: not a JPEG, or one that is cut off or damaged, of which a decoder would make up the rest.
    """
    raw = np.frombuffer(data, np.uint8)
    turned = _EXIF in raw[:4096].tobytes()
    try:
        own, width, *_ = simplejpeg.decode_jpeg_header(raw)
        if own * width > _PIXELS_MAX:
            raise ValueError(f"{width}x{own} pixels are too many")
        factor = 1 if height is None or turned else max((f for f in _REDUCED if own >= f * height), default=1)
        frame = simplejpeg.decode_jpeg(raw, "BGR", min_height=-(-own // factor), min_width=1, strict=True)
    except ValueError as error:
        raise BadData(f"{len(raw)} bytes that are no whole JPEG: {error}") from error
    if turned:  # OpenCV turns it upright; it does not tell that a picture is damaged
        frame = cv2.imdecode(raw, cv2.IMREAD_COLOR)
    return scale(np.asarray(frame, np.uint8), height)


def scale(frame: Frame, height: int | None) -> Frame:
    """A frame at this height with its aspect kept; never enlarged."""
    if height is None or frame.shape[0] <= height:
        return frame
    width = round(frame.shape[1] * height / frame.shape[0])
    return np.asarray(cv2.resize(frame, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def iter_stamped(path: Path, height: int | None = None) -> Iterator[tuple[float, Frame]]:
    """Frames of a video, upright, in order of presentation, each with its time since the first [s].

    Raises:
        BadData: no such file, no video in it, one that is cut off or damaged, whose stamps go back, or whose frames change their size.
    """
    first, latest, end = 0.0, -np.inf, 0.0
    size: tuple[int, int] | None = None
    rate = frame_rate(path)
    with _video(path) as (container, stream):
        stream.thread_type = "AUTO"
        for index, frame in enumerate(_decoded(path, container, stream)):
            told = _stamp_s(container, frame)
            stamp = told if told is not None else latest + 1 / rate if index else 0.0
            first = stamp if not index else first
            if stamp <= latest:
                raise BadData(f"{path}: the stamps of its frames go back at {latest - first:.3g} s")
            size = size or (frame.width, frame.height)
            if size != (frame.width, frame.height):
                raise BadData(f"{path}: its frames change from {size[0]}x{size[1]} to {frame.width}x{frame.height} at {stamp - first:.3g} s")
            latest, end = stamp, stamp + (float(frame.duration * frame.time_base) if frame.duration and frame.time_base else 1 / rate)
            yield stamp - first, scale(_upright(path, frame), height)
        stated = _stated_length_s(container, stream)
    if stated - (end - first) > 1.5 / rate:
        raise BadData(f"{path}: cut off; it states {stated:.3g} s and holds {end - first:.3g} s")


def iter_video(path: Path, height: int | None = None) -> Iterator[Frame]:
    """Frames of a video in order of presentation; BadData as ``iter_stamped``."""
    return (frame for _, frame in iter_stamped(path, height))


def read_film(path: Path, height: int | None = None) -> Film:
    """A whole video; BadData as ``iter_stamped``, or where there is no frame in it."""
    pairs = list(iter_stamped(path, height))
    if not pairs:
        raise BadData(f"{path}: no frame in it")
    return Film(np.stack([frame for _, frame in pairs]), np.array([stamp for stamp, _ in pairs]), frame_rate(path))


def probe(path: Path) -> None:
    """Raise BadData where no picture of a video can be shown."""
    if next(iter_video(path), None) is None:
        raise BadData(f"{path}: there is no picture in it")


def read_video(path: Path, height: int | None = None) -> tuple[NDArray[np.uint8], float]:
    """All frames (T, H, W, 3) and the frame rate [Hz]."""
    film = read_film(path, height)
    return film.frames, film.fps


def read_frames(path: Path, numbers: Sequence[int], height: int | None = None) -> list[Frame]:
    """The frames of these numbers, in their order; BadData where the video has not so many."""
    wanted = set(numbers)
    found: dict[int, Frame] = {}
    for number, (_, frame) in enumerate(iter_stamped(path, height)):
        if number in wanted:
            found[number] = frame
        if len(found) == len(wanted):
            return [found[n] for n in numbers]
    raise BadData(f"{path}: has no frame {', '.join(str(n) for n in sorted(wanted - set(found)))}")


def frame_rate(path: Path) -> float:
    """Frames a second, as most follow one another: where some were dropped, the mean that the container states is too low."""
    with _video(path) as (container, stream):
        stated = [float(rate) for rate in (stream.average_rate, stream.guessed_rate) if rate]
        shown = {p.pts for p in container.demux(stream) if p.pts is not None and not p.is_discard}
        steps_s = np.diff(sorted(shown)) * float(stream.time_base or 0)
    if not len(steps_s):
        if not stated:
            raise BadData(f"{path}: states no frame rate")
        return stated[0]
    # stamps may be rounded, to milliseconds for one, so that the mean over all steps tells more than any one
    measured = float(np.maximum(np.rint(steps_s / np.median(steps_s)), 1).sum() / steps_s.sum())
    nearest = min(stated, key=lambda rate: abs(rate - measured), default=measured)
    return nearest if abs(nearest / measured - 1) < _SAME_RATE else measured


@contextmanager
def _video(path: Path) -> Iterator[tuple[Any, Any]]:
    """A file's container and first video stream; BadData for whatever goes wrong with them."""
    try:
        with av.open(_address(path)) as container:
            if not container.streams.video:
                raise BadData(f"{path}: no video in it")
            yield container, container.streams.video[0]
    except (av.FFmpegError, OSError) as error:
        raise BadData(f"{path}: {why(error)}") from error


def _address(path: Path) -> str:
    """A path as FFmpeg takes it: without the protocol, a name such as 10:20:30.mp4 would be read as one."""
    return f"file:{path}"


def _decoded(path: Path, container: Any, stream: Any) -> Iterator[Any]:
    """Frames as they are shown; BadData where the demuxer or the decoder would make up what is missing."""
    for packet in container.demux(stream):
        if packet.is_corrupt:
            raise BadData(f"{path}: cut off or damaged at {float(packet.pts * packet.time_base) if packet.pts is not None else 0.0:.3g} s")
        for frame in packet.decode():
            if frame.is_corrupt:
                raise BadData(f"{path}: damaged at {frame.time or 0.0:.3g} s")
            yield frame


def _stamp_s(container: Any, frame: Any) -> float | None:
    """When a frame is shown [s], from an unknown begin on; None where the file does not tell."""
    # AVI numbers pictures in the order in which they are decoded, so that only that order runs forwards where some refer to later ones
    at = frame.dts if container.format.name == "avi" else frame.pts
    return None if at is None else float(at * frame.time_base)


def _upright(path: Path, frame: Any) -> Frame:
    """A decoded frame as (H, W, 3), turned and mirrored as its display matrix says."""
    picture: Frame = frame.to_ndarray(format="bgr24")
    said = frame.side_data.get(SideData.DISPLAYMATRIX)
    if said is None:
        return picture
    a, b, _, c, d = (int(v) // _UPRIGHT for v in np.frombuffer(bytes(said), "<i4")[:5])  # x' = a x + c y, y' = b x + d y
    if sorted((abs(a * d), abs(b * c))) != [0, 1]:
        raise BadData(f"{path}: its frames are to be turned by {abs(frame.rotation)} degrees; only quarter turns are known")
    right, down = (a, d) if a else (c, b)
    return np.ascontiguousarray((picture if a else picture.transpose(1, 0, 2))[::down, ::right])


def _stated_length_s(container: Any, stream: Any) -> float:
    """How long the video should be [s]; 0 where the file does not tell."""
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    alone = len(container.streams) == 1  # else it may be the length of the sound
    return float(container.duration) / av.time_base if container.duration and alone else 0.0


def write_video(path: Path, frames: Iterable[Frame], fps: float, crf: int = VIDEO_CRF) -> int:
    """MP4 (H.264, 4:2:0) that every player opens; sides are cut to even numbers. Returns how many frames.

    The file is there once it is whole and synced, or not at all.

    Raises:
        BadData: no frame, or one of another size than the first.
        OSError: the disk fails.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = draft_of(path)
    try:
        count = _encode(draft, frames, fps, crf)
        if not count:
            raise BadData(f"{path}: no frame to write")
        sync(draft)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    return count


def _encode(file: Path, frames: Iterable[Frame], fps: float, crf: int) -> int:
    count = 0
    with av.open(_address(file), "w", format="mp4", options={"movflags": "faststart"}) as container:
        stream = container.add_stream("libx264", rate=Fraction(fps).limit_denominator(1001))
        stream.pix_fmt, stream.options = "yuv420p", {"crf": str(crf), "preset": "veryfast"}
        for frame in frames:
            even = np.ascontiguousarray(frame[: frame.shape[0] // 2 * 2, : frame.shape[1] // 2 * 2])
            if not count:
                stream.height, stream.width = even.shape[:2]
            elif even.shape[:2] != (stream.height, stream.width):
                raise BadData(f"frame {count} is {even.shape[1]}x{even.shape[0]}, the first {stream.width}x{stream.height}")
            container.mux(stream.encode(av.VideoFrame.from_ndarray(even, format="bgr24")))
            count += 1
        if count:
            container.mux(stream.encode(None))
    return count
