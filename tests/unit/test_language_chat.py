"""The chat back end against a real server on this machine: what it sends, what it takes, and what it does when things go wrong."""

import base64
import json
import logging
import math
import time
import traceback

import cv2
import numpy as np
import pytest

pytest.importorskip("openai")

from chat_server import reply, serving

from physad_ros.core.catalogue import load_category
from physad_ros.core.errors import BadData
from physad_ros.language.chat import Chat, ChatConfig
from physad_ros.language.prompts import prompt_of

PROMPT = prompt_of(load_category("clip"))
FRAMES = np.stack([np.full((400, 600, 3), 60 * i, np.uint8) for i in range(3)])
GOOD = json.dumps({"anomalous": 0.75, "description": "A finger presses the clip.", "explanation": "It stays open."})


def chat(server, **more):
    return Chat(ChatConfig(base_url=server.url, model="m", **{"retries": 2, **more}))


def test_frames_and_prompt_go_out_and_the_judgement_comes_back():
    with serving(lambda asked: reply(GOOD)) as server:
        answer = chat(server, key="secret", lines=100).ask(FRAMES, PROMPT)
    assert (answer.score, answer.description, answer.explanation) == (0.75, "A finger presses the clip.", "It stays open.")
    ((path, asked),) = server.requests
    assert path == "/v1/chat/completions" and server.keys == ["Bearer secret"] and asked["model"] == "m" and asked["temperature"] == 0
    text, *pictures = asked["messages"][0]["content"]
    assert text["text"] == PROMPT.report
    for frame, picture in zip(FRAMES, pictures, strict=True):
        head, data = picture["image_url"]["url"].split(",")
        seen = cv2.imdecode(np.frombuffer(base64.b64decode(data), np.uint8), cv2.IMREAD_COLOR)
        assert head == "data:image/jpeg;base64" and seen.shape == (100, 150, 3) and abs(float(seen.mean()) - frame.mean()) < 2


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_server_that_is_busy_is_asked_again(status):
    answers = iter([(status, '{"error": {"message": "busy"}}'), reply(GOOD)])
    with serving(lambda asked: next(answers)) as server:
        assert chat(server).ask(FRAMES, PROMPT).score == 0.75
    assert len(server.requests) == 2


def test_a_server_that_stays_busy_is_an_error_that_names_it():
    with serving(lambda asked: (429, '{"error": {"message": "quota is used up"}}')) as server:
        with pytest.raises(BadData, match="quota is used up") as error:
            chat(server).ask(FRAMES, PROMPT)
        assert server.url in str(error.value) and "model m" in str(error.value)
    assert len(server.requests) == 3


def test_a_refusal_is_not_asked_again():
    with serving(lambda asked: (401, '{"error": {"message": "no such key"}}')) as server, pytest.raises(BadData, match="no such key"):
        chat(server).ask(FRAMES, PROMPT)
    assert len(server.requests) == 1


def test_a_server_that_is_too_slow_is_an_error():
    with serving(lambda asked: (*reply(GOOD), 0.4)) as server, pytest.raises(BadData, match="timed out"):
        chat(server, timeout_s=0.1, retries=0).ask(FRAMES, PROMPT)


def test_a_server_that_never_ends_its_answer_is_an_error_in_time():
    """Each piece comes in time, the whole never does."""
    began = time.monotonic()
    with serving(lambda asked: (200, [" "] * 100, 0.02)) as server, pytest.raises(BadData, match=r"none came within 0\.2 s"):
        chat(server, timeout_s=0.1, patience_s=0.2).ask(FRAMES, PROMPT)
    assert time.monotonic() - began < 1


def test_all_attempts_together_end_in_time():
    with serving(lambda asked: (503, "{}", 0.05)) as server, pytest.raises(BadData, match=r"none came within 0\.2 s"):
        chat(server, retries=1000, patience_s=0.2).ask(FRAMES, PROMPT)
    assert 1 <= len(server.requests) <= 5


def test_no_server_is_an_error():
    with serving(lambda asked: reply(GOOD)) as server:
        pass
    with pytest.raises(BadData, match=r"gave no answer.*refused"):
        chat(server, retries=0).ask(FRAMES, PROMPT)


def test_what_a_model_refuses_to_be_told_is_left_to_it():
    """As models do that think first: they bound their answers under another name, and draw them as they like."""

    def answer(asked):
        for name in ("max_tokens", "temperature"):
            if name in asked:
                return 400, json.dumps({"error": {"message": "unsupported", "param": name, "code": "unsupported_parameter"}})
        return reply(GOOD)

    with serving(answer) as server:
        judge = chat(server)
        assert judge.ask(FRAMES, PROMPT).score == judge.ask(FRAMES, PROMPT).score == 0.75
    assert len(server.requests) == 4  # what it refuses is not tried again
    other = '{"error": {"message": "too long", "param": "messages"}}'
    with serving(lambda asked: (400, other)) as server, pytest.raises(BadData, match="too long"):
        chat(server).ask(FRAMES, PROMPT)
    assert len(server.requests) == 1


def test_a_key_is_in_no_error_even_where_the_server_quotes_it(caplog):
    caplog.set_level(logging.DEBUG)
    key = "-".join(("hush", "hush"))  # not as it stands in this file, of which a traceback shows lines
    body = json.dumps({"error": {"message": f"no such key: {key}"}})
    with serving(lambda asked: (401, body)) as server, pytest.raises(BadData, match=r"no such key: \*\*\*") as error:
        chat(server, key=key, retries=0).ask(FRAMES, PROMPT)
    assert key not in "".join(traceback.format_exception(error.value))
    assert caplog.records and not any(key in record.getMessage() for record in caplog.records)


def test_an_address_with_a_password_is_refused():
    assert "OPENAI_API_KEY" in Chat.unavailable(ChatConfig(base_url="http://me:hush@127.0.0.1/v1", model="m"))


@pytest.mark.parametrize("body", [
    "", "<html>", "{}", '{"choices": []}', '{"choices": null}', '"text"', "[1]", '{"choices": [{}]}'])
def test_what_is_no_completion_is_an_error(body):
    with serving(lambda asked: (200, body)) as server, pytest.raises(BadData, match=server.url):
        chat(server, retries=0).ask(FRAMES, PROMPT)


@pytest.mark.parametrize("text", ["It is probably broken.", "", '{"anomalous": "likely"}'])
def test_words_without_a_number_are_no_score(text):
    with serving(lambda asked: reply(text)) as server:
        answer = chat(server).ask(FRAMES, PROMPT)
    assert math.isnan(answer.score) and "The model's answer" in answer.explanation


def test_the_environment_says_where_and_who(monkeypatch):
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    monkeypatch.delenv("PHYSAD_CHAT_MODEL", raising=False)
    assert "OPENAI_BASE_URL and PHYSAD_CHAT_MODEL" in Chat.unavailable(ChatConfig())
    with pytest.raises(BadData, match="PHYSAD_CHAT_MODEL"):
        Chat(ChatConfig(base_url="http://127.0.0.1:1/v1"))
    with serving(lambda asked: reply(GOOD)) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        monkeypatch.setenv("PHYSAD_CHAT_MODEL", "other")
        monkeypatch.setenv("OPENAI_API_KEY", "hidden")
        assert Chat.unavailable(ChatConfig()) == ""
        Chat(ChatConfig()).say("hello", system="be brief")
    assert server.keys == ["Bearer hidden"] and server.requests[0][1]["model"] == "other"
    assert server.requests[0][1]["messages"] == [{"role": "system", "content": "be brief"}, {"role": "user", "content": "hello"}]
