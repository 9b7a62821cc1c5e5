"""What is said to a model about a category, from its title, interaction, defects and prior alone."""

from __future__ import annotations

from physad_ros.core.catalogue import Category
from physad_ros.language.base import Prompt

FORMAT = (
    'Answer with one JSON object and nothing else, of this form: {"anomalous": p, "description": "...", "explanation": "..."}. '
    "p is a number from 0, the specimen surely works, to 1, it is surely defective. The description tells what happens in the video, "
    "the explanation why the specimen works or does not; two or three sentences each."
)


def prompt_of(category: Category) -> Prompt:
    """The prompts of a category.

    As in the published protocol, a generative model is told how a working specimen behaves and not which defects there are; it is asked for a
    description, an explanation and a judgement. The two sentences that embeddings are compared with do name the defects.
    """
    thing, interaction = category.title.lower(), category.recipe.interaction.replace("_", " ")
    scene = f"a robot tries out the {thing} ({interaction}), and"
    context = (
        f"You inspect products before they are sold. The video shows one specimen of this kind: {thing}. "
        f"A robot tries it out; the interaction is called {interaction}. This is how a working specimen behaves: {category.prior.strip()}"
    )
    return Prompt(
        working=f"{scene} it works as it should",
        defective=f"{scene} it is defective: {', or '.join(category.defects.values())}",
        describe=f"{context}\nWhat happens in the video? Tell in two or three sentences what is seen, what is done to it and how it moves.",
        explain=f"{context}\nDoes the specimen in the video work as it should? Give your reason in two or three sentences.",
        judge=f"{context}\nIs the specimen in the video defective? Answer yes or no.",
        report=f"{context}\n{FORMAT}",
        context=context,
    )
