"""A category is told by its look; nothing is told as nothing, and what is not known as not sure."""

import cv2
import numpy as np
import pytest

from physad_ros.core.errors import BadData
from physad_ros.perception.describe import look
from physad_ros.perception.prototypes import Perceiver


def drawn(shape, seed, size=(640, 360)):
    rng = np.random.default_rng(seed)
    picture = rng.integers(0, 8, (size[1], size[0], 3), np.uint8)
    x, y = (int(v) for v in rng.normal((320, 180), 4))
    if shape == "disc":
        cv2.circle(picture, (x, y), int(rng.uniform(75, 85)), (30, 30, 200), -1)
    elif shape == "bar":
        cv2.rectangle(picture, (x - 180, y - 20), (x + 180, y + 20), (200, 200, 200), -1)
    else:
        cv2.fillConvexPoly(picture, np.array([(x, y - 120), (x - 60, y + 100), (x + 60, y + 100)]), (40, 180, 40))
    return picture


@pytest.fixture(scope="module")
def perceiver():
    return Perceiver.fit({s: [drawn(s, i) for i in range(20)] for s in ("disc", "bar")})


@pytest.mark.parametrize("shape", ["disc", "bar"])
def test_new_pictures_of_a_known_category_are_told(perceiver, shape):
    told = [perceiver.perceive(drawn(shape, seed)) for seed in range(100, 120)]
    assert sum((p.outcome, p.category) == ("known", shape) for p in told) >= 18
    assert all(0 <= p.confidence <= 1 for p in told)


def test_nothing_is_nothing_and_something_else_is_not_sure(perceiver):
    assert perceiver.perceive(np.full((360, 640, 3), 6, np.uint8)).outcome == "nothing"
    assert perceiver.perceive(drawn("triangle", 0)).outcome == "unsure"
    assert perceiver.perceive(drawn("disc", 0), among=["bar"]).outcome == "unsure"


@pytest.mark.parametrize("size", [(640, 360), (1920, 1080), (320, 180)])
def test_the_region_is_in_pixels_of_the_picture_given(size):
    picture = cv2.resize(drawn("bar", 1), size, interpolation=cv2.INTER_AREA)
    x, _, width, height = look(picture).region
    assert width / size[0] == pytest.approx(361 / 640, abs=0.03) and height / size[1] == pytest.approx(41 / 360, abs=0.03)
    assert abs(x + width / 2 - size[0] / 2) < 0.03 * size[0]


def test_attributes_are_a_persons_words():
    assert {"colour: red", "orientation: round"} <= set(look(drawn("disc", 1)).attributes)
    assert {"colour: light grey", "orientation: lying"} <= set(look(drawn("bar", 1)).attributes)
    assert {"colour: green"} <= set(look(drawn("triangle", 1)).attributes)


def test_a_name_is_contradicted_by_another_thing_and_by_none_of_its_own(perceiver):
    for shape, other in (("disc", "bar"), ("bar", "disc")):
        pictures = [drawn(shape, seed) for seed in range(200, 210)]
        assert all(perceiver.perceive(p, named=other).contradicts for p in pictures)
        assert not any(perceiver.perceive(p, named=shape).contradicts for p in pictures)
    assert perceiver.perceive(drawn("triangle", 0), named="disc").contradicts


@pytest.mark.parametrize("named, distances, contradicts", [
    ("slide", {"slide": 1.0, "fan": 5.0}, False),
    ("slide", {"slide": 1.7, "fan": 1.5}, False),  # merely not sure: a wide category is near to everything
    ("fan", {"slide": 1.4, "fan": 1.6}, True),  # the same, named wrongly
    ("slide", {"slide": 1.7, "fan": 0.3}, True),
    ("slide", {"slide": 1.2, "fan": 0.2}, False),  # within reach
    ("slide", {"slide": 3.0, "fan": 9.0}, True),  # nearest to what it was named, and yet far from it
    ("slide", {"fan": 0.5}, False),  # never learnt
])
def test_what_contradicts_a_name(named, distances, contradicts):
    """Distances are in radii; that of fans is three times that of slides."""
    perceiver = Perceiver(("fan", "slide"), np.zeros((2, 3)), np.array([0, 1]), np.array([0.54, 0.18]))
    assert perceiver._contradicts(distances, named) is contradicts


def test_without_a_name_nothing_is_contradicted(perceiver):
    assert not perceiver.perceive(drawn("disc", 0)).contradicts
    assert not perceiver.perceive(drawn("disc", 0), named="spoon").contradicts


def test_prototypes_read_back(perceiver, tmp_path):
    perceiver.save(tmp_path / "p.npz")
    again = Perceiver.read(tmp_path / "p.npz")
    one, other = perceiver.perceive(drawn("disc", 7)), again.perceive(drawn("disc", 7))
    assert one.category == other.category and one.confidence == pytest.approx(other.confidence, abs=1e-4)
    with pytest.raises(BadData, match="fit-perception"):
        Perceiver.read(tmp_path / "none.npz")


def test_pictures_of_nothing_teach_nothing():
    with pytest.raises(BadData, match="show nothing"):
        Perceiver.fit({"void": [np.zeros((360, 640, 3), np.uint8)] * 3})
