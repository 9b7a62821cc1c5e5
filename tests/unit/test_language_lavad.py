"""LAVAD's steps, with a captioner, an embedder and a talker of which all is known."""

import math

import numpy as np
import pytest

from physad_ros.core.catalogue import load_category
from physad_ros.language.base import Captioner, Embedder, Talker
from physad_ros.language.lavad import SUMMARY, Lavad, LavadConfig
from physad_ros.language.prompts import prompt_of

PROMPT = prompt_of(load_category("clip"))
WORDS = ("closed", "open")  # a frame's brightness tells which it shows


class Sees(Captioner):
    """Is right but for frame 2, where it sees a cat."""

    def captions(self, frames):
        return ["a cat" if i == 2 else WORDS[int(frame[0, 0, 0]) // 128] for i, frame in enumerate(frames)]


class Knows(Embedder):
    """Dimensions: closed, open, neither."""

    def pictures(self, frames):
        return np.eye(3)[[int(frame[0, 0, 0]) // 128 for frame in frames]]

    def sentences(self, texts):
        counts = np.array([[text.count("closed"), text.count("open"), 0.1] for text in texts])
        return counts / np.linalg.norm(counts, axis=1, keepdims=True)


class Says(Talker):
    """Sums up by repeating, and scores by the share of what is open; ``mute`` lines get no number."""

    def __init__(self, mute=lambda text: False):
        super().__init__(None)
        self.mute, self.heard = mute, []

    def ask(self, frames, prompt, rate_hz=4.0):
        raise AssertionError("LAVAD only talks to it")

    def say(self, text, frames=None, system=""):
        self.heard.append((text, system))
        if system == SUMMARY:
            return text.replace("\n", " ")
        return "I cannot tell." if self.mute(text) else f"[{text.count('open') / len(text.split()):.1f}]"


def lavad(mute=lambda text: False, **more):
    return Lavad(LavadConfig(**{"window": 1, "neighbours": 2, **more}), Sees(None), Knows(None), Says(mute))


def frames(*values):
    return np.stack([np.full((4, 4, 3), 255 * value, np.uint8) for value in values])


def test_a_caption_that_does_not_fit_its_picture_is_replaced_by_one_that_does():
    shown = frames(0, 1, 0, 1)
    made = lavad()
    assert made.cleaned(shown, made.captioner.captions(shown)) == ["closed", "open", "closed", "open"]


@pytest.mark.parametrize("window", [1, 2, 5, 10])
def test_windows_hold_their_frame_and_stay_in_the_clip(window):
    spans = lavad(window=window).windows(6)
    assert all(i in span and len(span) <= window and set(span) <= set(range(6)) for i, span in enumerate(spans))
    assert len(spans[3]) == min(window, 6)


def test_scores_are_refined_by_likeness_as_by_hand():
    made = lavad(neighbours=2)
    shown, summaries = frames(0, 1, 1), ["closed", "open", "open closed"]
    refined = made.refined(shown, summaries, np.array([0.0, 1.0, 0.5]))
    one, both = 1 / math.sqrt(1.01), 1 / math.sqrt(2.01)  # likeness of a frame to a summary of its own word, and to that of both words
    near, far = math.exp(one), math.exp(both)
    assert refined[0] == pytest.approx((near * 0.0 + far * 0.5) / (near + far))
    assert refined[1] == refined[2] == pytest.approx((near * 1.0 + far * 0.5) / (near + far))


def test_each_frame_is_scored_by_the_summaries_most_like_it():
    made = lavad(neighbours=1)
    assert made.refined(frames(0, 1, 1), ["closed", "open", "open open"], np.array([0.2, 0.9, 0.9])).tolist() == pytest.approx([0.2, 0.9, 0.9])


def test_a_summary_that_windows_share_counts_once():
    made = lavad(neighbours=3)
    shared = made.refined(frames(0, 1, 1), ["closed", "open", "open"], np.array([0.0, 1.0, 1.0]))
    assert shared[:2] == pytest.approx(made.refined(frames(0, 1), ["closed", "open"], np.array([0.0, 1.0])))


def test_a_clip_s_score_is_as_by_hand():
    """Two frames, each its own window: summaries `closed` and `open` get 0 and 1, and lie at 0 and 1 / sqrt(1.01) of either frame."""
    answer = lavad().ask(frames(0, 1), PROMPT)
    near = math.exp(1 / math.sqrt(1.01))
    assert answer.per_frame == pytest.approx([1 / (1 + near), near / (1 + near)])
    assert answer.score == pytest.approx(0.5) and answer.text == "closed\nopen"


def test_the_clip_s_score_is_the_mean_of_its_five_highest():
    answer = lavad(neighbours=1).ask(frames(*[0] * 6, 1), PROMPT)
    assert sorted(answer.per_frame) == [0.0] * 6 + [1.0] and answer.score == pytest.approx(1 / 5)


def test_a_frame_that_is_anomalous_stands_out_and_the_clip_with_it():
    normal, defective = lavad().ask(frames(0, 0, 0, 0), PROMPT), lavad().ask(frames(0, 0, 0, 1), PROMPT)
    assert normal.score < 0.1 < defective.score
    assert defective.per_frame.shape == (4,) and defective.per_frame.argmax() == 3
    assert "open" in defective.description and "open" not in normal.description


def test_the_same_text_is_sent_once():
    made = lavad()
    made.ask(frames(0, 0, 0, 0, 0, 0), PROMPT)
    assert len(made.talker.heard) == len(set(made.talker.heard)) == 2  # one summary, one score


def test_a_summary_without_a_number_counts_for_nothing_and_none_at_all_is_nan():
    partly = lavad(mute=lambda text: "closed" in text).ask(frames(0, 1, 1, 1), PROMPT)
    assert partly.score == 1.0 and np.isfinite(partly.per_frame).all() and not partly.explanation
    silent = lavad(mute=lambda text: True).ask(frames(0, 1), PROMPT)
    assert math.isnan(silent.score) and np.isnan(silent.per_frame).all() and "no summary" in silent.explanation
    assert "I cannot tell." in silent.explanation


def test_what_is_missing_is_named_part_by_part():
    reason = Lavad.unavailable(LavadConfig(checkpoint="/nowhere", base_url="http://127.0.0.1:1/v1"))
    assert "/nowhere has no blip2/config.json" in reason and "imagebind/imagebind_huge.pth" in reason
    assert "PHYSAD_CHAT_MODEL" in reason and len(reason) < 360
