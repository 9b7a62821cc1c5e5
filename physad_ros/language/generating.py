"""Models that write: whether the specimen is defective is read from what they would say next, yes or no."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any

from physad_ros.core.errors import BadData
from physad_ros.language.base import RATE_HZ, Answer, Judge, Pictures, Prompt
from physad_ros.language.local import Local, LocalConfig


@dataclass(frozen=True)
class GeneratingConfig(LocalConfig):
    """What a model that writes is asked for."""

    words: int = 120  # tokens of the description, and as many of the explanation; 0: neither is asked for


class Generating(Local, Judge):
    """Puts each question of a prompt by itself, and takes the likeliest words, so that an answer is always the same."""

    tokenizer: Any

    @abstractmethod
    def see(self, frames: Pictures, rate_hz: float) -> Any:
        """What all questions about these frames share."""

    @abstractmethod
    def inputs(self, seen: Any, question: str) -> dict[str, Any]:
        """What the network's ``generate`` takes for one question."""

    def ask(self, frames: Pictures, prompt: Prompt, rate_hz: float = RATE_HZ) -> Answer:
        seen = self.see(frames, rate_hz)
        score = self.probability(seen, prompt.judge)
        described, explained = (self.written(seen, question) if self.config.words else "" for question in (prompt.describe, prompt.explain))
        return Answer(score, "yes" if score > 0.5 else "no", described, explained)

    def probability(self, seen: Any, question: str) -> float:
        """Of yes among yes and no, as the next token's logits have it."""
        import torch

        answers = [word_tokens(self.tokenizer, word) for word in ("yes", "no")]
        with torch.inference_mode():
            out = self._generate(seen, question, max_new_tokens=1, output_logits=True, return_dict_in_generate=True)
        logits = out.logits[0][0].double()  # (V,)
        yes, no = (logits[sorted(ids)].logsumexp(dim=0) for ids in answers)
        return float((yes - no).sigmoid())  # chances of both may be so small that their ratio has no value, their difference has

    def written(self, seen: Any, question: str) -> str:
        """The answer in words."""
        import torch

        with torch.inference_mode():
            tokens, asked = self._generate(seen, question, max_new_tokens=self.config.words), self._asked
        return str(self.tokenizer.decode(tokens[0, asked:], skip_special_tokens=True)).strip()

    def _generate(self, seen: Any, question: str, **options: Any) -> Any:
        inputs = {key: value.to(self.device) if hasattr(value, "to") else value for key, value in self.inputs(seen, question).items()}
        self._asked = inputs["input_ids"].shape[1] if "input_ids" in inputs else 0  # tokens that generate repeats before its own
        return self.network.generate(**inputs, do_sample=False, **options)


def chat_text(templated: Any, content: list[dict[str, str]]) -> str:
    """One message as the chat template of a tokenizer or processor puts it, up to where the answer begins."""
    message = {"role": "user", "content": content}
    return str(templated.apply_chat_template([message], add_generation_prompt=True, tokenize=False))


def word_tokens(tokenizer: Any, word: str) -> set[int]:
    """The single tokens that are this word, in whatever case and with or without a space before it; BadData where there is none."""
    found = set()
    for variant in (word, word.capitalize(), word.upper()):
        for text in (variant, f" {variant}"):
            ids = tokenizer.encode(text, add_special_tokens=False)
            if len(ids) == 1 and ids[0] != tokenizer.unk_token_id:
                found.add(int(ids[0]))
    if not found:
        raise BadData(f"the model's tokenizer has no token for {word!r}, so that its answer cannot be read")
    return found
