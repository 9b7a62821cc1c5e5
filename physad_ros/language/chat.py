"""Any chat model behind a server that speaks OpenAI's protocol: a hosted one, or vLLM, llama.cpp or Ollama on this machine."""

from __future__ import annotations

import importlib.util
import os
from dataclasses import dataclass, field
from typing import Any

from physad_ros.core.errors import BadData
from physad_ros.language.answers import read_report
from physad_ros.language.base import RATE_HZ, Answer, Pictures, Prompt, Talker, back_ends
from physad_ros.language.pictures import jpeg_url

BASE_URL, KEY, MODEL = "OPENAI_BASE_URL", "OPENAI_API_KEY", "PHYSAD_CHAT_MODEL"


@dataclass(frozen=True)
class ChatConfig:
    """Where the model is asked, and how. What is empty is taken from the environment: OPENAI_BASE_URL, PHYSAD_CHAT_MODEL, OPENAI_API_KEY."""

    base_url: str = ""
    model: str = ""
    key: str = field(default="", repr=False, metadata={"secret": True})  # never written to disk
    frames: int = 8
    lines: int = 360  # pixels that a frame is high, at the most
    quality: int = 85  # of JPEG
    tokens: int = 600  # of the answer, at the most
    temperature: float | None = 0.0  # None: the server's own, for models that refuse one
    timeout_s: float = 60.0  # of one attempt
    retries: int = 4  # after 429, 5xx, a timeout or no connection, each after a longer pause


@back_ends.register("chat")
class Chat(Talker):
    """Sends frames as JPEG data URLs; asks for one JSON object.

    It gives no logits that every server would have, so the score is a number it writes."""

    def __init__(self, config: ChatConfig):
        super().__init__(config)
        if reason := self.unavailable(config):
            raise BadData(reason)
        from openai import OpenAI

        self.url, self.model = config.base_url or os.environ[BASE_URL], config.model or os.environ[MODEL]
        key = config.key or os.environ.get(KEY, "") or "none"  # servers on this machine want none, the client wants one
        self._client = OpenAI(base_url=self.url, api_key=key, timeout=config.timeout_s, max_retries=config.retries)

    @classmethod
    def unavailable(cls, config: ChatConfig) -> str:
        if importlib.util.find_spec("openai") is None:
            return "openai must be installed"
        lacking = [name for given, name in ((config.base_url, BASE_URL), (config.model, MODEL)) if not (given or os.environ.get(name))]
        return f"no chat server is named; set {' and '.join(lacking)}" if lacking else ""

    def ask(self, frames: Pictures, prompt: Prompt, rate_hz: float = RATE_HZ) -> Answer:
        return read_report(self.say(prompt.report, frames))

    def say(self, text: str, frames: Pictures | None = None, system: str = "") -> str:
        content: list[dict[str, Any]] = [{"type": "text", "text": text}]
        for frame in () if frames is None else frames:
            content.append({"type": "image_url", "image_url": {"url": jpeg_url(frame, self.config.lines, self.config.quality)}})
        messages = [{"role": "system", "content": system}] if system else []
        return self._completed([*messages, {"role": "user", "content": content if len(content) > 1 else text}])

    def _completed(self, messages: list[dict[str, Any]]) -> str:
        from openai import OpenAIError
        from openai.types.chat import ChatCompletion

        options = {} if self.config.temperature is None else {"temperature": self.config.temperature}
        try:
            reply: Any = self._client.chat.completions.create(
                model=self.model, messages=messages, max_tokens=self.config.tokens, **options,  # type: ignore[call-overload, arg-type]
            )
        except (OpenAIError, ValueError) as error:
            raise BadData(f"the chat model {self.model} at {self.url} gave no answer: {error}") from error
        if not isinstance(reply, ChatCompletion) or not reply.choices or reply.choices[0].message is None:
            raise BadData(f"{self.url} does not answer as a chat model does")
        return reply.choices[0].message.content or ""
