"""Reading what a model wrote: a number is taken from where it was asked for, or not at all."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from physad_ros.core.catalogue import categories, load_category
from physad_ros.language.answers import read_report, read_share
from physad_ros.language.prompts import prompt_of

PROSE = st.text(st.characters(exclude_characters="{}[]<>"), max_size=60)
SHARE = st.floats(0, 1)


@given(SHARE, PROSE, PROSE, st.text(max_size=40), st.text(max_size=40))
def test_a_report_is_found_in_any_prose(score, before, after, description, explanation):
    report = json.dumps({"anomalous": score, "description": description, "explanation": explanation}, ensure_ascii=False)
    answer = read_report(before + report + after)
    assert answer.score == score
    assert (answer.description, answer.explanation) == (description.strip(), explanation.strip())


@given(PROSE)
def test_prose_is_no_score(text):
    assert math.isnan(read_report(text).score) and math.isnan(read_share(text))


@given(st.text())
def test_whatever_comes_it_is_read_or_said_to_be_unreadable(text):
    answer = read_report(text)
    assert 0 <= answer.score <= 1 or "The model's answer" in answer.explanation
    assert answer.text == text


@pytest.mark.parametrize("text, score", [
    ('{"anomalous": 0.8}', 0.8),
    ('```json\n{"anomalous": "0.25", "description": "a"}\n```', 0.25),
    ('Of the form {"anomalous": p, "description": "..."}: {"anomalous": 1}', 1.0),
    ('<think>first {"anomalous": 0.1}</think>{"anomalous": 0.9}', 0.9),
    ('{"anomalous": 0.5} and again {"anomalous": 0.5}', 0.5),
    ('{"note": {"anomalous": 0.3}} {"anomalous": 0.4}', 0.4),
])
def test_what_can_be_read(text, score):
    assert read_report(text).score == score


@pytest.mark.parametrize("text", [
    "", "0.8", "The specimen is 80 % anomalous.", '{"score": 0.8}', '{"anomalous": 8}', '{"anomalous": -0.1}', '{"anomalous": true}',
    '{"anomalous": null}', '{"anomalous": NaN}', '{"anomalous": Infinity}', '{"anomalous": "very"}', '{"anomalous": "80%"}', '{"anomalous": [0.8]}',
    '{"anomalous": 0.2} no, {"anomalous": 0.9}', '{"anomalous": 0.2, "anomalous": 0.9}',
    '{"anomalous": 0.8', '{"anomalous": 0.2} or {"anomalous": "?"}',
    "{" * 3000,
])
def test_what_cannot_be_read_is_nan_and_says_so(text):
    answer = read_report(text)
    assert math.isnan(answer.score) and "The model's answer" in answer.explanation


@pytest.mark.parametrize("text, score", [("[0.3]", 0.3), ("It is [ 1 ].", 1.0), ("[0.3], I mean [0.3]", 0.3), ("<think>[0.1]</think>[0.7]", 0.7)])
def test_a_number_in_brackets_is_read(text, score):
    assert read_share(text) == score


@pytest.mark.parametrize("text", ["0.3", "[3]", "[-0.3]", "[0.1, 0.2]", "[0.1] or [0.2]", "[]", "[high]"])
def test_what_is_no_single_number_in_brackets_is_nan(text):
    assert math.isnan(read_share(text))


@pytest.mark.parametrize("name", sorted(categories()))
def test_prompts_tell_of_the_category(name):
    category = load_category(name)
    prompt = prompt_of(category)
    assert prompt.working != prompt.defective
    assert all(category.title.lower() in text for text in vars(prompt).values())
    assert all(defect in prompt.defective for defect in category.defects.values())
    for question in (prompt.describe, prompt.explain, prompt.judge, prompt.report):
        assert category.prior in question and not any(defect in question for defect in category.defects.values())
