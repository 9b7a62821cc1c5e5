"""Pictures and video: JPEG as the camera sends it, MP4 as the data set keeps it. Frames are (H, W, 3) uint8 BGR."""

from __future__ import annotations

import array
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from physad_ros.core.errors import BadData, why
from physad_ros.dataset.files import draft_of, sync

Frame = NDArray[np.uint8]
Buffer = bytes | array.array  # of bytes, as rclpy hands them over

JPEG_QUALITY = 90  # the camera's
VIDEO_CRF = 14  # x264; visually lossless, a tenth of the JPEGs' size

_END_OF_IMAGE = b"\xff\xd9"
_TAIL = 4096  # cameras may fill up their buffers with zeros

_REDUCED = {8: cv2.IMREAD_REDUCED_COLOR_8, 4: cv2.IMREAD_REDUCED_COLOR_4, 2: cv2.IMREAD_REDUCED_COLOR_2}


def encode_jpeg(frame: Frame, quality: int = JPEG_QUALITY) -> bytes:
    """A frame as JPEG."""
    done, data = cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise BadData(f"a picture of shape {frame.shape} cannot be encoded")
    return data.tobytes()


def decode_jpeg(data: Buffer, height: int | None = None) -> Frame:
    """A JPEG at its own or a smaller height; the decoder itself reduces by 2, 4 or 8 where that suffices (4x faster).

    Raises:
        BadData: not a JPEG, or one that is cut off, of which the decoder would make up the rest.
    """
    raw = np.frombuffer(data, np.uint8)
    if not raw[-_TAIL:].tobytes().rstrip(b"\0").endswith(_END_OF_IMAGE):
        raise BadData(f"{len(raw)} bytes that are not a JPEG, or a part of one")
    factor = 1
    if height is not None:
        factor = max((f for f in _REDUCED if jpeg_height(data) >= f * height), default=1)
    frame = cv2.imdecode(raw, _REDUCED.get(factor, cv2.IMREAD_COLOR)) if len(raw) else None
    if frame is None:
        raise BadData(f"{len(raw)} bytes that are not a JPEG")
    return scale(np.asarray(frame, np.uint8), height)


def jpeg_height(data: Buffer) -> int:
    """Height in the frame header of a JPEG."""
    at = 2
    while at + 9 < len(data) and data[at] == 0xFF:
        marker, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            return int.from_bytes(data[at + 5 : at + 7], "big")
        at += 2 + length
    raise BadData(f"{len(data)} bytes that are not a JPEG")


def scale(frame: Frame, height: int | None) -> Frame:
    """A frame at this height with its aspect kept; never enlarged."""
    if height is None or frame.shape[0] <= height:
        return frame
    width = round(frame.shape[1] * height / frame.shape[0])
    return np.asarray(cv2.resize(frame, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def iter_video(path: Path, height: int | None = None) -> Iterator[Frame]:
    """Frames of a video in order of presentation.

    Raises:
        BadData: no such file, or no video in it.
    """
    for frame in _decoded(path):
        yield _bgr(frame, height)


def _decoded(path: Path) -> Iterator[av.VideoFrame]:
    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                raise BadData(f"{path}: no video in it")
            container.streams.video[0].thread_type = "AUTO"
            yield from container.decode(video=0)
    except (av.FFmpegError, OSError) as error:
        raise BadData(f"{path}: {why(error)}") from error


def probe(path: Path) -> None:
    """Raise BadData where no picture of a video can be shown."""
    if next(iter_video(path), None) is None:
        raise BadData(f"{path}: there is no picture in it")


def _bgr(frame: av.VideoFrame, height: int | None) -> Frame:
    return scale(np.asarray(frame.to_ndarray(format="bgr24"), np.uint8), height)


def read_video(path: Path, height: int | None = None) -> tuple[NDArray[np.uint8], float]:
    """All frames (T, H, W, 3) and the frame rate [Hz]."""
    frames = list(iter_video(path, height))
    if not frames:
        raise BadData(f"{path}: no frame in it")
    return np.stack(frames), frame_rate(path)


def read_frames(path: Path, numbers: Sequence[int], height: int | None = None) -> list[Frame]:
    """The frames of these numbers, in their order; BadData where the video has not so many."""
    wanted = set(numbers)
    found: dict[int, Frame] = {}
    for number, frame in enumerate(_decoded(path)):
        if number in wanted:
            found[number] = _bgr(frame, height)
        if len(found) == len(wanted):
            return [found[n] for n in numbers]
    raise BadData(f"{path}: has no frame {', '.join(str(n) for n in sorted(wanted - set(found)))}")


def frame_rate(path: Path) -> float:
    """Frames a second, as the container states them."""
    try:
        with av.open(str(path)) as container:
            rate = container.streams.video[0].average_rate
    except (av.FFmpegError, OSError, IndexError) as error:
        raise BadData(f"{path}: {why(error)}") from error
    if not rate:
        raise BadData(f"{path}: states no frame rate")
    return float(rate)


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
    with av.open(str(file), "w", format="mp4", options={"movflags": "faststart"}) as container:
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
