"""Checkpoints as the public ones lie on disk, tiny and with random weights; their tokenizers are trained on the prompts themselves."""

import json
from pathlib import Path

import numpy as np
import torch
import transformers as tf
from tokenizers import Tokenizer, models, pre_tokenizers, processors, trainers

from physad_ros.core.catalogue import categories, load_category
from physad_ros.language.blip2 import Blip2Config
from physad_ros.language.generating import GeneratingConfig
from physad_ros.language.imagebind.network import Towers
from physad_ros.language.local import LocalConfig
from physad_ros.language.prompts import prompt_of
from physad_ros.language.video_chatgpt import VideoChatGptConfig
from physad_ros.language.video_text import VideoTextConfig

torch.set_num_threads(1)
tf.utils.logging.disable_progress_bar()
PROMPT = prompt_of(load_category("clip"))
PICTURES = np.random.default_rng(0).integers(0, 256, (5, 40, 70, 3), np.uint8)

SIZE = 28  # pixels; patches of 14
LLAMA = dict(hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=2, num_key_value_heads=2, max_position_embeddings=2048)
VISION = dict(hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=2, image_size=SIZE, patch_size=14)


def tokenizer(begin="<s>", end="</s>", *more, closes=False):
    """Whole words of the prompts, so that yes and no are tokens; ``closes``: whether the end is written, as CLIP does."""
    made = Tokenizer(models.WordLevel(unk_token="<unk>"))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    texts = [text for name in categories() for text in vars(prompt_of(load_category(name))).values()]
    specials = ["<unk>", "<pad>", begin, *more]
    made.train_from_iterator([*texts, "yes no Yes No USER : ASSISTANT Time 0.0s: 0.5s:"], trainers.WordLevelTrainer(special_tokens=specials))
    made.add_special_tokens([end])  # the greatest id, as ImageBind counts on
    pattern = f"{begin} $A {end}" if closes else f"{begin} $A"
    ids = [(token, made.token_to_id(token)) for token in (begin, end)]
    made.post_processor = processors.TemplateProcessing(single=pattern, special_tokens=ids)
    return tf.PreTrainedTokenizerFast(tokenizer_object=made, unk_token="<unk>", pad_token="<pad>", bos_token=begin, eos_token=end)


def clip(folder: Path):
    torch.manual_seed(0)
    words = tokenizer("<|startoftext|>", "<|endoftext|>", closes=True)
    text = dict(hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=2, max_position_embeddings=77)
    text |= dict(vocab_size=len(words), eos_token_id=words.eos_token_id, bos_token_id=words.bos_token_id)
    model = tf.CLIPModel(tf.CLIPConfig(text_config=text, vision_config=VISION, projection_dim=16))
    return _saved(folder, model, words)


def imagebind(folder: Path):
    torch.manual_seed(0)
    words = tokenizer("<|startoftext|>", "<|endoftext|>", closes=True)
    towers = Towers((80, 2, 1), (64, 2, 1), 16, SIZE, len(words), 77)
    for parameter in towers.parameters():
        if parameter.dim():
            torch.nn.init.normal_(parameter, std=0.05)
    folder.mkdir(parents=True, exist_ok=True)
    words.save_pretrained(folder)
    torch.save({**towers.state_dict(), "modality_heads.audio.2.weight": torch.zeros(2)}, folder / "imagebind_huge.pth")
    return towers


def blip2(folder: Path):
    torch.manual_seed(0)
    words = tokenizer("<s>", "</s>", "<image>")
    text = tf.OPTConfig(vocab_size=len(words), hidden_size=32, ffn_dim=48, num_hidden_layers=2, num_attention_heads=2, word_embed_proj_dim=32,
                        bos_token_id=words.bos_token_id, eos_token_id=words.eos_token_id, pad_token_id=words.pad_token_id)
    former = dict(hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=2, encoder_hidden_size=32)
    config = tf.Blip2Config(vision_config=VISION, qformer_config=former, text_config=text, num_query_tokens=4,
                            image_token_index=words.convert_tokens_to_ids("<image>"))
    return _saved(folder, tf.Blip2ForConditionalGeneration(config), words)


def video_llava(folder: Path):
    torch.manual_seed(0)
    words = tokenizer("<s>", "</s>", "<image>", "<video>")
    config = tf.VideoLlavaConfig(
        vision_config=tf.CLIPVisionConfig(**VISION), text_config=_llama(words),
        image_token_index=words.convert_tokens_to_ids("<image>"), video_token_index=words.convert_tokens_to_ids("<video>"),
    )
    return _saved(folder, tf.VideoLlavaForConditionalGeneration(config), words)


def llava(folder: Path):
    """A model that takes pictures and brings a processor with a chat template."""
    torch.manual_seed(0)
    words = tokenizer("<s>", "</s>", "<image>")
    config = tf.LlavaConfig(vision_config=tf.CLIPVisionConfig(**VISION), text_config=_llama(words),
                            image_token_index=words.convert_tokens_to_ids("<image>"))
    pictures = tf.CLIPImageProcessorPil(size={"shortest_edge": SIZE}, crop_size={"height": SIZE, "width": SIZE})
    template = (
        "{% for m in messages %}USER: {% for part in m['content'] %}{% if part['type'] == 'image' %}<image> {% else %}{{ part['text'] }}"
        "{% endif %}{% endfor %}{% endfor %}{% if add_generation_prompt %} ASSISTANT:{% endif %}"
    )
    made = _saved(folder, tf.LlavaForConditionalGeneration(config), words)
    tf.LlavaProcessor(pictures, words, patch_size=14, vision_feature_select_strategy="default", num_additional_image_tokens=1,
                      chat_template=template).save_pretrained(folder)
    return made


def video_llama_3(folder: Path):
    """Its video's facts are those of the public checkpoint."""
    torch.manual_seed(0)
    picture, video = "<|image_pad|>", "<|video_pad|>"
    words = tokenizer("<s>", "</s>", picture, video)
    words.chat_template = (
        "{% for m in messages %}USER: {% for part in m['content'] %}{% if part['type'] == 'video' %}" + video + " {% else %}{{ part['text'] }}"
        "{% endif %}{% endfor %}{% endfor %}{% if add_generation_prompt %} ASSISTANT:{% endif %}"
    )
    text = {**_llama(words).to_dict(), "model_type": "qwen2"}
    vision = dict(hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=2, patch_size=14)
    config = tf.VideoLlama3Config(text_config=text, vision_config=vision, image_token_id=words.convert_tokens_to_ids(picture),
                                  video_token_id=words.convert_tokens_to_ids(video))
    facts = dict(min_pixels=12544, max_pixels=12845056, patch_size=14, temporal_patch_size=1, merge_size=2, image_mean=[0.5] * 3,
                 image_std=[0.5] * 3, resample=3, rescale_factor=1 / 255, use_token_compression=True)
    made = _saved(folder, tf.VideoLlama3ForConditionalGeneration(config), words)
    (folder / "video_preprocessor_config.json").write_text(json.dumps(facts))
    return made


def video_chatgpt(folder: Path):
    torch.manual_seed(0)
    words = tokenizer()
    _saved(folder / "llama", tf.LlamaForCausalLM(_llama(words)), words)
    tf.CLIPVisionModel(tf.CLIPVisionConfig(**VISION)).save_pretrained(folder / "clip")
    weights = {"model.mm_projector.weight": torch.randn(32, 32) / 8, "model.mm_projector.bias": torch.randn(32) / 8,
               "model.embed_tokens.weight": torch.randn(len(words) + 3, 32) / 8}
    torch.save(weights, folder / "video_chatgpt-7B.bin")
    return weights


def lavad(folder: Path):
    blip2(folder / "blip2")
    imagebind(folder / "imagebind")


def _llama(words):
    return tf.LlamaConfig(vocab_size=len(words), bos_token_id=words.bos_token_id, eos_token_id=words.eos_token_id,
                          pad_token_id=words.pad_token_id, **LLAMA)


def _saved(folder, model, words):
    model = model.eval()
    model.save_pretrained(folder)
    words.save_pretrained(folder)
    return model


#: how each back end's checkpoint is made, and what it is configured as
LOCAL = {
    "clip": (clip, LocalConfig()), "imagebind": (imagebind, LocalConfig()), "blip2": (blip2, Blip2Config()),
    "video_llava": (video_llava, GeneratingConfig(words=4)), "video_chatgpt": (video_chatgpt, VideoChatGptConfig(words=4)),
    "video_text": (llava, VideoTextConfig(words=4)), "video_llama_3": (video_llama_3, GeneratingConfig(words=4)),
}
