"""A CLIP in transformers' layout, tiny and untrained; its words are spelt letter by letter."""

import string
from pathlib import Path

import torch
from transformers import CLIPConfig, CLIPModel, CLIPTokenizer

DIM, SIZE = 16, 32  # numbers of an embedding, pixels of a picture


def write_tiny_clip(folder: Path, seed: int = 0) -> CLIPModel:
    letters = string.ascii_lowercase
    vocabulary = {word: i for i, word in enumerate([*letters, *(f"{x}</w>" for x in letters), "<|startoftext|>", "<|endoftext|>"])}
    begin, end = len(vocabulary) - 2, len(vocabulary) - 1
    layers = dict(hidden_size=24, intermediate_size=32, num_hidden_layers=2, num_attention_heads=2)
    text = dict(**layers, vocab_size=len(vocabulary), bos_token_id=begin, eos_token_id=end, pad_token_id=end)
    torch.manual_seed(seed)
    model = CLIPModel(CLIPConfig(text_config=text, vision_config=dict(**layers, image_size=SIZE, patch_size=8), projection_dim=DIM))
    model.save_pretrained(folder)
    CLIPTokenizer(vocab=vocabulary, merges=[]).save_pretrained(folder)
    return model.eval()
