"""The back ends with real loading code and tiny checkpoints that lie on disk as the public ones do."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

from safetensors.torch import load_file, save_file
from tiny_models import LOCAL, PICTURES, PROMPT

from physad_ros.core.errors import BadData
from physad_ros.language.base import back_ends
from physad_ros.language.pictures import sampled
from physad_ros.language.video_text import VideoText, VideoTextConfig


def test_all_back_ends_are_tested():
    assert set(back_ends) == {*LOCAL, "chat", "lavad"}


@pytest.mark.parametrize("name", LOCAL)
def test_what_is_missing_is_said_before_anything_is_loaded(name, tmp_path):
    kind, config = back_ends[name], LOCAL[name][1]
    assert "no folder" in kind.unavailable(config)
    lacking = kind.unavailable(replace(config, checkpoint=str(tmp_path)))
    assert str(tmp_path) in lacking and kind.files[0] in lacking
    with pytest.raises(BadData, match="no folder"):
        kind(config)


@pytest.mark.parametrize("name", LOCAL)
def test_a_broken_checkpoint_is_refused_by_its_folder(name, tmp_path):
    for file in back_ends[name].files:
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).write_text("{}")
    with pytest.raises(BadData, match=str(tmp_path)):
        back_ends[name](replace(LOCAL[name][1], checkpoint=str(tmp_path)))


@pytest.mark.parametrize("name", ["clip", "blip2", "video_llava", "video_text", "video_llama_3"])
def test_weights_that_are_missing_are_not_made_up(name, tmp_path):
    build, config = LOCAL[name]
    build(tmp_path)
    weights = load_file(tmp_path / "model.safetensors")
    gone = next(key for key in sorted(weights) if key.endswith("weight"))
    save_file({key: tensor for key, tensor in weights.items() if key != gone}, tmp_path / "model.safetensors", {"format": "pt"})
    with pytest.raises(BadData, match="lacks 1 of the model's weights"):
        back_ends[name](replace(config, checkpoint=str(tmp_path)))


@pytest.mark.parametrize("name", sorted(set(LOCAL) - {"blip2"}))
def test_an_answer_is_a_probability_and_always_the_same(opened, name):
    one, other = (opened(name).ask(PICTURES, PROMPT) for _ in range(2))
    assert 0 < one.score < 1
    assert (one.score, one.description, one.explanation) == (other.score, other.description, other.explanation)
    assert opened(name).parameters() > 10_000


def test_captions_are_one_a_frame_whatever_the_batch(opened):
    captioner = opened("blip2")
    whole = captioner.captions(PICTURES)
    captioner.config = replace(captioner.config, batch=2)
    assert whole == captioner.captions(PICTURES) and len(whole) == len(PICTURES)
    assert all(len(caption.split()) <= 20 for caption in whole) and len(set(whole)) > 1


@pytest.mark.parametrize("total, count", [(120, 8), (7, 8), (8, 8), (240, 100), (101, 100), (1, 1)])
def test_frames_are_drawn_evenly(total, count):
    chosen = sampled(total, count)
    gaps = np.diff([-1, *chosen, total])
    assert len(chosen) == min(total, count) == len(set(chosen)) and chosen[0] >= 0 and chosen[-1] < total
    assert max(gaps) <= math.ceil(total / count) + 1


def test_code_in_a_folder_does_not_run_unless_it_is_trusted(tmp_path):
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "theirs", "auto_map": {"AutoConfig": "theirs.Config"}}))
    (tmp_path / "theirs.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\nfrom transformers import PretrainedConfig as Config\n")
    with pytest.raises(BadData, match="cannot be loaded"):
        VideoText(VideoTextConfig(checkpoint=str(tmp_path)))
    assert not (tmp_path / "ran").exists()
