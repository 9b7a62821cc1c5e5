"""LAVAD (Zanella et al., CVPR 2024): captions, cleaned by similarity, summed up and scored by a language model, refined by similarity."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from physad_ros.core.types import Floats
from physad_ros.language.answers import SHOWN, read_share
from physad_ros.language.base import (
    HERE,
    RATE_HZ,
    Answer,
    Captioner,
    Embedder,
    Judge,
    Pictures,
    Prompt,
    Talker,
    back_ends,
)
from physad_ros.language.blip2 import Blip2Config
from physad_ros.language.chat import ChatConfig
from physad_ros.language.local import Local, LocalConfig, missing

CAPTIONER = "blip2"
TOP = 5  # frames whose mean score is the clip's
SUMMARY = "The lines are captions of moments of one video, in order. Tell in a few sentences what happens in it and leave out what does not matter."
SCALE = (
    "The text tells what happens in a part of the video. How likely is it that the specimen is defective? Choose from 0.0, 0.1, 0.2 and so on "
    "to 1.0, where 0.0 is surely working and 1.0 surely defective. Reply with that one number in square brackets, as [0.0], and nothing else."
)


@dataclass(frozen=True)
class LavadConfig(ChatConfig):
    """As published but for time, where windows of ten seconds, which would span each of our clips, span ten of its frames; for captions, of one
    model instead of five; and for the language model, Llama 2 13B there, which is whatever the server has."""

    checkpoint: str = field(default="", metadata=HERE)  # folder; in it the folders `blip2` and one named as the embedder
    embedder: str = "imagebind"
    frames: int = 16  # that get a caption
    window: int = 10  # frames about each one, whose captions are summed up together
    neighbours: int = 10  # summaries that a frame's score is refined from


@back_ends.register("lavad")
class Lavad(Judge):
    """Composed of a captioner, an embedder and a talker."""

    def __init__(self, config: LavadConfig, captioner: Captioner | None = None, embedder: Embedder | None = None, talker: Talker | None = None):
        super().__init__(config)
        kinds: dict[str, Any] = {name: back_ends[name] for name in (CAPTIONER, config.embedder, "chat")}
        self.captioner: Captioner = captioner or kinds[CAPTIONER](_captioner(config))
        self.embedder: Embedder = embedder or kinds[config.embedder](_embedder(config))
        self.talker: Talker = talker or kinds["chat"](config)

    @classmethod
    def unavailable(cls, config: LavadConfig) -> str:
        parts: dict[str, Any] = {name: back_ends[name] for name in (CAPTIONER, config.embedder)}
        files = [f"{name}/{file}" for name, kind in parts.items() for file in kind.files]
        wanted = " and ".join(f"{name} ({kind.wanted})" for name, kind in parts.items())
        reasons = (missing(config.checkpoint, Local.libraries, files, wanted), back_ends["chat"].unavailable(config))
        return "; ".join(reason for reason in reasons if reason)

    def identity(self) -> str:
        return " ".join(part.identity() for part in (self.captioner, self.embedder, self.talker))

    def parameters(self) -> int:
        return self.captioner.parameters() + self.embedder.parameters() + self.talker.parameters()

    def ask(self, frames: Pictures, prompt: Prompt, rate_hz: float = RATE_HZ) -> Answer:
        captions = self.cleaned(frames, self.captioner.captions(frames))
        said: dict[tuple[str, str], str] = {}  # the same text gets the same reply, and costs once
        summaries = [self._said(said, "\n".join(captions[i] for i in span), SUMMARY) for span in self.windows(len(frames))]
        replies = [self._said(said, text, f"{prompt.context}\n{SCALE}") for text in summaries]
        scores = np.array([read_share(reply) for reply in replies])
        refined = self.refined(frames, summaries, scores)
        description = self._said(said, "\n".join(dict.fromkeys(summaries)), SUMMARY)
        unread = "" if np.isfinite(scores).any() else f"The language model gave no summary a number from 0 to 1, but: {replies[0][:SHOWN]}"
        return Answer(float(np.sort(refined)[-TOP:].mean()), "\n".join(summaries), description, unread, refined)

    def cleaned(self, frames: Pictures, captions: Sequence[str]) -> list[str]:
        """For each frame the caption, of any frame, that is most like its picture."""
        alike = self.embedder.pictures(frames) @ self.embedder.sentences(captions).T  # (T, T)
        return [captions[i] for i in alike.argmax(axis=1)]

    def windows(self, frames: int) -> list[range]:
        """The frames about each frame, fewer at the ends."""
        before, after = self.config.window // 2, (self.config.window + 1) // 2
        return [range(max(i - before, 0), min(i + after, frames)) for i in range(frames)]

    def refined(self, frames: Pictures, summaries: Sequence[str], scores: Floats) -> Floats:
        """Each frame's score (T,): the mean over the summaries most like its window, weighted by the exponential of the likeness.

        A summary that several windows share counts once, as in the published code, and one without a score not at all, where that code would
        put what its neighbours have. NaN where none has a score.
        """
        scored = [i for i, text in enumerate(summaries) if np.isfinite(scores[i]) and text not in summaries[:i]]
        if not len(scored):
            return np.full(len(frames), np.nan)
        videos = np.stack([self.embedder.video(frames[span.start : span.stop]) for span in self.windows(len(frames))])  # (T, D)
        alike = videos @ self.embedder.sentences([summaries[i] for i in scored]).T  # (T, N)
        nearest = np.argsort(-alike, axis=1, kind="stable")[:, : self.config.neighbours]  # (T, K)
        weights = np.exp(np.take_along_axis(alike, nearest, axis=1))
        return np.asarray((weights * scores[scored][nearest]).sum(axis=1) / weights.sum(axis=1))

    def _said(self, said: dict[tuple[str, str], str], text: str, system: str) -> str:
        if (text, system) not in said:
            said[text, system] = self.talker.say(text, system=system).strip()
        return said[text, system]


def _captioner(config: LavadConfig) -> Blip2Config:
    return Blip2Config(checkpoint=_inside(config, CAPTIONER))


def _embedder(config: LavadConfig) -> LocalConfig:
    return LocalConfig(checkpoint=_inside(config, config.embedder))


def _inside(config: LavadConfig, name: str) -> str:
    return str(Path(config.checkpoint) / name) if config.checkpoint else ""
