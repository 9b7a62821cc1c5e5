"""Reading what a model wrote. A number is taken from where it was asked for, or not at all."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from typing import Any

from physad_ros.language.base import Answer

SHOWN = 200  # characters of an answer that could not be read
THOUGHT = re.compile(r"\A\s*<think>.*?</think>", re.DOTALL)  # what some models write before they answer


def read_report(text: str) -> Answer:
    """The answer to ``Prompt.report``: its JSON object, whatever prose or fence stands around it.

    The score is NaN, and the explanation says so, where there is no such object, where ``anomalous`` is not a number from 0 to 1, or where
    two objects differ in it.
    """
    reports = [found for found in _objects(THOUGHT.sub("", text)) if "anomalous" in found]
    if not reports:
        return _unread(text, "holds no JSON object with the field anomalous")
    scores = [_share(report["anomalous"]) for report in reports]
    if any(math.isnan(score) for score in scores):
        return _unread(text, "gives no number from 0 to 1 as anomalous")
    if len(set(scores)) > 1:
        return _unread(text, "gives several scores")
    last = reports[-1]
    return Answer(scores[-1], text, _sentence(last.get("description")), _sentence(last.get("explanation")))


def read_share(text: str) -> float:
    """The one number in square brackets, as "[0.3]"; NaN where there is none, several, or one outside 0 to 1."""
    found = {float(number) for number in re.findall(r"\[\s*(\d+(?:\.\d+)?)\s*\]", THOUGHT.sub("", text))}
    return _share(found.pop()) if len(found) == 1 else math.nan


def _objects(text: str) -> Iterator[dict[str, Any]]:
    """Every outermost JSON object in a text, in order."""
    decoder = json.JSONDecoder(object_pairs_hook=_once)
    at = text.find("{")
    while at >= 0:
        try:
            found, end = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            at = text.find("{", at + 1)
            continue
        yield found
        at = text.find("{", end)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) < len(pairs):
        raise ValueError("a name stands twice")
    return dict(pairs)


def _share(value: Any) -> float:
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return math.nan
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1:
        return math.nan
    return float(value)


def _sentence(value: Any) -> str:
    return value.strip() if isinstance(value, str) else ""


def _unread(text: str, why: str) -> Answer:
    short = " ".join(text.split())
    return Answer(math.nan, text, explanation=f"The model's answer {why}: {short[:SHOWN] or 'it is empty'}")
