"""VadCLIP's network: local-global temporal adapter, classification branch C, alignment branch A; and its loss."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import nn

if TYPE_CHECKING:
    from physad_ros.detectors.vadclip.text import TextTower

ALIKE = 0.7  # snippets less alike than this are as good as unlike, in the graph of likeness
TEMPERATURE = 0.07
SHARE = 16  # a clip is as its highest snippets are: one in so many, and one more


@dataclass(frozen=True)
class Sizes:
    """Of the adapter and of the prompts, as VadclipConfig says them."""

    length: int
    window: int
    heads: int
    layers: int
    prefix: int
    postfix: int


class QuickGelu(nn.Module):
    """CLIP's own approximation of the Gaussian error linear unit."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * torch.sigmoid(1.702 * x)


def widened(dim: int) -> nn.Sequential:
    """Two layers, four times as wide between."""
    return nn.Sequential(nn.Linear(dim, 4 * dim), QuickGelu(), nn.Linear(4 * dim, dim))


class LocalLayer(nn.Module):
    """A transformer's layer whose snippets (B, T, D) attend only within their window."""

    def __init__(self, dim: int, heads: int, window: int):
        super().__init__()
        self.window = window
        self.attention = nn.MultiheadAttention(dim, heads, batch_first=True)
        self.before, self.between = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.forth = widened(dim)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        window = torch.arange(x.shape[1]) // self.window
        apart = window[:, None] != window[None]  # (T, T)
        normed = self.before(x)
        x = x + self.attention(normed, normed, normed, need_weights=False, attn_mask=apart)[0]
        return x + self.forth(self.between(x))  # type: ignore[no-any-return]


class GraphLayer(nn.Module):
    """Snippets (B, T, D) take from those that the graph (B, T, T) joins them with, beside a shortcut."""

    def __init__(self, dim: int, out: int):
        super().__init__()
        self.weight = nn.Parameter(nn.init.xavier_uniform_(torch.empty(dim, out)))
        self.shortcut = nn.Identity() if dim == out else nn.Conv1d(dim, out, 5, padding=2)

    def forward(self, x: torch.Tensor, graph: torch.Tensor) -> torch.Tensor:
        return graph @ (x @ self.weight) + self.shortcut(x.transpose(1, 2)).transpose(1, 2)  # type: ignore[no-any-return]


class Adapter(nn.Module):
    """Local attention, then graphs of likeness and of nearness over the whole clip: (B, T, D) to the same."""

    def __init__(self, dim: int, sizes: Sizes):
        super().__init__()
        self.positions = nn.Embedding(sizes.length, dim)
        nn.init.normal_(self.positions.weight, std=0.01)
        self.local = nn.Sequential(*(LocalLayer(dim, sizes.heads, sizes.window) for _ in range(sizes.layers)))
        half = dim // 2
        self.alike = nn.ModuleList([GraphLayer(dim, half), GraphLayer(half, half)])
        self.near = nn.ModuleList([GraphLayer(dim, half), GraphLayer(half, half)])
        self.out = nn.Linear(dim, dim)
        self.gelu = QuickGelu()

    def forward(self, vectors: torch.Tensor) -> torch.Tensor:
        x = self.local(vectors + self.positions.weight[: vectors.shape[1]])
        sides = [x, x]
        for at, (layers, graph) in enumerate(((self.alike, likeness(x)), (self.near, nearness(x.shape[1])))):
            for layer in layers:
                sides[at] = self.gelu(layer(sides[at], graph))
        return self.out(torch.cat(sides, -1))  # type: ignore[no-any-return]


def likeness(x: torch.Tensor) -> torch.Tensor:
    """Graph (B, T, T) of the snippets' cosine likeness, its rows summing to one."""
    unit = nn.functional.normalize(x, dim=-1)
    return nn.functional.threshold(unit @ unit.transpose(1, 2), ALIKE, 0.0).softmax(-1)


def nearness(length: int) -> torch.Tensor:
    """Graph (T, T) that falls with the distance of two snippets, by e for each e of them, as in the public code."""
    at = torch.arange(length, dtype=torch.float32)
    return torch.exp(-(at[:, None] - at[None]).abs() / torch.e)


class TwoBranches(nn.Module):
    """Snippets (B, T, D) and encoded labels (P, D) to logits (B, T) of branch C and (B, T, P) of branch A."""

    def __init__(self, dim: int, width: int, context: int, sizes: Sizes):
        super().__init__()
        self.sizes = sizes
        self.adapter = Adapter(dim, sizes)
        self.more, self.classifier = widened(dim), nn.Linear(dim, 1)
        self.more_text = widened(dim)
        self.prompts = nn.Embedding(context, width)
        nn.init.normal_(self.prompts.weight, std=0.01)

    def labels(self, tower: TextTower) -> torch.Tensor:
        """The labels (P, D), each between learnt words."""
        ends = torch.tensor([self.sizes.prefix + len(words) - 1 + self.sizes.postfix for words in tower.words])
        sentences = torch.stack([self._sentence(words, int(ends.max()) + 1) for words in tower.words])  # (P, L, width)
        return tower.encode(sentences, ends)

    def _sentence(self, words: torch.Tensor, length: int) -> torch.Tensor:
        prefix, postfix, learnt = self.sizes.prefix, self.sizes.postfix, self.prompts.weight
        after = prefix + len(words) - 1
        parts = [words[:1], learnt[1 : prefix + 1], words[1:-1], learnt[after : after + postfix], words[-1:]]
        return torch.cat([*parts, learnt[after + postfix + 1 : length]])  # what follows the end is seen by nothing before it

    def forward(self, vectors: torch.Tensor, labels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        seen = self.adapter(vectors)  # (B, T, D)
        judged = self.classifier(seen + self.more(seen))  # (B, T, 1)
        looked_at = nn.functional.normalize(judged.transpose(1, 2) @ seen, dim=-1)  # (B, 1, D), the visual prompt
        said = labels[None] + looked_at  # (B, P, D)
        said = nn.functional.normalize(said + self.more_text(said), dim=-1)  # (B, P, D)
        aligned = nn.functional.normalize(seen, dim=-1) @ said.transpose(1, 2) / TEMPERATURE  # (B, T, P)
        return judged.squeeze(-1), aligned


def both_branches(judged: torch.Tensor, aligned: torch.Tensor, labels: torch.Tensor, apart: float) -> torch.Tensor:
    """The three losses of 2B clips, normal ones first, of two labels: cross entropy of each branch's highest snippets, and the labels apart."""
    kinds = torch.arange(2).repeat_interleave(len(judged) // 2)
    top = judged.shape[1] // SHARE + 1
    score = judged.sigmoid().topk(top, dim=1).values.mean(1)  # (2B,)
    loss = nn.functional.binary_cross_entropy(score, kinds.float())
    loss = loss + nn.functional.cross_entropy(aligned.topk(top, dim=1).values.mean(1), kinds)
    return loss + apart * nn.functional.cosine_similarity(labels[:1], labels[1:]).abs().mean()
