"""MPN: sizes as published, its prototypes and losses against small cases by hand, what meta-learning learns, adaptation."""

import moving_square
import numpy as np
import pytest
import torch
from tiny_networks import tiny

from physad_ros.detectors.base import detectors
from physad_ros.detectors.mpn import meta, segment, split
from physad_ros.detectors.mpn.network import Made, PrototypeUnit, compactness, diversity


def test_sizes_are_those_of_the_public_code():
    """13 285 251 numbers, (1, 12, 256, 256) in and (1, 3, 256, 256) out, with 10 prototypes of 128 from features at 256 x 256.

    Counted on `convAE(3, 5, 10, 128, 128)` in models/MPN of the published benchmark, Chopper-233/Physics-AD, which is that of
    ktr-hubrt/MPN. Its meta-learning keeps 113 731 step sizes beside the network, one for each number of prototype unit and head;
    here they are in it. With the public weights, pictures and losses were the same to within 1e-6.
    """
    paper = detectors["mpn"].preset("paper")
    assert paper.parameters() == 13_285_251 + 113_731
    assert (paper.config.compactness, paper.config.diversity) == (1.0, 1e-4)
    with torch.device("meta"):
        network = paper.build()
        assert sum(p.numel() for p in network.step_sizes) == sum(p.numel() for p in network.target.parameters()) == 113_731
        features = network.features(torch.empty(1, 12, 256, 256))
        made = network.target(features)
    assert features.shape == (1, 128, 256, 256)
    assert made.picture.shape == (1, 3, 256, 256) and made.prototypes.shape == (1, 10, 128)


def test_training_is_its_authors():
    """Train.py and Train_meta.py of ktr-hubrt/MPN; the balance is Test.py's."""
    config = detectors["mpn"].presets["paper"]
    assert (config.size, config.window, config.batch, config.epochs, config.epoch, config.learning_rate) == (256, 5, 4, 1000, "clips", 1e-4)
    assert (config.meta_epochs, config.meta_rate, config.step_size, config.task, config.segments) == (1000, 1e-6, 1e-6, 4, 32)
    assert (config.prototypes, config.norm, config.balance) == (10, False, 0.5)


def test_the_loss_is_the_sum_of_its_parts():
    detector, features, frames = network_and_task(compactness=0.0, diversity=0.0)
    made = detector.network.target(features)
    error = (made.picture - frames).square().mean().item()
    assert detector._error(made, frames).item() == pytest.approx(error)
    whole, *_ = network_and_task(compactness=2.0, diversity=3.0)
    parts = error + 2 * compactness(made).item() + 3 * diversity(made.prototypes).item()
    assert whole._error(made, frames).item() == pytest.approx(parts, rel=1e-5) and parts > error


def test_addressing_and_gathering_sum_to_one():
    torch.manual_seed(0)
    unit, features = PrototypeUnit(8, 5), torch.nn.functional.normalize(torch.randn(2, 30, 8), dim=2)
    prototypes = unit.gather(features)
    assert prototypes.shape == (2, 5, 8)
    assert torch.allclose(torch.linalg.vector_norm(prototypes, dim=2), torch.ones(2, 5))
    assert torch.allclose(unit.address(features, prototypes).sum(2), torch.ones(2, 30))
    same = features[:, :1].expand(2, 30, 8)  # whatever the heads weigh, weights that sum to one average equal features to them
    assert torch.allclose(unit.gather(same), same[:, :5], atol=1e-6)


def test_prototypes_are_of_each_picture_alone():
    torch.manual_seed(0)
    unit, features = PrototypeUnit(8, 5), torch.randn(2, 30, 8)
    assert torch.allclose(unit.gather(features)[1:], unit.gather(features[1:]))


def test_losses_by_hand():
    """Three prototypes, the first two 0.4 apart when squared, the third 2 and more from both; features 0.5 from the nearest."""
    prototypes = torch.tensor([[[1.0, 0.0], [0.8, 0.6], [-1.0, 0.0]]])
    assert float(diversity(prototypes)) == pytest.approx((1 - 0.4) / 3)
    made = Made(torch.empty(1, 3, 4, 4), torch.full((1, 16), 0.5), prototypes)
    assert float(compactness(made)) == pytest.approx(0.25)


def test_distance_is_to_the_nearest_prototype():
    unit = PrototypeUnit(2, 2)
    features = torch.tensor([[[1.0, 0.0], [1.0, 0.0], [0.6, 0.8]]])
    _, distance, prototypes = unit(features)
    expected = (features[:, :, None] - prototypes[:, None]).square().sum(3).amin(2)
    assert torch.allclose(distance, expected, atol=1e-6)


def network_and_task(**changes):
    torch.manual_seed(0)
    detector = tiny("mpn", norm=False, **changes)
    detector.network = detector.build()
    shown, frames = split(2 * torch.rand(4, 5, 3, 32, 32) - 1)
    with torch.no_grad():
        features = detector.network.features(shown)
    return detector, features, frames


def test_gradients_reach_all_that_learns():
    detector, features, frames = network_and_task()
    network = detector.network
    detector.loss(torch.rand(2, 5, 3, 32, 32)).backward()
    learns = [p for n, p in network.named_parameters() if not n.startswith("step_sizes")]
    assert len(learns) > 40 and all(float(p.grad.abs().max()) > 0 for p in learns)
    network.zero_grad()
    meta.task_loss(network, detector._error, features, frames).backward()
    assert all(float(p.grad.abs().max()) > 0 for p in [*network.target.parameters(), *network.step_sizes])
    assert all(p.grad is None or not p.grad.any() for p in [*network.encoder.parameters(), *network.decoder.parameters()])


def test_an_adaptation_is_one_step_down_the_gradient_with_the_learnt_sizes():
    """Compared with plain gradient descent on the network itself; steps of none leave it as it is."""
    detector, features, frames = network_and_task(step_size=0.05)
    network = detector.network
    weights = meta.adapted(network, detector._error, features, frames, learn=False)
    before = detector._error(network.target(features), frames)
    after = detector._error(meta.make(network, weights, features), frames)
    assert after.item() < before.item()
    optimiser = torch.optim.SGD(network.target.parameters(), lr=0.05)
    optimiser.zero_grad()
    before.backward()
    optimiser.step()
    assert all(torch.allclose(p, weights[n], atol=1e-6) for n, p in network.target.named_parameters())
    for size in network.step_sizes:
        size.data.zero_()
    still = meta.adapted(network, detector._error, features, frames, learn=False)
    assert all(torch.equal(p, still[n]) for n, p in network.target.named_parameters())


def test_gradients_of_a_task_pass_through_the_adaptation():
    """Against a finite difference, which the gradient at the adapted weights, as if they were given, does not match."""
    detector, features, frames = network_and_task(step_size=0.5)
    network = detector.network.double()
    features, frames = features.double(), frames.double()
    bias = network.target.head[-2].bias

    def task():
        return meta.task_loss(network, detector._error, features, frames)

    task().backward()
    with torch.no_grad():
        bias[0] += 1e-5
    above = task().item()
    with torch.no_grad():
        bias[0] -= 2e-5
    expected = (above - task().item()) / 2e-5
    assert bias.grad[0].item() == pytest.approx(expected, rel=1e-5)
    given = meta.adapted(network, detector._error, features[:2], frames[:2], learn=False)
    given["head.4.bias"].requires_grad_()
    (slope,) = torch.autograd.grad(
        detector._error(meta.make(network, given, features[2:]), frames[2:]), given["head.4.bias"]
    )
    assert slope[0].item() != pytest.approx(expected, rel=1e-2)


def test_meta_learning_moves_the_target_and_its_step_sizes_and_nothing_else():
    torch.set_num_threads(1)
    clips = [moving_square.clip(i) for i in range(3)]
    kept, learnt = (tiny("mpn", epochs=2, meta_epochs=epochs) for epochs in (0, 2))
    for detector in (kept, learnt):
        detector.fit(clips)
    for name, value in kept.network.state_dict().items():
        rests = name.startswith(("encoder", "decoder")) or "running" in name or "tracked" in name
        assert torch.equal(value, learnt.network.state_dict()[name]) == rests, name


def test_adaptation_to_a_clips_first_windows_is_a_switch_and_off_by_default():
    """With it, those windows score as without, later ones otherwise, and the trained weights stay."""
    assert all(detectors["mpn"].preset(name).config.adapt == 0 for name in ("paper", "quick"))
    torch.set_num_threads(1)
    plain, adaptive = tiny("mpn", epochs=2), tiny("mpn", adapt=3)
    plain.fit([moving_square.clip(i) for i in range(3)])
    adaptive.network, adaptive.centre, adaptive.spread = plain.network, plain.centre, plain.spread
    before = {n: p.clone() for n, p in plain.network.state_dict().items()}
    c = moving_square.clip(5)
    one, other = plain.score(c).per_frame, adaptive.score(c).per_frame
    seen = plain.config.window - 1 + 3
    assert np.array_equal(one[:seen], other[:seen]) and not np.isclose(one[seen:], other[seen:]).any()
    assert np.array_equal(adaptive.score(c).per_frame, other)
    assert all(torch.equal(p, before[n]) for n, p in plain.network.state_dict().items())


@pytest.mark.parametrize(("count", "segments"), [(176, 32), (44, 1), (3, 32)])
def test_a_tasks_windows_are_of_one_segment(count, segments):
    config, rng = tiny("mpn", segments=segments).config, np.random.default_rng(0)
    for _ in range(50):
        places = segment(2, count, config, rng)
        ats = [at for _, at in places]
        assert {clip for clip, _ in places} == {2} and len(ats) == 4 and min(ats) >= 0 and max(ats) < count
        assert max(ats) - min(ats) < max(count // segments, 4)
        assert len(set(ats)) == min(4, count) or count < 4
