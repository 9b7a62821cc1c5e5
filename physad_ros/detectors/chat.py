"""A chat model behind an OpenAI-compatible server, shown a few frames and asked for a judgement as JSON."""

from __future__ import annotations

from typing import ClassVar

from physad_ros.detectors.asked import Asked
from physad_ros.detectors.base import Card, Setting, detectors
from physad_ros.language.chat import ChatConfig


@detectors.register("chat")
class Chat(Asked):
    """The number that the model writes; NaN, so INCONCLUSIVE, where it writes none that can be read."""

    name = "chat"
    back_end = "chat"
    card = Card(
        "a chat model", Setting.LANGUAGE, "none; of the user's choice", "8 frames at 360 lines, as JPEG",
        "a server (OPENAI_BASE_URL, PHYSAD_CHAT_MODEL)",
        "its own", ran="against a server that only speaks the protocol; not run with a real model",
    )
    presets: ClassVar = {"paper": ChatConfig(), "quick": ChatConfig(frames=4, tokens=300)}  # quick: fewer frames, a shorter answer
