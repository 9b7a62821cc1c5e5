"""MemAE: sizes as published, its addressing, shrinkage and entropy against small cases by hand, and its gradients."""

from math import log

import pytest
import torch
from tiny_networks import tiny

from physad_ros.detectors.base import detectors
from physad_ros.detectors.memae.network import Memory, entropy, shrink


def test_sizes_are_those_of_the_public_code():
    """6 492 801 numbers and (1, 1, 16, 256, 256) in and out, the memory asked at 2 x 16 x 16 places with 2000 items.

    Counted on `AutoEncoderCov3DMem(1, 2000)` in models/MemAE of the published benchmark, Chopper-233/Physics-AD, which is that
    of donggong1/memae-anomaly-detection. With its weights, this network gave the same output to the last bit.
    """
    paper = detectors["memae"].preset("paper")
    assert paper.parameters() == 6_492_801
    config = paper.config
    assert (config.shrink, config.entropy, config.items, config.widths[-1]) == (0.0025, 2e-4, 2000, 256)
    with torch.device("meta"):
        made, weights = paper.build()(torch.empty(1, 1, 16, 256, 256))
    assert made.shape == (1, 1, 16, 256, 256) and weights.shape == (2 * 16 * 16, 2000)


def test_training_is_the_published_benchmarks():
    """options/MemAE/training_options.py of Chopper-233/Physics-AD; its authors' own differs in batch (10) and epochs (100)."""
    config = detectors["memae"].presets["paper"]
    assert (config.batch, config.epochs, config.learning_rate) == (32, 30, 1e-4)
    assert (config.size, config.window, config.channels, config.epoch, config.annealed) == (256, 16, 1, "windows", False)


def test_loss_by_hand():
    """Off by a half everywhere is 0.25; an even choice of two items has entropy ln 2, and weighs 2."""
    detector = tiny("memae", entropy=2.0)
    detector.network = lambda x: (x + 0.5, torch.tensor([[0.5, 0.5]]))
    assert detector.loss(torch.zeros(1, 16, 1, 4, 4)).item() == pytest.approx(0.25 + 2 * log(2))


def test_shrinkage_by_hand():
    """0.2 is not above the threshold and falls away; 0.5 and 0.3 are scaled to sum to one."""
    assert shrink(torch.tensor([[0.5, 0.3, 0.2]]), 0.2).tolist()[0] == pytest.approx([0.625, 0.375, 0.0])


def test_a_row_that_would_vanish_stays():
    assert shrink(torch.tensor([[0.25, 0.25, 0.25, 0.25]]), 0.3).tolist() == [[0.25] * 4]


def test_entropy_by_hand():
    """ln 2 for one row, none for the other."""
    assert float(entropy(torch.tensor([[0.5, 0.5], [1.0, 0.0]]))) == pytest.approx(log(2) / 2)
    assert float(entropy(torch.full((3, 8), 1 / 8))) == pytest.approx(log(8))


@pytest.mark.parametrize("threshold", [0.0, 0.02, 0.2])
def test_addressing_sums_to_one_and_takes_fewer_items_the_higher_the_threshold(threshold):
    torch.manual_seed(0)
    codes = 4 * torch.randn(50, 8)
    memory = Memory(30, 8, threshold)
    weights, all_of_them = memory.address(codes), (codes @ memory.items.T).softmax(1)
    assert torch.allclose(weights.sum(1), torch.ones(50)) and (weights >= 0).all()
    reached = all_of_them.amax(1) > threshold
    assert reached.any() and torch.equal((weights > 0)[reached], (all_of_them > threshold)[reached])


def test_codes_are_put_together_from_items_alone():
    """A code that is far along one item comes back as that item, wherever it stands in the map."""
    memory = Memory(5, 8, 0.01)
    with torch.no_grad():
        memory.items.copy_(torch.eye(8)[:5])
        codes = torch.zeros(1, 8, 2, 3, 4)
        codes[0, 3] = 50.0
        codes[0, :, 1, 2, 3] = 50.0 * torch.eye(8)[1]
        again, _ = memory(codes)
    assert torch.allclose(again, codes / 50.0)


def test_gradients_reach_all_that_learns():
    """All but the biases before a batch norm, which it cancels."""
    detector = tiny("memae")
    torch.manual_seed(0)
    detector.network = detector.build()
    detector.loss(torch.rand(2, 16, 1, 32, 32)).backward()
    learns = {n: p for n, p in detector.network.named_parameters() if not n.endswith(".0.bias") or n == "decoder.3.bias"}
    assert "memory.items" in learns and len(learns) == 8 + 1 + 2 * 7 + 1
    assert all(float(p.grad.abs().max()) > 1e-9 for p in learns.values())


def test_entropy_counts_in_the_loss_as_much_as_its_weight_says():
    torch.manual_seed(0)
    windows = torch.rand(2, 16, 1, 32, 32)
    plain, weighted = tiny("memae", entropy=0.0), tiny("memae", entropy=0.5)
    plain.network = weighted.network = plain.build()
    _, weights = plain.network(windows.transpose(1, 2))
    difference = (weighted.loss(windows) - plain.loss(windows)).item()
    assert difference == pytest.approx(0.5 * entropy(weights).item(), rel=1e-4)
