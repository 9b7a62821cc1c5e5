"""CLIP and ImageBind: pictures and sentences in one space, with tiny checkpoints."""

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

import tiny_models as tiny
import torch
import transformers as tf
from tiny_models import PICTURES, PROMPT

from physad_ros.core.errors import BadData
from physad_ros.detectors.base import detectors
from physad_ros.language.base import back_ends
from physad_ros.language.imagebind.network import Towers
from physad_ros.language.local import LocalConfig
from physad_ros.language.pictures import prepared


def test_clip_judges_as_transformers_own_forward_pass_does(opened):
    clip = opened("clip")
    tokens = clip.tokenizer([PROMPT.working, PROMPT.defective], padding=True, return_tensors="pt")
    with torch.no_grad():
        out = clip.network(pixel_values=prepared(PICTURES, tiny.SIZE), input_ids=tokens["input_ids"], attention_mask=tokens["attention_mask"])
    expected = out.logits_per_image.softmax(dim=1)[:, 1].numpy()
    assert clip.ask(PICTURES, PROMPT).per_frame == pytest.approx(expected, abs=1e-4)


def test_frames_are_prepared_as_clip_s_own_processor_does():
    square = np.random.default_rng(1).integers(0, 256, (2, 28, 28, 3), np.uint8)
    own = tf.CLIPImageProcessorPil(size={"shortest_edge": 28}, crop_size={"height": 28, "width": 28})
    expected = own([frame[..., ::-1] for frame in square], return_tensors="pt")["pixel_values"]
    assert torch.allclose(prepared(square, 28), expected, atol=1e-5)
    assert prepared(PICTURES, 28).shape == prepared(PICTURES, 28, squeeze=True).shape == (5, 3, 28, 28)


@pytest.mark.parametrize("name", ["clip", "imagebind"])
def test_embeddings_are_unit_vectors_and_padding_changes_nothing(opened, name):
    embedder = opened(name)
    together = embedder.sentences(["yes", PROMPT.defective, PROMPT.report])  # the last is longer than the model takes
    for vectors in (together, embedder.pictures(PICTURES), embedder.video(PICTURES)[None], embedder.video(PICTURES[:1])[None]):
        assert np.linalg.norm(vectors, axis=1) == pytest.approx(1)
    assert embedder.sentences(["yes"])[0] == pytest.approx(together[0], abs=1e-5)


def test_trained_clip_finds_a_planted_anomaly(opened, tmp_path):
    """After a few steps that pull bright pictures to the sentence about a defect, the saved and loaded model tells them from dark ones."""
    torch.manual_seed(0)
    folder = opened("clip").folder
    model, tokens = tf.CLIPModel.from_pretrained(folder), opened("clip").tokenizer
    dark, bright = (np.full((2, 28, 28, 3), value, np.uint8) for value in (20, 230))
    pixels = prepared(np.concatenate([dark, bright]), 28)
    texts = tokens([PROMPT.working, PROMPT.defective], padding=True, return_tensors="pt")
    optimiser = torch.optim.Adam(model.parameters(), 1e-3)
    for _ in range(25):
        logits = model(pixel_values=pixels, input_ids=texts["input_ids"], attention_mask=texts["attention_mask"]).logits_per_image
        loss = torch.nn.functional.cross_entropy(logits, torch.tensor([0, 0, 1, 1]))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    model.save_pretrained(tmp_path)
    tokens.save_pretrained(tmp_path)
    judge = back_ends["clip"](LocalConfig(checkpoint=str(tmp_path)))
    assert judge.ask(dark, PROMPT).score < 0.2 < 0.8 < judge.ask(bright, PROMPT).score


def test_imagebind_has_the_published_sizes():
    """The vision and text towers of imagebind_huge in github.com/Chopper-233/Physics-AD, models/ZSImageBind: 986,862,081 of 1,200,781,057."""
    with torch.device("meta"):
        towers = Towers()
        assert towers.picture(torch.empty(1, 3, 2, 224, 224)).shape == (1, 1024)
        assert towers.modality_trunks["text"](towers.modality_preprocessors["text"](torch.empty(1, 77, dtype=torch.long))).shape == (1, 77, 1024)
    assert sum(p.numel() for p in towers.parameters()) == 986_862_081 == detectors["imagebind_zero_shot"].published


def test_imagebind_reads_its_sizes_from_the_weights_and_gradients_reach_all_of_them(opened):
    towers = opened("imagebind").network
    again = Towers.of(towers.state_dict())
    assert {k: v.shape for k, v in again.state_dict().items()} == {k: v.shape for k, v in towers.state_dict().items()}
    with torch.enable_grad():
        seen, said = again.picture(torch.randn(2, 3, 2, tiny.SIZE, tiny.SIZE)), again.sentence(torch.tensor([[1, 5, 6, 7] + [0] * 73]))
        (seen.square().sum() + said.square().sum()).backward()
    unused = {name for name, p in again.named_parameters() if p.grad is None or not p.grad.abs().sum()}
    assert unused == {"modality_postprocessors.text.1.log_logit_scale"}


def test_imagebind_s_words_do_not_see_what_comes_after_them(opened):
    towers = opened("imagebind").network
    ids = torch.zeros(2, 77, dtype=torch.long)
    ids[:, :3] = torch.tensor([2, 5, towers.words - 1])  # the end has the greatest id
    ids[1, 5:] = 7
    with torch.no_grad():
        first, second = towers.sentence(ids)
    assert torch.equal(first, second)


def test_weights_of_something_else_are_refused():
    with pytest.raises(BadData, match="not weights of ImageBind"):
        Towers.of({"weight": torch.zeros(1)})
