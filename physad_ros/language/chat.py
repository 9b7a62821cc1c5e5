"""Any chat model behind a server that speaks OpenAI's protocol: a hosted one, or vLLM, llama.cpp or Ollama on this machine."""

from __future__ import annotations

import importlib.util
import os
import threading
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as Overdue
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from physad_ros.core.errors import BadData
from physad_ros.language.answers import SHOWN, read_report
from physad_ros.language.base import HERE, RATE_HZ, Answer, Pictures, Prompt, Talker, back_ends
from physad_ros.language.pictures import jpeg_url

BASE_URL, KEY, MODEL = "OPENAI_BASE_URL", "OPENAI_API_KEY", "PHYSAD_CHAT_MODEL"


@dataclass(frozen=True)
class ChatConfig:
    """Where the model is asked, and how. What is empty is taken from the environment: OPENAI_BASE_URL, PHYSAD_CHAT_MODEL, OPENAI_API_KEY."""

    base_url: str = field(default="", metadata=HERE)
    model: str = ""
    key: str = field(default="", repr=False, metadata={"secret": True, **HERE})  # never written to disk
    frames: int = 8
    lines: int = 360  # pixels that a frame is high, at the most
    quality: int = 85  # of JPEG
    tokens: int = 600  # of the answer, at the most; left to models that refuse such a bound, as some that think first do
    temperature: float = 0.0  # likewise: their answers may differ from one time to the next
    timeout_s: float = 60.0  # of one attempt
    retries: int = 4  # after 429, 5xx, a timeout or no connection, each after a longer pause
    patience_s: float = 120.0  # of one question, all attempts and pauses together


@back_ends.register("chat")
class Chat(Talker):
    """Sends frames as JPEG data URLs; asks for one JSON object.

    It gives no logits that every server would have, so the score is a number it writes."""

    def __init__(self, config: ChatConfig):
        super().__init__(config)
        if reason := self.unavailable(config):
            raise BadData(reason)
        self.url, self.model = config.base_url or os.environ[BASE_URL], config.model or os.environ[MODEL]
        self._key = config.key or os.environ.get(KEY, "")
        self._client = self._opened()
        self._options: dict[str, Any] = {"max_tokens": config.tokens, "temperature": config.temperature}

    @classmethod
    def unavailable(cls, config: ChatConfig) -> str:
        if importlib.util.find_spec("openai") is None:
            return "openai must be installed"
        url = config.base_url or os.environ.get(BASE_URL, "")
        lacking = [name for given, name in ((url, BASE_URL), (config.model, MODEL)) if not (given or os.environ.get(name))]
        if lacking:
            return f"no chat server is named; set {' and '.join(lacking)}"
        return f"{BASE_URL} must hold no password, as it is written down; set {KEY}" if "@" in urlsplit(url).netloc else ""

    def identity(self) -> str:
        return self.model

    def ask(self, frames: Pictures, prompt: Prompt, rate_hz: float = RATE_HZ) -> Answer:
        return read_report(self.say(prompt.report, frames))

    def say(self, text: str, frames: Pictures | None = None, system: str = "") -> str:
        content: list[dict[str, Any]] = [{"type": "text", "text": text}]
        for frame in () if frames is None else frames:
            content.append({"type": "image_url", "image_url": {"url": jpeg_url(frame, self.config.lines, self.config.quality)}})
        messages = [{"role": "system", "content": system}] if system else []
        return self._completed([*messages, {"role": "user", "content": content if len(content) > 1 else text}])

    def _opened(self) -> Any:
        from openai import OpenAI

        key = self._key or "none"  # servers on this machine want no key, the client wants one
        return OpenAI(base_url=self.url, api_key=key, timeout=self.config.timeout_s, max_retries=self.config.retries)

    def _completed(self, messages: list[dict[str, Any]]) -> str:
        from openai import APIConnectionError, OpenAIError

        try:
            return self._said(within(self.config.patience_s, lambda: self._reply(messages)))
        except Overdue:
            self._client.close()  # so that nothing more goes out of what was left to itself
            self._client = self._opened()
            raise self._silent(f"none came within {self.config.patience_s:g} s") from None
        except (OpenAIError, ValueError) as error:
            cause = error.__cause__ if isinstance(error, APIConnectionError) else ""
            raise self._silent(f"{error} {cause}") from None  # what it comes from may quote the key

    def _said(self, reply: Any) -> str:
        try:
            said = reply.choices[0].message.content or ""
        except (AttributeError, LookupError, TypeError):
            said = None
        if not isinstance(said, str):
            raise BadData(f"{self.url} does not answer as a chat model does")
        return said

    def _reply(self, messages: list[dict[str, Any]]) -> Any:
        from openai import BadRequestError

        while True:
            try:
                return self._client.chat.completions.create(model=self.model, messages=messages, **self._options)
            except BadRequestError as error:
                if error.param not in self._options:
                    raise
                del self._options[error.param]  # the model has its own

    def _silent(self, why: str) -> BadData:
        short = " ".join((why.replace(self._key, "***") if self._key else why).split())[:SHOWN]
        return BadData(f"the chat model {self.model} at {self.url} gave no answer: {short}")


def within(duration_s: float, call: Callable[[], Any]) -> Any:
    """What a call returns or raises; Overdue where it has done neither by then. It is then left to itself, which keeps no program from ending."""
    future: Future[Any] = Future()

    def run() -> None:
        try:
            future.set_result(call())
        except BaseException as error:
            future.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return future.result(duration_s)
