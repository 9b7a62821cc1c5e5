"""Small detectors for tests of the benchmark."""

import json

import numpy as np

from physad_ros.core.errors import BadData
from physad_ros.core.types import Finding, Score
from physad_ros.detectors.base import Card, Detector, Setting, Stream


class Brightness(Detector):
    """How far a clip's brightness is from that of the normal ones; a frame's score is its own distance."""

    card = Card("brightness", Setting.UNSUPERVISED, "a test", "frames", ran="in tests")
    height = 48

    def __init__(self, config=None):
        self.config, self.mean = config, float("nan")

    def fit(self, clips, seed=0):
        self.mean = float(np.mean([c.frames.mean() for c in clips]))

    def calibrate(self, threshold, false_alarm_rate, held_out):
        self.threshold = threshold

    def stream(self, timetable):
        return _Stream(self.mean)

    def save(self, folder):
        (folder / "brightness.json").write_text(json.dumps([self.mean, self.threshold]))

    @classmethod
    def load(cls, folder):
        try:
            made = cls()
            made.mean, made.threshold = json.loads((folder / "brightness.json").read_text())
        except OSError as error:
            raise BadData(str(error)) from error
        return made


class _Stream(Stream):
    def __init__(self, mean):
        self.mean, self.numbers = mean, []

    def push(self, frame, stamp_s):
        self.numbers.append(abs(float(frame.mean()) - self.mean))
        return self.numbers[-1]

    def finish(self, signals):
        return Score(float(np.mean(self.numbers)), np.array(self.numbers))


class Weak(Brightness):
    """Notes what it was given."""

    card = Card("weak", Setting.WEAK, "a test", "frames", ran="in tests")
    given: list = []  # noqa: RUF012

    def fit(self, clips, seed=0):
        super().fit(clips, seed)
        type(self).given = [c.label for c in clips]


class Broken(Brightness):
    def fit(self, clips, seed=0):
        raise ValueError("it always breaks")


class Blind(Brightness):
    """Its score is not a number."""

    def stream(self, timetable):
        return _Stream(float("nan"))


class Dazzled(Brightness):
    """Gives no score to clips that are too bright for it."""

    def score(self, clip):
        score = super().score(clip)
        return Score(float("nan"), np.full_like(score.per_frame, np.nan)) if clip.frames.mean() > 150 else score


class Missing(Brightness):
    @classmethod
    def unavailable(cls, preset="quick"):
        return "its checkpoint is not here"


class Telling(Brightness):
    """Says what is wrong, from the middle of the clip on."""

    def score(self, clip):
        score = super().score(clip)
        begin, end = clip.stamps_s[len(clip.stamps_s) // 2], clip.stamps_s[-1]
        sentence = "<b>the picture</b> is not as bright as it should be"
        told = Finding("r", "fall", "brightness", score.value, 0.0, 9.0, "", score.value / 9, float(begin), float(end), sentence)
        return Score(score.value, score.per_frame, (told,) if score.value > self.threshold else ())


class Answering(Brightness):
    """Says what it saw, as a model that was asked; of dark clips nothing."""

    def score(self, clip):
        score = super().score(clip)
        if clip.frames.mean() < 90:
            return score
        return Score(score.value, score.per_frame, (), "<b>A lamp</b> is seen.", f"It is {score.value:.0f} from normal.")


class Outage(Brightness):
    """A server that does not answer questions about bright clips."""

    brightest = 150.0

    def score(self, clip):
        if clip.frames.mean() > self.brightest:
            raise BadData(f"the server is out ({clip.label})")
        return super().score(clip)


class Unreachable(Outage):
    """It answers nothing."""

    brightest = 0.0
