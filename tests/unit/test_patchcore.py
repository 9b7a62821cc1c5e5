"""The memory of patches: what its descriptors see, what its coreset keeps, what it compares with what, and what it finds."""

import math

import numpy as np
import pytest

from physad_ros.core.errors import BadData
from physad_ros.core.types import FPS, Clip, Phase, Timetable
from physad_ros.detectors.patchcore import PatchCore, PatchCoreConfig
from physad_ros.detectors.patchcore.descriptors import Describing, Descriptor, Grid
from physad_ros.detectors.patchcore.memory import Memory, Reach, coreset, locally_aware

FRAMES = 48
TINY = PatchCoreConfig(rows=5, columns=8, cell=8, coreset=0.5)


def clip(seed, *, late=0, flaw=False):
    """A bright block that slides to the right; ``late`` frames later than it should, or with a fleck above it."""
    rng = np.random.default_rng(seed)
    frames = rng.integers(0, 6, (FRAMES, 40, 64, 3), np.uint8)
    at = int(rng.integers(0, 2))
    for i, frame in enumerate(frames):
        x = at + int(np.clip((i - 12 - late) * 1.2, 0, 28))
        frame[18:30, x : x + 14] = 200
        if flaw and i > 24:
            frame[4:10, 40:46] = 90 + 60 * (i % 2)
    table = Timetable(f"c{seed}", "clip", "clip_1", "press", (Phase("press", 0.0, FRAMES / 60),), 0.0, FRAMES / 60, FRAMES)
    return Clip(table, frames, np.arange(FRAMES) / 60)


@pytest.fixture(scope="module")
def fitted():
    detector = PatchCore(TINY)
    detector.fit([clip(i) for i in range(10)])
    return detector


def described(frames, descriptor):
    """Frames (T, H, W, 3) of which none was lost, as (T, rows, columns, channels)."""
    describing = Describing(descriptor)
    return np.stack([describing.push(frame, at / FPS) for at, frame in enumerate(frames)])


def test_a_still_picture_has_no_motion_and_a_moving_one_has_it_where_it_moves():
    descriptor = Descriptor(Grid(4, 4, 8), lags=(1, 4))
    frames = np.zeros((12, 32, 32, 3), np.uint8)
    frames[:, 16:, :16] = 180
    assert not described(frames, descriptor)[..., : descriptor.motion].any()
    for i in range(12):
        frames[i, 0:8, i : i + 8] = 180
    cells = described(frames, descriptor)  # (T, R, C, channels)
    assert cells.shape == (12, 4, 4, descriptor.motion + 3)
    assert (cells[1:, 0, :2, 0] > 0).any(1).all() and not cells[:, 3, :, : descriptor.motion].any()


def test_gradients_say_which_way_an_edge_runs_whichever_side_is_bright():
    descriptor = Descriptor(Grid(1, 1, 16))
    upright, lying = (np.zeros((1, 16, 16, 3), np.uint8) for _ in range(2))
    upright[:, :, 8:], lying[:, 8:] = 200, 200
    cosine = [described(f, descriptor)[0, 0, 0, descriptor.motion + 1] for f in (upright, 200 - upright, lying)]
    assert cosine[0] == pytest.approx(cosine[1]) and cosine[0] > 0 > cosine[2]


def test_a_patch_knows_its_neighbourhood_only():
    patches = np.zeros((5, 5, 2), np.float32)
    patches[2, 2, 0] = 9.0
    aware = locally_aware(patches, 3)
    assert np.allclose(aware[1:4, 1:4, 0], 1.0) and aware[..., 0].sum() == pytest.approx(9.0) and not aware[..., 1].any()


def test_a_coreset_covers_as_the_greedy_choice_does():
    line = np.array([0.0, 0.1, 1.0, 10.0, 10.1])[None, :, None]
    taken = coreset(line, 3, seed=0)[0]
    kept = line[0, taken, 0]
    assert len(set(taken)) == 3 and {round(k) for k in kept} == {0, 1, 10}


def test_nothing_new_is_far_and_a_farther_patch_is_farther():
    clips = np.random.default_rng(0).normal(size=(6, 3, 4, 4, 2)).astype(np.float32)
    memory = Memory.of(clips, 1.0, Reach(1, 1), seed=0)
    assert np.allclose(memory.distances(clips[2, 1], 1), 0, atol=1e-3)
    near, far = (memory.distances(clips[2, 1] + shift, 1) for shift in (10, 20))
    assert (near > 1).all() and (far > near).all()


def test_a_patch_is_compared_with_its_place_and_time_only():
    """A value that is normal at one place and time is far elsewhere: within reach it is found, beyond it is not."""
    clips = np.random.default_rng(0).normal(0, 0.01, (4, 7, 7, 7, 1)).astype(np.float32)
    clips[:, 3, 3, 3] += 5
    memory = Memory.of(clips, 1.0, Reach(cells=1, slots=1, lateness=0.0), seed=0)
    probe = np.full((7, 7, 1), 5, np.float32)
    for slot in range(7):
        found = memory.distances(probe, slot) < 0.1 * memory.distances(probe, 0).min()
        assert found.any() == (abs(slot - 3) <= 1)
        if found.any():
            assert found[2:5, 2:5].all() and found.sum() == 9


def test_where_normals_differ_a_distance_counts_less():
    rng = np.random.default_rng(0)
    clips = rng.normal(0, 0.1, (8, 3, 2, 9, 1)).astype(np.float32)
    clips[:, :, :, 5:] *= 30
    memory = Memory.of(clips, 1.0, Reach(cells=0, slots=0), seed=0)
    assert memory.usual[:, :, 5:].min() > memory.usual[:, :, :4].max()


def test_the_weight_is_equation_seven():
    """Two patches at 0 and 1; seen from 3 the nearest is 1 with d = 2, the other has d = 3: w = 1 - e² / (e² + e³)."""
    kept = np.array([0.0, 1.0], np.float32).reshape(1, 1, 1, 2, 1)
    memory = Memory(np.zeros(1, np.float32), np.ones(1, np.float32), kept, np.ones((1, 1, 1), np.float32))
    weight = memory.weight(np.array([3.0], np.float32), (0, 0), 0, neighbours=2)
    assert weight == pytest.approx(1 - math.exp(2) / (math.exp(2) + math.exp(3)), rel=1e-5)


@pytest.mark.parametrize("planted", [{"late": 10}, {"flaw": True}], ids=str)
def test_it_finds_what_comes_late_and_what_should_not_be_there(fitted, planted):
    normal = [fitted.score(clip(i)).value for i in range(100, 108)]
    assert min(fitted.score(clip(i, **planted)).value for i in range(200, 204)) > 1.5 * max(normal)


def test_as_large_as_in_the_preset_paper_it_finds_what_should_not_be_there():
    detector = PatchCore()
    assert detector.config == PatchCore.presets["paper"]
    detector.fit([clip(i) for i in range(4)])
    assert detector.score(clip(200, flaw=True)).value > 1.5 * detector.score(clip(100)).value


def test_it_says_when(fitted):
    per_frame = fitted.score(clip(300, flaw=True)).per_frame
    assert per_frame[32:].min() > 1.5 * per_frame[:24].max()


def test_a_lost_frame_is_no_leap():
    """The change over one frame is not measured over two instead; after the longest lag all is as if none was lost."""
    descriptor = Descriptor(Grid(5, 8, 8), lags=(1, 4))
    frames, lost = clip(301).frames, 30
    whole = described(frames, descriptor)
    describing = Describing(descriptor)
    gappy = {i: describing.push(f, i / 60) for i, f in enumerate(frames) if i != lost}
    assert np.array_equal(gappy[lost + 1][..., 0], whole[lost - 1][..., 0])
    assert np.array_equal(gappy[lost + 1][..., 1], whole[lost + 1][..., 1])
    assert all(np.array_equal(gappy[i], whole[i]) for i in range(FRAMES) if not lost <= i <= lost + 4)


def test_frames_that_are_missing_leave_a_score_for_each_of_the_others(fitted):
    whole = clip(302)
    keep = np.delete(np.arange(FRAMES), range(16, 26))  # one slot and a part of the next
    score = fitted.score(Clip(whole.timetable, whole.frames[keep], whole.stamps_s[keep]))
    assert len(score.per_frame) == FRAMES - 10 and np.isfinite(score.per_frame).all()


def test_one_clip_does_not_do():
    with pytest.raises(BadData, match="two"):
        PatchCore(TINY).fit([clip(0)])


def test_clips_of_other_lengths_are_cut_into_as_many_slots():
    short = clip(1)
    table = Timetable("s", "clip", "clip_1", "press", short.timetable.phases, 0.0, 24 / 60, 24)
    detector = PatchCore(TINY)
    detector.fit([clip(0), Clip(table, short.frames[:24], short.stamps_s[:24])])
    assert detector.slots == FRAMES // TINY.slot
