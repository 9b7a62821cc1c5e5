"""Video-LLaVA, Video-ChatGPT and whatever transformers has: their scores are the next token's, with tiny checkpoints."""

import importlib.util
from dataclasses import replace

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
from physad_ros.language.generating import word_tokens
from physad_ros.language.video_chatgpt import VideoChatGptConfig
from physad_ros.language.video_chatgpt.network import FRAMES, VideoLlama, pooled
from physad_ros.language.video_text import VideoTextConfig

WRITERS = ("video_llava", "video_chatgpt", "video_text")


@pytest.mark.parametrize("name", WRITERS)
def test_the_score_is_the_probability_of_yes_among_yes_and_no(opened, name):
    writer = opened(name)
    inputs = writer.inputs(writer.see(PICTURES, 4.0), PROMPT.judge)
    network = writer.network.llama if name == "video_chatgpt" else writer.network
    with torch.no_grad():
        logits = network(**inputs).logits[0, -1]
    unknown = writer.tokenizer.unk_token_id
    ids = [[i for i in writer.tokenizer.convert_tokens_to_ids(words) if i != unknown] for words in (("yes", "Yes"), ("no", "No"))]
    yes, no = (float(logits.softmax(0)[i].sum()) for i in ids)
    assert writer.ask(PICTURES, PROMPT).score == pytest.approx(yes / (yes + no), rel=1e-4)


@pytest.mark.parametrize("name", WRITERS)
def test_what_is_seen_and_what_is_asked_both_count(opened, name):
    writer = opened(name)
    other = replace(PROMPT, judge="Is it closed?")
    scores = {writer.ask(PICTURES, PROMPT).score, writer.ask(255 - PICTURES, PROMPT).score, writer.ask(PICTURES, other).score}
    assert len(scores) == 3


@pytest.mark.parametrize("name", WRITERS)
def test_sentences_are_the_model_s_own_words_and_only_if_wanted(opened, name):
    writer = opened(name)
    answer = writer.ask(PICTURES, PROMPT)
    assert answer.description and "ASSISTANT" not in answer.description and len(answer.description.split()) <= 8
    writer.config = replace(writer.config, words=0)
    short = writer.ask(PICTURES, PROMPT)
    writer.config = replace(writer.config, words=4)
    assert short.score == answer.score and short.description == short.explanation == ""


def test_a_tokenizer_without_yes_is_refused():
    with pytest.raises(BadData, match="'maybe'"):
        word_tokens(tiny.tokenizer(), "maybe")


def test_video_chatgpt_pools_over_space_then_over_time():
    features = torch.arange(12, dtype=torch.float32).reshape(2, 3, 2)  # 2 frames, 3 patches
    out = pooled(features)
    assert out.shape == (FRAMES + 3, 2)
    assert out[:2].tolist() == [[2, 3], [8, 9]] and not out[2:FRAMES].any()
    assert out[FRAMES:].tolist() == [[3, 4], [5, 6], [7, 8]]


def test_video_chatgpt_puts_the_video_between_its_marks(opened):
    writer = opened("video_chatgpt")
    seen = writer.see(PICTURES, 4.0)
    assert seen.shape == (FRAMES + 4, 32)
    embeddings = writer.inputs(seen, "Is it?")["inputs_embeds"][0]
    table = writer.network.llama.get_input_embeddings().weight
    at = [i for i in range(len(embeddings)) if torch.equal(embeddings[i], seen[0])]
    (begin,) = at
    assert torch.equal(embeddings[begin : begin + len(seen)], seen)
    assert torch.equal(embeddings[begin - 1], table[-2]) and torch.equal(embeddings[begin + len(seen)], table[-1])


def test_video_chatgpt_s_weights_come_from_its_checkpoint(tmp_path):
    weights = tiny.video_chatgpt(tmp_path)
    kept = VideoChatGptConfig(checkpoint=str(tmp_path))
    network = back_ends["video_chatgpt"](kept).network
    assert torch.equal(network.projector.weight, weights["model.mm_projector.weight"])
    assert torch.equal(network.llama.get_input_embeddings().weight, weights["model.embed_tokens.weight"])
    torch.save({**weights, "model.embed_tokens.weight": torch.zeros(5, 32)}, tmp_path / "video_chatgpt-7B.bin")
    with pytest.raises(BadData, match="5 words"):
        back_ends["video_chatgpt"](kept)


def test_the_language_models_have_the_published_sizes():
    """CLIP ViT-B/32 and LLaMA-7B as transformers' defaults have them; Video-LLaVA-7B-hf's files hold 14.7 GB in two bytes a number."""
    with torch.device("meta"):
        vision = tf.CLIPVisionConfig(hidden_size=1024, intermediate_size=4096, num_hidden_layers=24, num_attention_heads=16, patch_size=14)
        made = {
            "clip_zero_shot": tf.CLIPModel(tf.CLIPConfig()),
            "video_llava": tf.VideoLlavaForConditionalGeneration(tf.VideoLlavaConfig(text_config=tf.LlamaConfig(vocab_size=32064))),
            "video_chatgpt": VideoLlama(tf.CLIPVisionModel(vision), tf.LlamaForCausalLM(tf.LlamaConfig())),
        }
    for name, network in made.items():
        assert sum(p.numel() for p in network.parameters()) == detectors[name].published


@pytest.mark.skipif(importlib.util.find_spec("torchvision") is None, reason="transformers prepares videos with torchvision")
def test_videollama_3_takes_a_video_through_its_own_processor(tmp_path):
    tiny.video_llama_3(tmp_path)
    writer = back_ends["video_text"](VideoTextConfig(checkpoint=str(tmp_path), words=4))
    inputs = writer.inputs(writer.see(PICTURES, 4.0), PROMPT.judge)
    assert "pixel_values_videos" in inputs and 0 < writer.ask(PICTURES, PROMPT).score < 1
