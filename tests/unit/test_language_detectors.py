"""The detectors of the setting LANGUAGE keep the contract of all detectors, with tiny checkpoints and a chat server on this machine."""

import json
import math
import subprocess
import sys

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")
pytest.importorskip("openai")

import tiny_models as tiny
from chat_server import reply, serving

from physad_ros.core.decision import decide
from physad_ros.core.errors import BadData
from physad_ros.core.types import Clip, Outcome, Phase, Signals, Timetable
from physad_ros.detectors.base import Setting, detectors
from physad_ros.language.chat import ChatConfig

FRAMES, THRESHOLD = 30, 0.4
CHECKPOINTS = {
    "clip_zero_shot": tiny.clip, "imagebind_zero_shot": tiny.imagebind, "video_llava": tiny.video_llava, "video_chatgpt": tiny.video_chatgpt,
    "video_text": tiny.llava, "video_llama": tiny.video_llama_3, "lavad": tiny.lavad,
}
NAMES = [*CHECKPOINTS, "chat"]


def clip(seed=0, label=None):
    frames = np.random.default_rng(seed).integers(0, 256, (FRAMES, 36, 64, 3), np.uint8)
    table = Timetable(f"c{seed}", "clip", "clip_1", "press", (Phase("press", 0.0, 0.5),), 0.0, 0.5, FRAMES)
    return Clip(table, frames, np.arange(FRAMES) / 60, Signals.none(), label)


def speak(asked):
    """A sensible model: judges pictures, sums up, and scores summaries."""
    content = asked["messages"][-1]["content"]
    if isinstance(content, list):
        return reply(json.dumps({"anomalous": 0.3, "description": "A clip is pressed.", "explanation": "It closes."}))
    return reply("[0.3]" if "[0.0]" in asked["messages"][0]["content"] else "A clip is pressed.")


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    """The environment in which all of them can be used."""
    with serving(speak) as server, pytest.MonkeyPatch.context() as patch:
        patch.setenv("OPENAI_BASE_URL", server.url)
        patch.setenv("PHYSAD_CHAT_MODEL", "m")
        for name, build in CHECKPOINTS.items():
            folder = tmp_path_factory.mktemp(name)
            build(folder)
            patch.setenv(f"PHYSAD_{name.upper()}_CHECKPOINT", str(folder))
        yield


@pytest.fixture(params=NAMES)
def fitted(request, places):
    detector = detectors[request.param].preset("quick")
    assert not detector.unavailable()
    detector.fit([clip(1)])
    detector.calibrate(THRESHOLD, 0.05, 20)
    return detector


def test_all_of_them_are_tested():
    assert {name for name in detectors if detectors[name].card.setting is Setting.LANGUAGE} == set(NAMES)


def test_a_score_is_a_share_with_one_number_a_frame_live_and_offline_alike(fitted):
    whole, stream = fitted.score(clip()), fitted.stream(clip().timetable)
    pushed = [stream.push(frame, stamp) for frame, stamp in zip(clip().frames, clip().stamps_s)]
    assert 0 <= whole.value <= 1 and whole.per_frame.shape == (FRAMES,) and np.isfinite(whole.per_frame).all() and np.isfinite(pushed).all()
    for value in (stream.finish(Signals.none()).value, fitted.score(clip()).value):
        assert value == pytest.approx(whole.value, rel=1e-9)


def test_no_clip_changes_the_score_of_another_and_nothing_is_learnt_from_defective_ones(fitted):
    before = fitted.score(clip()).value
    fitted.score(clip(7))
    fitted.fit([clip(8, "unable_press"), clip(9)])
    assert fitted.score(clip()).value == pytest.approx(before, rel=1e-9) and fitted.threshold == THRESHOLD


def test_what_is_saved_and_read_scores_the_same(fitted, tmp_path):
    fitted.save(tmp_path)
    again = type(fitted).load(tmp_path)
    assert again.config == fitted.config and again.threshold == fitted.threshold
    assert again.score(clip()).value == pytest.approx(fitted.score(clip()).value, rel=1e-6)
    with pytest.raises(BadData, match="physad fit"):
        type(fitted).load(tmp_path / "nothing")


def test_a_threshold_goes_with_the_model_that_it_was_found_with(fitted, tmp_path):
    fitted.save(tmp_path)
    file = tmp_path / f"{fitted.name}.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "model": "another"}))
    with pytest.raises(BadData, match="another model"):
        type(fitted).load(tmp_path).score(clip())


@pytest.mark.parametrize(("name", "wish"), [
    ("chat", {"base_url": "http://elsewhere/v1"}), ("video_text", {"trust_remote_code": True}), ("clip_zero_shot", {"checkpoint": "elsewhere"}),
])
def test_a_saved_model_cannot_say_who_is_asked_or_what_may_run(name, wish, tmp_path):
    (tmp_path / f"{name}.json").write_text(json.dumps({"config": wish, "threshold": 0.5, "model": ""}))
    with pytest.raises(BadData, match=f"{next(iter(wish))} cannot be set"):
        detectors[name].load(tmp_path)


def test_no_frame_is_no_score(fitted):
    with pytest.raises(BadData, match="not one frame"):
        fitted.stream(clip().timetable).finish(Signals.none())


@pytest.mark.parametrize("name", NAMES)
def test_both_presets_are_there_and_parameters_are_known_without_loading(name):
    kind = detectors[name]
    paper, quick = kind.preset("paper"), kind.preset("quick")
    assert quick.config.frames < paper.config.frames and type(quick.config) is type(paper.config)
    assert paper.parameters() == kind.published and (paper.parameters() > 1e8 or name in ("chat", "lavad", "video_text"))


@pytest.mark.parametrize("name", NAMES)
def test_what_is_missing_is_said(name, monkeypatch):
    for variable in ("OPENAI_BASE_URL", "PHYSAD_CHAT_MODEL", f"PHYSAD_{name.upper()}_CHECKPOINT"):
        monkeypatch.delenv(variable, raising=False)
    reason = detectors[name].unavailable()
    assert reason and (f"PHYSAD_{name.upper()}_CHECKPOINT" in reason or name == "chat")
    with pytest.raises(BadData) as error:
        detectors[name]().fit([clip()])
    assert str(error.value) == reason


def test_words_of_the_model_come_with_the_score(places):
    told = {name: detectors[name]().score(clip()) for name in ("chat", "lavad")}
    assert (told["chat"].description, told["chat"].explanation) == ("A clip is pressed.", "It closes.")
    assert told["lavad"].description == "A clip is pressed."


def test_an_answer_that_cannot_be_read_ends_inconclusive_and_says_why(places, monkeypatch):
    with serving(lambda asked: reply("I would rather not say.")) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        score = detectors["chat"]().score(clip())
    assert math.isnan(score.value) and "rather not say" in score.explanation
    verdict = decide(score, THRESHOLD, category="clip", detector="chat", frames_expected=FRAMES, frames_received=FRAMES)
    assert verdict.outcome is Outcome.INCONCLUSIVE and "not a number" in verdict.reason


def test_a_server_that_is_down_blocks_no_frame_and_ends_the_clip_with_an_error_that_names_it(places, monkeypatch):
    asked = []
    with serving(lambda request: (asked.append(request), reply("{}"))[1]) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        stream = detectors["chat"](ChatConfig(retries=0)).stream(clip().timetable)
        assert all(stream.push(frame, stamp) == 0 for frame, stamp in zip(clip().frames, clip().stamps_s)) and not asked
    with pytest.raises(BadData, match=server.url):
        stream.finish(Signals.none())


def test_a_key_is_never_written_down(places, tmp_path):
    kind = detectors["chat"]
    detector = kind(type(kind.presets["paper"])(key="secret-key"))
    detector.save(tmp_path)
    assert "secret-key" not in (tmp_path / "chat.json").read_text() and "secret-key" not in repr(detector.config)


def test_the_registry_loads_none_of_their_libraries():
    code = "import sys; from physad_ros.detectors.base import detectors as d; list(d); [d[n].unavailable() for n in d]; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert {"torch", "transformers", "openai", "torchvision"}.isdisjoint(loaded)
