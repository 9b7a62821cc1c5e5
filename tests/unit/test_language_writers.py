"""Video-LLaVA, Video-ChatGPT, VideoLLaMA 3 and whatever transformers has: their scores are the next token's, with tiny checkpoints."""

import json
from dataclasses import replace

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
from physad_ros.language.generating import GeneratingConfig, word_tokens
from physad_ros.language.video_chatgpt import VideoChatGptConfig
from physad_ros.language.video_chatgpt.network import FRAMES, VideoLlama, pooled
from physad_ros.language.video_llama_3 import told_apart

WRITERS = ("video_llava", "video_chatgpt", "video_text", "video_llama_3")


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
    written = network.llama.get_output_embeddings().weight
    assert torch.allclose(written[-3:], written[:-3].mean(dim=0).expand(3, -1))  # of the words that were added, which no file has
    torch.save({**weights, "model.embed_tokens.weight": torch.zeros(5, 32)}, tmp_path / "video_chatgpt-7B.bin")
    with pytest.raises(BadData, match="5 words"):
        back_ends["video_chatgpt"](kept)


def test_the_language_models_have_the_published_sizes():
    """CLIP ViT-B/32 and LLaMA-7B as transformers' defaults have them. At two bytes a number, the files of Video-LLaVA-7B-hf hold 14.7 GB and
    that of VideoLLaMA3-2B-Image-HF 3.92 GB."""
    text = dict(model_type="qwen2", hidden_size=1536, intermediate_size=8960, num_hidden_layers=28, num_attention_heads=12)
    text |= dict(num_key_value_heads=2, vocab_size=151936, tie_word_embeddings=True)
    sight = dict(hidden_size=1152, intermediate_size=4304, num_hidden_layers=27, num_attention_heads=16, patch_size=14)
    config = tf.VideoLlama3Config(text_config=text, vision_config=sight, tie_word_embeddings=True)
    with torch.device("meta"):
        vision = tf.CLIPVisionConfig(hidden_size=1024, intermediate_size=4096, num_hidden_layers=24, num_attention_heads=16, patch_size=14)
        made = {
            "clip_zero_shot": tf.CLIPModel(tf.CLIPConfig()),
            "video_llava": tf.VideoLlavaForConditionalGeneration(tf.VideoLlavaConfig(text_config=tf.LlamaConfig(vocab_size=32064))),
            "video_llama": tf.VideoLlama3ForConditionalGeneration(config),
            "video_chatgpt": VideoLlama(tf.CLIPVisionModel(vision), tf.LlamaForCausalLM(tf.LlamaConfig())),
        }
    for name, network in made.items():
        assert sum(p.numel() for p in network.parameters()) == detectors[name].published


def test_videollama_3_gets_of_each_frame_what_changed_with_its_time(opened):
    writer = opened("video_llama_3")
    frames = np.repeat(PICTURES[:1], 3, axis=0)
    frames[2, :20, :35] = 0  # the upper left quarter of the last one
    video, tokens, _ = writer.see(frames, 2.0)
    rows, columns = (video["video_grid_thw"][0, 1:] // 2).tolist()  # 40x70 pixels are scaled up to the least area, of multiples of 28
    assert video["video_grid_thw"].tolist() == [[3, 8, 12]] and video["pixel_values_videos"].shape == (3 * 8 * 12, 3 * 14 * 14)
    assert tokens[:2] == [rows * columns, 1] and 4 <= tokens[2] < rows * columns
    ids = writer.inputs((video, tokens, 2.0), "Is it?")["input_ids"][0]
    assert int((ids == writer.network.config.video_token_id).sum()) == sum(tokens) == int(video["video_compression_mask"].sum())
    said = writer.tokenizer.decode(ids).replace(" ", "")
    assert said.count("Time") == 3 and all(f"Time{time}:<|video_pad|>" in said for time in ("0.0s", "0.5s"))


def test_videollama_3_tells_tokens_apart_as_by_hand():
    tokens = torch.zeros(3, 2, 4)
    tokens[1, 1] = 0.2 / 255  # changes by twice as much as counts, on average
    tokens[2] = tokens[1] + torch.tensor([0.3, 0, 0, 0]) / 255  # by 0.3 / 4, which does not count
    assert told_apart(tokens).tolist() == [[True, True], [False, True], [True, False]]


def test_videollama_3_patches_are_blocks_of_two_by_two(opened):
    """A picture of four colours, each one token of the language model: its four patches hold that colour, standardised."""
    frame = np.zeros((112, 112, 3), np.uint8)
    frame[:56, 56:], frame[56:, :56], frame[56:, 56:] = (255, 0, 0), (0, 255, 0), (0, 0, 255)  # BGR
    video, _, _ = opened("video_llama_3").see(frame[None], 4.0)
    blocks = video["pixel_values_videos"].reshape(4, 4, 4, 3, 196)  # (row, column, patch, RGB, pixel)
    means = blocks.mean(dim=(2, 4))  # (4, 4, 3)
    expected = {(0, 0): (-1, -1, -1), (0, 3): (-1, -1, 1), (3, 0): (-1, 1, -1), (3, 3): (1, -1, -1)}
    for (row, column), colour in expected.items():
        assert means[row, column].tolist() == pytest.approx(colour, abs=1e-5)


@pytest.mark.parametrize("change, match", [({"temporal_patch_size": 2}, "2 at a time"), ({"merge_size": None}, "cannot be loaded")])
def test_a_videollama_3_that_wants_its_video_otherwise_is_refused(tmp_path, change, match):
    tiny.video_llama_3(tmp_path)
    file = tmp_path / "video_preprocessor_config.json"
    facts = {key: value for key, value in {**json.loads(file.read_text()), **change}.items() if value is not None}
    file.write_text(json.dumps(facts))
    with pytest.raises(BadData, match=match):
        back_ends["video_llama_3"](GeneratingConfig(checkpoint=str(tmp_path)))


def test_what_a_processor_s_file_says_of_videos_is_read(tmp_path, opened):
    tiny.video_llama_3(tmp_path)
    file = tmp_path / "video_preprocessor_config.json"
    (tmp_path / "processor_config.json").write_text(json.dumps({"video_processor": json.loads(file.read_text())}))
    file.unlink()
    writer = back_ends["video_llama_3"](GeneratingConfig(checkpoint=str(tmp_path), words=0))
    assert writer.ask(PICTURES, PROMPT).score == opened("video_llama_3").ask(PICTURES, PROMPT).score


def test_a_question_begins_once(opened):
    """Some chat templates write the token that begins a text, which tokenizers write by themselves."""
    writer = opened("video_text")
    template, begin = writer.processor.chat_template, writer.tokenizer.bos_token_id
    try:
        for text in (template, "<s>" + template):
            writer.processor.chat_template = text
            ids = writer.inputs(writer.see(PICTURES, 4.0), "Is it?")["input_ids"][0].tolist()
            assert ids[0] == begin and ids.count(begin) == 1
    finally:
        writer.processor.chat_template = template
