"""MNAD: sizes as published, its memory and losses against small cases by hand, its gradients, its update while it scores."""

from math import exp, sqrt

import moving_square
import numpy as np
import pytest
import torch
from tiny_networks import tiny

from physad_ros.detectors.base import detectors
from physad_ros.detectors.mnad import memory, regular_score
from physad_ros.detectors.mnad.network import rows
from physad_ros.detectors.terms import psnr

ITEMS = torch.tensor([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]])
QUERIES = torch.tensor([[0.8, 0.6], [0.6, 0.8], [1.0, 0.0]])


@pytest.mark.parametrize(("name", "count", "inputs"), [("mnad_p", 15_651_843, 12), ("mnad_r", 17_196_291, 3)])
def test_sizes_are_those_of_the_public_code(name, count, inputs):
    """15 651 843 numbers for prediction, (1, 12, 256, 256) in, and 17 196 291 for reconstruction, (1, 3, 256, 256) in;
    both make (1, 3, 256, 256) by way of 512 features at 32 x 32 places and a memory of 10 x 512.

    Counted on `convAE` in models/MNAD of the published benchmark, Chopper-233/Physics-AD, which are those of cvlab-yonsei/MNAD.
    Of these, 1024 are a batch norm that the public encoder has and never uses; it is left out here. With the public weights,
    pictures and losses were the same to within 1e-5.
    """
    paper = detectors[name].preset("paper")
    assert paper.parameters() == count - 1024
    assert paper.config.items == 10
    with torch.device("meta"):
        network = paper.build()
        asked, skips = network.encode(torch.empty(1, inputs, 256, 256))
        made = network.decode(asked, skips, network.items)
    assert network.items.shape == (10, 512) and asked.shape == (1, 512, 32, 32) and made.shape == (1, 3, 256, 256)


def test_weights_are_the_public_ones():
    """Those that the README of cvlab-yonsei/MNAD gives for each task."""
    one, other = detectors["mnad_p"].preset("paper").config, detectors["mnad_r"].preset("paper").config
    assert (one.window, one.compactness, one.separateness, one.balance, one.regular) == (5, 0.1, 0.1, 0.6, 0.01)
    assert (other.window, other.compactness, other.separateness, other.balance, other.regular) == (1, 0.01, 0.01, 0.7, 0.015)


@pytest.mark.parametrize("name", ["mnad_p", "mnad_r"])
def test_training_is_the_published_benchmarks(name):
    """options/MNAD/option.py of Chopper-233/Physics-AD; its authors' own differs in epochs (60)."""
    config = detectors[name].presets["paper"]
    assert (config.size, config.batch, config.epochs, config.learning_rate, config.annealed) == (256, 4, 7, 2e-4, True)


@pytest.mark.parametrize("name", ["mnad_p", "mnad_r"])
def test_the_loss_is_the_sum_of_its_parts(name):
    torch.manual_seed(0)
    windows = 2 * torch.rand(2, tiny(name).config.window, 3, 32, 32) - 1
    network = tiny(name).build().eval()
    begin = network.items

    def loss(compactness, separateness):
        detector = tiny(name, compactness=compactness, separateness=separateness)
        detector.network, network.items = network, begin
        return detector.loss(windows).item()

    shown, frame = tiny(name).split(windows)
    asked, skips = network.encode(shown)
    queries = rows(asked)
    error = (network.decode(asked, skips, begin) - frame).square().mean().item()
    assert loss(0.0, 0.0) == pytest.approx(error, rel=1e-5)
    assert loss(100.0, 0.0) - error == pytest.approx(100 * memory.compactness(queries, begin).item(), rel=1e-3)
    assert loss(0.0, 100.0) - error == pytest.approx(100 * memory.separateness(queries, begin).item(), rel=1e-3)


def test_addressing_by_hand():
    weights = memory.address(QUERIES[2:], ITEMS)[0].tolist()
    assert weights == pytest.approx([w / (exp(1) + 1 + exp(-1)) for w in (exp(1), 1.0, exp(-1))])


def test_addressing_sums_to_one_and_reads_between_the_items():
    torch.manual_seed(0)
    queries = torch.nn.functional.normalize(torch.randn(40, 16), dim=1)
    items = torch.nn.functional.normalize(torch.rand(10, 16), dim=1)
    assert torch.allclose(memory.address(queries, items).sum(1), torch.ones(40))
    answers = memory.read(queries, items)
    assert answers.shape == (40, 16) and (answers >= items.amin(0)).all() and (answers <= items.amax(0)).all()


def test_compactness_by_hand():
    """Nearest are the first, the second, the first item; squared distances 0.4, 0.4 and 0, over 3 queries and 2 channels."""
    assert float(memory.compactness(QUERIES, ITEMS)) == pytest.approx(0.8 / 6)
    assert memory.distance(QUERIES, ITEMS).tolist() == pytest.approx([sqrt(0.4), sqrt(0.4), 0.0])


def test_separateness_by_hand():
    """The first two are sqrt 0.4 from the nearest and sqrt 0.8 from the second; the third lies 0 and sqrt 2 from them."""
    first = sqrt(0.4) - sqrt(0.8) + 1.0
    assert float(memory.separateness(QUERIES, ITEMS)) == pytest.approx(2 * first / 3, rel=1e-5)  # the third is far enough


def test_update_by_hand():
    """The first item takes up the third query whole and the first with exp(0.8 - 1), the second item the second; the third none."""
    share = exp(0.8 - 1.0)
    expected = torch.tensor([[1 + 1 + share * 0.8, share * 0.6], [0.6, 1.8], [-1.0, 0.0]])
    expected = expected / torch.linalg.vector_norm(expected, dim=1, keepdim=True)
    assert torch.allclose(memory.update(QUERIES, ITEMS), expected)


def test_regular_score_by_hand():
    """Errors 0.25 and 0 in [0, 1]: the weight of the second is none, so the first alone counts."""
    assert regular_score(torch.tensor([0.0, 0.5]), torch.tensor([1.0, 0.5])) == pytest.approx(0.25)
    assert regular_score(torch.zeros(4), torch.zeros(4)) == 0.0


def test_psnr_by_hand():
    """Off by a tenth of the span everywhere is 20 dB; a perfect picture does not divide by zero."""
    assert psnr(torch.full((3, 4), -0.8), torch.full((3, 4), -1.0)) == pytest.approx(20.0, abs=1e-4)
    assert psnr(torch.zeros(2), torch.zeros(2)) == pytest.approx(100.0)


@pytest.mark.parametrize("name", ["mnad_p", "mnad_r"])
def test_gradients_reach_all_that_learns_and_the_items_learn_without(name):
    """All but the biases before a batch norm, which it cancels."""
    torch.manual_seed(0)
    detector = tiny(name)
    network = detector.network = detector.build()
    before = network.items.clone()
    detector.loss(2 * torch.rand(2, detector.config.window, 3, 32, 32) - 1).backward()
    weights = {n: p for n, p in network.named_parameters() if not n.endswith("bias")}
    assert len(weights) > 30 and all(float(p.grad.abs().max()) > 1e-9 for p in weights.values())
    assert float(network.head[-2].bias.grad.abs().max()) > 0
    assert not network.items.requires_grad and not torch.equal(network.items, before)
    assert torch.allclose(torch.linalg.vector_norm(network.items, dim=1), torch.ones(10))


def test_only_prediction_has_skip_connections():
    """What a skip connection carries changes the predicted picture, and does not the reconstructed one."""
    for name, inputs, matters in (("mnad_p", 12, True), ("mnad_r", 3, False)):
        network = tiny(name).build().eval()
        with torch.no_grad():
            asked, skips = network.encode(torch.rand(1, inputs, 32, 32))
            one, other = (network.decode(asked, tuple(k * s for s in skips), network.items) for k in (1.0, 0.0))
        assert torch.equal(one, other) != matters


@pytest.fixture(scope="module")
def trained():
    torch.set_num_threads(1)
    detector = tiny("mnad_r", epochs=4, regular=1.0)
    detector.fit([moving_square.clip(i) for i in range(4)])
    return detector


def test_regular_frames_update_the_memory_while_a_clip_is_scored_and_others_do_not(trained):
    """Let every frame be regular, or none: later frames score otherwise, the first one the same."""
    never = tiny("mnad_r", regular=0.0)
    never.network, never.centre, never.spread = trained.network, trained.centre, trained.spread
    c = moving_square.clip(9)
    updated, fixed = trained.score(c).per_frame, never.score(c).per_frame
    assert updated[0] == fixed[0] and not np.allclose(updated[1:], fixed[1:])


def test_each_term_is_taken_by_the_training_clips(trained):
    """Over these the terms have mean 0 and spread 1, so the mean of the combined score is 0."""
    scores = [trained.score(moving_square.clip(i)).per_frame for i in range(4)]
    assert np.mean(scores) == pytest.approx(0.0, abs=1e-9) and 0.3 < np.std(scores) <= 1.0 + 1e-9
