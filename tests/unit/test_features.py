"""Snippet features: sixteen frames to a vector, the same every time, kept on disk as long as nothing changed."""

import errno
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tiny_clip import DIM, SIZE, write_tiny_clip

from physad_ros.core.errors import BadData
from physad_ros.core.types import Clip, Phase, Timetable
from physad_ros.features.base import SNIPPET, Extractor, extractors
from physad_ros.features.cache import DIGEST, cache_folder, features_of, key
from physad_ros.features.clip import ClipVision
from physad_ros.features.i3d import I3D, I3DInception
from physad_ros.features.motion import Motion, MotionConfig, directions
from physad_ros.language.pictures import MEAN, SPREAD, prepared

torch.set_num_threads(1)


def test_the_registry_needs_no_learning_library():
    code = (
        "import sys\nfrom physad_ros.features.base import extractors\nfrom physad_ros.detectors.base import detectors\n"
        "assert {'i3d', 'i3d_inception', 'clip', 'motion'} <= set(extractors) and {'sultani', 's3r', 'mgfn', 'vadclip'} <= set(detectors)\n"
        "heavy = {'torch', 'transformers', 'sklearn'} & set(sys.modules)\nassert not heavy, heavy"
    )
    root = str(Path(__file__).parents[2])
    subprocess.run([sys.executable, "-c", code], check=True, env={**os.environ, "PYTHONPATH": root})


@pytest.mark.parametrize("name", sorted(extractors))
def test_every_extractor_keeps_to_its_word(name):
    extractor = extractors[name].using()
    assert extractor.name == name and extractor.source and extractor.height > 0
    if reason := extractor.unavailable():
        pytest.skip(f"{name}: {reason}")
    frames = np.random.default_rng(0).integers(0, 255, (2 * SNIPPET, extractor.height, 2 * extractor.height, 3), np.uint8)
    vectors = extractor.snippets(frames)
    assert vectors.shape == (2, extractor.dim) and vectors.dtype == np.float32 and np.isfinite(vectors).all()
    np.testing.assert_array_equal(vectors, extractors[name].using().snippets(frames))
    assert extractor.identity() == extractors[name].using().identity()


# -- motion -------------------------------------------------------------------------------------------------------------


def moving(step, frames=SNIPPET, size=(160, 90), value=200):
    """A textured square that goes ``step`` pixels a frame to the right."""
    square = np.random.default_rng(1).integers(value // 2, value, (20, 20, 3), np.uint8)
    made = np.zeros((frames, size[1], size[0], 3), np.uint8)
    for i, frame in enumerate(made):
        x = 40 + round(i * step)
        frame[35:55, x : x + 20] = square
    return made


def planes(frames, config=None):
    """Changes, edges, flow and colour of one snippet, each (planes, down, across)."""
    config = config or MotionConfig()
    vector = Motion(config).snippets(frames)[0].reshape(-1, config.grid[1], config.grid[0])
    return np.split(vector, np.cumsum([len(config.lags), config.bins, config.bins]))


def test_what_is_still_neither_changes_nor_flows():
    changes, edges, flow, colour = planes(moving(0))
    assert not changes.any() and np.abs(flow).max() < 1e-3
    assert edges.max() > 0 and colour.max() > 0


def test_flow_has_the_direction_and_the_speed_of_what_moves():
    right, faster = planes(moving(0.75))[2], planes(moving(1.5))[2]
    left = planes(moving(0.75)[::-1])[2]
    assert right.sum((1, 2)).argmax() == 0 and left.sum((1, 2)).argmax() == MotionConfig().bins // 2
    assert faster.sum() > 1.5 * right.sum()
    cell = np.unravel_index(right.sum(0).argmax(), right.shape[1:])
    assert cell in {(2, 2), (2, 3)}  # of 5 by 8, where the square is


def test_colours_are_where_they_are():
    frames = np.zeros((SNIPPET, 90, 160, 3), np.uint8)
    frames[:, :18, :20, 2] = 255
    colour = planes(frames)[3]
    assert colour[2, 0, 0] == pytest.approx(1.0) and colour.sum() == pytest.approx(1.0)


def test_frames_that_fill_no_snippet_are_left_out():
    motion = Motion()
    short, long = moving(1, 2 * SNIPPET), moving(1, 3 * SNIPPET - 1)
    assert motion.snippets(short).shape == (2, motion.dim)
    np.testing.assert_array_equal(motion.snippets(short), motion.snippets(long))
    with pytest.raises(BadData, match="fewer than one snippet"):
        motion.snippets(short[: SNIPPET - 1])


@given(st.floats(-9, 9), st.floats(-9, 9), st.integers(2, 12), st.sampled_from([np.pi, 2 * np.pi]))
def test_a_vector_is_shared_between_two_bins_and_nothing_is_lost(x, y, bins, period):
    made = directions(np.full((1, 1), x, np.float32), np.full((1, 1), y, np.float32), bins, period)[:, 0, 0]
    assert made.sum() == pytest.approx(np.hypot(x, y), abs=1e-4, rel=1e-4)
    assert (made >= 0).all() and (made > 1e-5).sum() <= 2


# -- I3D --------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "count", "last"), [(I3D, 28_043_472, 2048 * 400 + 400), (I3DInception, 12_697_264, 1024 * 400 + 400)])
def test_inflated_networks_are_as_large_as_the_public_ones(kind, count, last):
    """Parameters of I3Res50 (GowthamGottimukkala/I3D_Feature_Extraction_resnet) and InceptionI3d (piergiaj/pytorch-i3d) with 400 classes.

    Ours leave out the layer that tells the classes apart. With the same random weights both gave the same features as the public code
    (largest difference 0 and 9e-8).
    """
    assert kind("").parameters() == count - last


@pytest.mark.parametrize("kind", [I3D, I3DInception])
def test_inflated_networks_make_vectors_of_their_width(kind):
    network = kind("").build().eval()
    with torch.inference_mode():
        assert network(torch.zeros(2, 3, SNIPPET, 32, 32)).shape == (2, kind.dim)


@pytest.fixture(scope="module")
def inception(tmp_path_factory):
    """A checkpoint in the public layout, classifier and all."""
    torch.manual_seed(0)
    state = I3DInception("").build().state_dict()
    state |= {"logits.conv3d.weight": torch.zeros(400, 1024, 1, 1, 1), "logits.conv3d.bias": torch.zeros(400)}
    file = tmp_path_factory.mktemp("inception") / "rgb_imagenet.pt"
    torch.save(state, file)
    return file


def test_a_public_checkpoint_is_read_and_its_frames_are_cut_from_the_middle(inception):
    extractor = I3DInception(str(inception))
    assert not extractor.unavailable()
    frame = np.zeros((256, 340, 3), np.uint8)
    frame[16:240, 58:282] = 255
    assert extractor.picture(frame).shape == (224, 224, 3) and (extractor.picture(frame) == 255).all()
    pictures = np.random.default_rng(0).integers(0, 255, (SNIPPET, 32, 32, 3), np.uint8)
    vector = extractor.describe(pictures)
    assert vector.shape == (1024,) and vector.dtype == np.float32
    np.testing.assert_array_equal(vector, extractor.describe(pictures))


def test_a_checkpoint_that_is_none_or_another_is_refused(inception, tmp_path):
    (tmp_path / "broken.pt").write_bytes(b"no checkpoint")
    for extractor in (I3DInception(str(tmp_path / "broken.pt")), I3D(str(inception))):
        with pytest.raises(BadData, match="not a checkpoint of"):
            extractor.describe(np.zeros((SNIPPET, 32, 32, 3), np.uint8))


@pytest.mark.parametrize("name", ["i3d", "i3d_inception", "clip"])
def test_without_a_checkpoint_it_says_what_to_set(name, monkeypatch, tmp_path):
    monkeypatch.delenv(f"PHYSAD_{name.upper()}_CHECKPOINT", raising=False)
    extractor = extractors[name].using()
    assert f"PHYSAD_{name.upper()}_CHECKPOINT" in extractor.unavailable() and extractor.dim > 0 and extractor.parameters() > 1e7
    with pytest.raises(BadData, match=f"{name} has no checkpoint"):
        extractor.identity()
    with pytest.raises(BadData, match=f"{name} has no checkpoint"):
        extractor.snippets(np.zeros((SNIPPET, 90, 160, 3), np.uint8))
    monkeypatch.setenv(f"PHYSAD_{name.upper()}_CHECKPOINT", str(tmp_path / "nowhere"))
    assert "does not exist" in extractors[name].using().unavailable()


def test_another_checkpoint_is_another_identity(tmp_path):
    for name in "ab":
        (tmp_path / name).write_text(name)
    identities = {I3D(str(tmp_path / name)).identity() for name in "ab"}
    assert len(identities) == 2
    (tmp_path / "b").write_text("another")
    assert I3D(str(tmp_path / "b")).identity() not in identities


# -- CLIP ---------------------------------------------------------------------------------------------------------------------


def test_clip_sees_the_middle_frame_as_transformers_own_model_does(tmp_path):
    model = write_tiny_clip(tmp_path)
    frames = np.random.default_rng(0).integers(0, 255, (SNIPPET, SIZE, SIZE, 3), np.uint8)
    extractor = ClipVision(str(tmp_path))
    with torch.inference_mode():
        seen = model.vision_model(pixel_values=prepared(frames[SNIPPET // 2][None], SIZE)).pooler_output
        wanted = model.visual_projection(seen)[0].numpy()
    assert extractor.dim == DIM
    np.testing.assert_allclose(extractor.snippets(frames), wanted[None], rtol=1e-5, atol=1e-6)
    assert extractor.parameters() == sum(p.numel() for part in (model.vision_model, model.visual_projection) for p in part.parameters())


def test_clip_takes_the_middle_in_rgb_normalised():
    frame = np.zeros((40, 80, 3), np.uint8)
    frame[:, 20:60] = (255, 0, 51)
    made = prepared(frame[None], 20)[0].numpy()
    colours = made * np.array(SPREAD)[:, None, None] + np.array(MEAN)[:, None, None]
    np.testing.assert_allclose(colours, np.broadcast_to(np.array([0.2, 0, 1])[:, None, None], (3, 20, 20)), atol=1e-6)


# -- the cache ---------------------------------------------------------------------------------------------------------------


class Counting(Extractor):
    """Mean colour, and how often it was asked."""

    name, dim, height = "counting", 3, 8

    def __init__(self, version=1):
        self.version, self.calls = version, 0

    def identity(self):
        return f"counting {self.version}"

    def picture(self, frame):
        return frame

    def describe(self, pictures):
        self.calls += 1
        return pictures.mean((0, 1, 2), dtype=np.float32)


@pytest.fixture
def filed(tmp_path):
    """A clip that says it was read from a file."""
    file = tmp_path / "clip.mp4"
    file.write_bytes(b"video")
    frames = np.random.default_rng(0).integers(0, 255, (2 * SNIPPET, 8, 8, 3), np.uint8)
    table = Timetable("c", "clip", "clip_1", "press", (Phase("press", 0.0, 1.0),), 0.0, 1.0, len(frames))
    return Clip(table, frames, np.arange(len(frames)) / 60, source=file)


def test_what_was_made_once_is_read(filed, tmp_path):
    extractor = Counting()
    made = features_of(filed, extractor, tmp_path / "cache")
    again = features_of(filed, extractor, tmp_path / "cache")
    assert extractor.calls == 2 and made.shape == (2, 3)
    np.testing.assert_array_equal(made, again)


def test_what_changed_is_made_anew(filed):
    """Of any two of these none is given the other's features, though all but the last two are of the same file."""
    dot = filed.frames.copy()
    dot[17, 5, 6, 1] += 1
    reshaped = filed.frames.reshape(len(filed.frames), 4, 16, 3)  # the same bytes as pictures of another size
    others = [replace(filed, frames=f) for f in (filed.frames[:, ::2, ::2], reshaped, filed.frames[::-1], dot)]
    known = [key(clip, Counting()) for clip in (filed, *others)] + [key(filed, Counting(version=2))]
    assert len(set(known)) == len(known) == 6


def test_a_moved_video_is_known_by_its_content(filed, tmp_path):
    """Neither name nor age of the file counts, only what is in it; another clip under the old name gets its own features."""
    extractor, cache = Counting(), tmp_path / "cache"
    first = features_of(filed, extractor, cache)
    moved = replace(filed, source=filed.source.rename(tmp_path / "moved.mp4"))
    os.utime(moved.source, ns=(0, 0))
    np.testing.assert_array_equal(features_of(moved, extractor, cache), first)
    assert extractor.calls == 2
    swapped = features_of(replace(filed, frames=255 - filed.frames), extractor, cache)
    np.testing.assert_allclose(swapped, 255 - first, rtol=1e-5)


def test_every_extractor_says_its_version(tmp_path):
    """A raised version is another identity, so nothing of the one before is read."""
    (tmp_path / "weights").write_text("weights")
    for kind in (Motion, I3D, I3DInception, ClipVision):
        newer = type(kind.__name__, (kind,), {"version": kind.version + 1})
        given = str(tmp_path / "weights")
        assert kind.using(given).identity() != newer.using(given).identity()


def test_a_clip_in_memory_is_never_kept(filed, tmp_path):
    extractor = Counting()
    for _ in range(2):
        features_of(replace(filed, source=None), extractor, tmp_path / "cache")
    assert extractor.calls == 4 and not (tmp_path / "cache").exists()


def test_a_damaged_or_foreign_file_is_made_anew(filed, tmp_path):
    """Cut off, overwritten, with a single bit turned in its numbers, or whole but of another shape."""
    extractor = Counting()
    made = features_of(filed, extractor, tmp_path / "cache")
    (file,) = (tmp_path / "cache" / "counting").iterdir()
    whole = file.read_bytes()
    turned = bytearray(whole)
    turned[-DIGEST - 3] ^= 1
    for content in (b"", whole[:-5], whole[: len(whole) // 2], b"no array", b"PK\x03\x04 no zip", bytes(turned)):
        file.write_bytes(content)
        np.testing.assert_array_equal(features_of(filed, extractor, tmp_path / "cache"), made)
        assert file.read_bytes() == whole
    features_of(replace(filed, frames=filed.frames[:SNIPPET], stamps_s=filed.stamps_s[:SNIPPET]), extractor, tmp_path / "cache")
    (other,) = set(file.parent.iterdir()) - {file}
    other.replace(file)
    np.testing.assert_array_equal(features_of(filed, extractor, tmp_path / "cache"), made)
    assert np.load(file).shape == (2, 3)


def test_a_cache_that_cannot_be_written_to_stops_nothing(filed, tmp_path, caplog):
    (tmp_path / "cache").write_text("a file where a folder should be")
    assert features_of(filed, Counting(), tmp_path / "cache").shape == (2, 3)
    assert "not kept" in caplog.text


def test_a_full_disk_stops_nothing_and_leaves_nothing_behind(filed, tmp_path, caplog, monkeypatch):
    def full(handle):
        raise OSError(errno.ENOSPC, "no space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert features_of(filed, Counting(), tmp_path / "cache").shape == (2, 3)
    assert "no space left" in caplog.text and not list((tmp_path / "cache" / "counting").iterdir())


def test_a_cache_that_cannot_be_read_stops_nothing(filed, tmp_path):
    extractor = Counting()
    made = features_of(filed, extractor, tmp_path / "cache")
    (file,) = (tmp_path / "cache" / "counting").iterdir()
    file.unlink()
    file.mkdir()
    np.testing.assert_array_equal(features_of(filed, extractor, tmp_path / "cache"), made)


SHARING = """
import sys
from pathlib import Path
import numpy as np
from physad_ros.core.types import Clip, Timetable
from physad_ros.features.cache import features_of
from physad_ros.features.base import Extractor

class Mean(Extractor):
    name, dim, height = "mean", 3, 8
    identity = lambda self: "mean"
    picture = lambda self, frame: frame
    describe = lambda self, pictures: pictures.mean((0, 1, 2), dtype=np.float32)

cache = Path(sys.argv[1])
frames = np.random.default_rng(0).integers(0, 255, (160, 8, 8, 3), np.uint8)
clip = Clip(Timetable("c", "clip", "clip_1", "press", (), 0.0, 1.0, 160), frames, np.arange(160) / 60, source=Path("clip.mp4"))
wanted = Mean().snippets(frames)
for i in range(60):
    assert np.array_equal(features_of(clip, Mean(), cache), wanted)
    if i % 3 == 0:
        for file in cache.glob("mean/*.npy"):
            file.unlink(missing_ok=True)
"""


def test_several_processes_share_a_cache(tmp_path):
    """Each reads, writes and deletes the one file over and over; nobody ever sees half of it, and no draft is left."""
    command = [sys.executable, "-c", SHARING, str(tmp_path)]
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    workers = [subprocess.Popen(command, env=env, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    errors = [worker.communicate()[1] for worker in workers]
    assert [worker.returncode for worker in workers] == [0, 0], errors
    assert not any("not kept" in error for error in errors)
    assert len(list((tmp_path / "mean").iterdir())) == 1


def test_the_cache_is_the_users(filed, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "own"))
    features_of(filed, Counting())
    assert cache_folder() == tmp_path / "own" / "physad" / "features" and list(cache_folder().glob("counting/*.npy"))
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert cache_folder() == tmp_path / "home" / ".cache" / "physad" / "features"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")  # which the XDG specification says to ignore
    assert cache_folder() == tmp_path / "home" / ".cache" / "physad" / "features"
