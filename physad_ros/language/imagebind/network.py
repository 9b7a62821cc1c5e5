"""The vision and text towers of ImageBind, with parameters named as in its public checkpoint."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from physad_ros.core.errors import BadData

TOWERS = ("vision", "text")
HEAD_WIDTH = {"vision": 80, "text": 64}  # of one attention head in the published model
PATCH = (2, 14, 14)  # frames, rows and columns of one token


class Attention(nn.MultiheadAttention):
    def forward(self, tokens: Tensor, mask: Tensor | None) -> Tensor:  # type: ignore[override]
        return super().forward(tokens, tokens, tokens, need_weights=False, attn_mask=mask)[0]


class Mlp(nn.Module):
    def __init__(self, width: int):
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, tokens: Tensor) -> Tensor:
        return self.fc2(nn.functional.gelu(self.fc1(tokens)))


class Block(nn.Module):
    """Pre-norm transformer block."""

    def __init__(self, width: int, heads: int):
        super().__init__()
        self.attn = Attention(width, heads, batch_first=True)
        self.mlp = Mlp(width)
        self.norm_1, self.norm_2 = nn.LayerNorm(width, eps=1e-6), nn.LayerNorm(width, eps=1e-6)

    def forward(self, tokens: Tensor, mask: Tensor | None) -> Tensor:
        tokens = tokens + self.attn(self.norm_1(tokens), mask)
        return tokens + self.mlp(self.norm_2(tokens))


class Trunk(nn.Module):
    def __init__(self, width: int, blocks: int, heads: int, norm_first: bool):
        super().__init__()
        self.pre_transformer_layer = nn.Sequential(nn.LayerNorm(width, eps=1e-6)) if norm_first else nn.Sequential()
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(blocks))

    def forward(self, tokens: Tensor, mask: Tensor | None = None) -> Tensor:
        tokens = self.pre_transformer_layer(tokens)
        for block in self.blocks:
            tokens = block(tokens, mask)
        return tokens


class PatchTokens(nn.Module):
    """Pairs of frames to tokens, with a class token before them."""

    def __init__(self, width: int, size: int):
        super().__init__()
        _, rows, columns = PATCH
        self.rgbt_stem: Any = nn.Module()
        self.rgbt_stem.proj = nn.ModuleDict({"1": nn.Conv3d(3, width, PATCH, PATCH, bias=False)})
        self.cls_token = nn.Parameter(torch.zeros(1, 1, width))
        self.pos_embedding_helper: Any = nn.Module()
        self.pos_embedding_helper.pos_embed = nn.Parameter(torch.zeros(1, 1 + (size // rows) * (size // columns), width))

    def forward(self, video: Tensor) -> Tensor:
        patches = self.rgbt_stem.proj["1"](video).flatten(2).transpose(1, 2)  # (B, P, C)
        tokens = torch.cat([self.cls_token.expand(len(video), -1, -1), patches], dim=1)  # (B, 1 + P, C)
        return tokens + self.pos_embedding_helper.pos_embed


class WordTokens(nn.Module):
    """Ids to tokens; each sees only those before it."""

    def __init__(self, width: int, words: int, context: int):
        super().__init__()
        self.token_embedding = nn.Embedding(words, width)
        self.pos_embed = nn.Parameter(torch.zeros(1, context, width))
        self.register_buffer("mask", torch.full((context, context), float("-inf")).triu(1))

    def forward(self, ids: Tensor) -> Tensor:
        return self.token_embedding(ids) + self.pos_embed  # (B, L, C)


class Towers(nn.Module):
    """Both towers; the sizes are those of the weights that are to be loaded.

    Args:
        vision, text: width, blocks and heads of each.
        out: width of the common space.
        size: of the square pictures, in pixels.
        words, context: of the tokenizer, and how many of them a sentence may have.
    """

    def __init__(self, vision: tuple[int, int, int] = (1280, 32, 16), text: tuple[int, int, int] = (1024, 24, 16), out: int = 1024,
                 size: int = 224, words: int = 49408, context: int = 77):
        super().__init__()
        self.size, self.words, self.context = size, words, context
        self.modality_preprocessors = nn.ModuleDict({
            "vision": PatchTokens(vision[0], size), "text": WordTokens(text[0], words, context),
        })
        self.modality_trunks = nn.ModuleDict({"vision": Trunk(*vision, norm_first=True), "text": Trunk(*text, norm_first=False)})
        head: Any = nn.Module()
        head.proj = nn.Sequential(nn.LayerNorm(text[0], eps=1e-6), nn.Linear(text[0], out, bias=False))
        self.modality_heads = nn.ModuleDict({
            "vision": nn.ModuleDict({"0": nn.LayerNorm(vision[0], eps=1e-6), "2": nn.Linear(vision[0], out, bias=False)}), "text": head,
        })
        scaling: Any = nn.Module()
        scaling.log_logit_scale = nn.Parameter(torch.tensor(1 / 0.07).log())
        self.modality_postprocessors = nn.ModuleDict({"text": nn.ModuleDict({"1": scaling})})

    @classmethod
    def of(cls, state: Mapping[str, Tensor]) -> Towers:
        """The towers with these weights, as large as they are; those of other senses are left out. BadData where some are missing."""
        try:
            pos, words = state["modality_preprocessors.vision.pos_embedding_helper.pos_embed"], state["modality_preprocessors.text.pos_embed"]
            vocabulary = len(state["modality_preprocessors.text.token_embedding.weight"])
            out = len(state["modality_heads.vision.2.weight"])
            sizes = {name: _trunk(state, name, width.shape[2]) for name, width in (("vision", pos), ("text", words))}
        except KeyError as error:
            raise BadData(f"these are not weights of ImageBind: {error} is missing") from error
        made = cls(sizes["vision"], sizes["text"], out, round((pos.shape[1] - 1) ** 0.5) * PATCH[1], vocabulary, words.shape[1])
        made.load_state_dict({key: value for key, value in state.items() if key.split(".")[1] in TOWERS})
        return made

    @property
    def scale(self) -> float:
        """By what cosines are multiplied before a softmax; no more than 100."""
        post: Any = self.modality_postprocessors["text"]
        return min(float(post["1"].log_logit_scale.detach().exp()), 100.0)

    def picture(self, video: Tensor) -> Tensor:
        """Pairs of frames (B, 3, 2, S, S) in the common space (B, D), not normalised."""
        tokens = self.modality_trunks["vision"](self.modality_preprocessors["vision"](video))  # (B, 1 + P, C)
        head: Any = self.modality_heads["vision"]
        return head["2"](head["0"](tokens[:, 0]))

    def sentence(self, ids: Tensor) -> Tensor:
        """Token ids (B, L), zero after the end, in the common space (B, D), not normalised. The end has the greatest id."""
        words: Any = self.modality_preprocessors["text"]
        head: Any = self.modality_heads["text"]
        tokens = self.modality_trunks["text"](words(ids), words.mask)  # (B, L, C)
        ends = tokens[torch.arange(len(ids)), ids.argmax(dim=1)]  # (B, C)
        return head.proj(ends)


def _trunk(state: Mapping[str, Tensor], name: str, width: int) -> tuple[int, int, int]:
    """Width, blocks and heads of a tower. Heads do not show in the weights: their width is the published one."""
    start = f"modality_trunks.{name}.blocks."
    blocks = len({key.removeprefix(start).split(".")[0] for key in state if key.startswith(start)})
    return width, blocks, max(1, width // HEAD_WIDTH[name])
