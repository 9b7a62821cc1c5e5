"""Networks over windows of frames: what they share, looped over all of them at a tiny size on a toy world."""

import subprocess
import sys
from collections import Counter

import moving_square
import numpy as np
import pytest
import torch
from tiny_networks import CHANGES, tiny

from physad_ros.core.errors import BadData
from physad_ros.core.types import Signals
from physad_ros.detectors import windows
from physad_ros.detectors.windows import WindowConfig

TRAINING = [moving_square.clip(i) for i in range(6)]
FOUND = {"memae": ["jumps"], "mnad_p": ["jumps", "changes"], "mnad_r": ["changes"], "mpn": ["jumps", "changes"]}
TWO_TERMS = {"mnad_p", "mnad_r", "mpn"}
OVERFIT = [
    ("memae", 160, {"widths": (8, 16, 32, 32)}),
    ("mnad_p", 100, {"width": 8}),
    ("mnad_r", 180, {"width": 8}),
    ("mpn", 150, {"width": 8, "meta_epochs": 0}),
]


@pytest.fixture(scope="module", params=sorted(CHANGES))
def fitted(request):
    torch.set_num_threads(1)
    detector = tiny(request.param)
    detector.fit(TRAINING)
    return detector


@pytest.mark.parametrize(("name", "epochs", "wider"), OVERFIT)
def test_it_overfits_a_toy_clip(name, epochs, wider):
    """What its pictures lack is less than a third of what the mean of all frames lacks."""
    torch.set_num_threads(1)
    detector, only = tiny(name, epochs=epochs, learning_rate=1e-2, **wider), moving_square.clip(3, frames=18)
    detector.fit([only])
    clips = [detector.pictures(only.frames)]
    seen = detector.cut(clips, [(0, at) for at in range(len(clips[0]) - detector.config.window + 1)])
    with torch.no_grad():
        assert 3 * picture_error(detector, seen) < float((seen - seen.mean((0, 1), keepdim=True)).square().mean())


def picture_error(detector, seen):
    """Mean squared error of the pictures that a network makes of windows."""
    network = detector.network
    if detector.name == "memae":
        x = seen.transpose(1, 2)
        return float((network(x)[0] - x).square().mean())
    if detector.name == "mpn":
        return float((network(seen[:, :-1].flatten(1, 2)).picture - seen[:, -1]).square().mean())
    shown, frame = detector.split(seen)
    return float((network.decode(*network.encode(shown), network.items) - frame).square().mean())


def test_it_finds_what_is_wrong_with_the_square(fitted):
    """Clips that it has not seen: every faulty one scores above every normal one, and by the frames after the fault."""
    normal = max(fitted.score(moving_square.clip(50 + i)).value for i in range(4))
    for fault in FOUND[fitted.name]:
        scores = [fitted.score(moving_square.clip(60 + i, fault)) for i in range(3)]
        assert min(s.value for s in scores) > normal
        assert all(s.per_frame.argmax() >= moving_square.BREAKS for s in scores)


def test_frame_by_frame_gives_the_very_score_of_the_whole_clip(fitted):
    c = moving_square.clip(70, "jumps")
    stream, whole = fitted.stream(c.timetable), fitted.score(c)
    pushed = [stream.push(f, float(s)) for f, s in zip(c.frames, c.stamps_s)]
    end = stream.finish(Signals.none())
    assert end.value == whole.value and np.array_equal(end.per_frame, whole.per_frame)
    first = fitted.config.window - 1
    assert pushed[:first] == [0.0] * first and np.array_equal(pushed[first:], whole.per_frame[first:])


def test_no_clip_leaves_anything_behind_for_the_next(fitted):
    """A memory that is updated while a clip is scored begins anew with each: scores do not depend on what was scored before."""
    c = moving_square.clip(71)
    before = {k: v.clone() for k, v in fitted.network.state_dict().items()}
    alone = fitted.score(c)
    for fault in (None, "jumps", "changes"):
        fitted.score(moving_square.clip(72, fault))
    one, other = fitted.stream(c.timetable), fitted.stream(c.timetable)
    for frame, wrong in zip(c.frames, moving_square.clip(73, "changes").frames):
        one.push(frame, 0.0)
        other.push(wrong, 0.0)
    assert np.array_equal(one.finish(Signals.none()).per_frame, alone.per_frame)
    assert all(torch.equal(v, before[k]) for k, v in fitted.network.state_dict().items())


def test_a_clip_is_not_scaled_by_what_else_is_in_it(fitted):
    """The beginning of a clip scores the same whatever follows."""
    whole, fault = (fitted.score(moving_square.clip(74, f)).per_frame for f in (None, "changes"))
    assert np.array_equal(whole[: moving_square.BREAKS], fault[: moving_square.BREAKS])


def test_saved_and_loaded_it_scores_exactly_the_same(fitted, tmp_path):
    fitted.calibrate(1.25, 0.05, 20)
    fitted.save(tmp_path)
    again = type(fitted).load(tmp_path)
    assert again.threshold == 1.25 and again.config == fitted.config and again.height == moving_square.SIZE
    c = moving_square.clip(75, "jumps")
    assert np.array_equal(again.score(c).per_frame, fitted.score(c).per_frame)


def test_what_does_not_fit_is_refused(fitted, tmp_path):
    fitted.save(tmp_path)
    file = tmp_path / f"{fitted.name}.json"
    for old, new in (('"size": 32', '"sice": 32'), ('"window":', '"widow":'), ('"config"', '"confit"')):
        text = file.read_text()
        file.write_text(text.replace(old, new))
        with pytest.raises(BadData, match="physad fit"):
            type(fitted).load(tmp_path)
        file.write_text(text)


@pytest.mark.parametrize("name", sorted(TWO_TERMS))
def test_terms_without_their_spread_are_refused(name, tmp_path):
    detector = tiny(name, epochs=1)
    detector.fit(TRAINING[:2])
    detector.spread = detector.spread[:1]
    detector.save(tmp_path)
    with pytest.raises(BadData, match="two numbers"):
        type(detector).load(tmp_path)


@pytest.mark.parametrize("name", sorted(CHANGES))
def test_clips_that_are_too_short_or_none_are_refused(name):
    detector = tiny(name)
    for clips in ([], [moving_square.clip(0, frames=detector.config.window - 1)]):
        with pytest.raises(BadData, match="at least"):
            detector.fit(clips)
    with pytest.raises(BadData, match="not trained"):
        detector.stream(TRAINING[0].timetable)


def test_a_seed_decides_everything_and_nothing_else_is_stirred():
    torch.manual_seed(7)
    expected = torch.rand(3)
    scores = []
    for seed in (1, 1, 2):
        torch.manual_seed(7)
        detector = tiny("mnad_p", epochs=1)
        detector.fit(TRAINING[:2], seed)
        assert torch.equal(torch.rand(3), expected)
        scores.append(detector.score(TRAINING[0]).value)
    assert scores[0] == scores[1] != scores[2]


def test_between_strides_the_last_score_holds():
    detector = tiny("mnad_r", stride=3, epochs=1)
    detector.fit(TRAINING[:2])
    scores = detector.score(TRAINING[0]).per_frame
    assert np.array_equal(scores, np.repeat(scores[::3], 3)) and len(set(scores)) == moving_square.FRAMES // 3


def test_an_epoch_shows_every_window_once():
    config, counts = WindowConfig(batch=4, epochs=2), [5, 1, 0, 7]
    drawn = windows.batches(counts, config, np.random.default_rng(0))
    assert windows.steps(counts, config) == 2 * 4
    for _ in range(2):
        epoch = [place for _ in range(4) for place in next(drawn)]
        assert sorted(epoch) == [(i, at) for i, count in enumerate(counts) for at in range(count)]


def test_or_one_batch_of_each_clip():
    config, counts = WindowConfig(batch=4, epochs=3, epoch="clips"), [5, 2, 7]
    drawn = windows.batches(counts, config, np.random.default_rng(0))
    assert windows.steps(counts, config) == 3 * 3
    epoch = [next(drawn) for _ in range(3)]
    assert sorted(i for batch in epoch for i in {i for i, _ in batch}) == [0, 1, 2]
    assert all(len(batch) == 4 and all(0 <= at < counts[i] for i, at in batch) for batch in epoch)
    assert all(max(Counter(batch).values()) == 1 for batch in epoch if batch[0][0] != 1)  # enough for no window to come twice


def test_pictures_are_square_and_span_minus_one_to_one():
    frame = np.zeros((90, 160, 3), np.uint8)
    frame[:, 80:] = 255
    for colour, channels in (("grey", 1), ("bgr", 3)):
        small = windows.picture(frame, WindowConfig(size=16, colour=colour))
        assert small.shape == (16, 16, channels)
        x = windows.tensor([small[None], small[None]])
        assert x.shape == (2, 1, channels, 16, 16) and (x[..., :8] == -1).all() and (x[..., 8:] == 1).all()


def test_the_list_of_detectors_needs_no_torch():
    code = "import sys; from physad_ros.detectors.base import detectors; list(detectors); print({'torch', 'sklearn'} & set(sys.modules))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "set()"
