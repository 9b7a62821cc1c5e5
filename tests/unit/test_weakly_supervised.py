"""The weakly supervised methods: as large as published, losses as by hand, gradients everywhere, a planted defect found."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from tiny_clip import DIM, SIZE, write_tiny_clip

from physad_ros.core.errors import BadData
from physad_ros.core.types import Clip, Phase, Signals, Timetable
from physad_ros.detectors.base import detectors
from physad_ros.detectors.mgfn.network import Weights as MgfnWeights
from physad_ros.detectors.mgfn.network import contrast, magnitude_loss
from physad_ros.detectors.multiple_instance.bags import brought_to
from physad_ros.detectors.multiple_instance.losses import changes, greatest, told_apart
from physad_ros.detectors.multiple_instance.scaling import Scaling
from physad_ros.detectors.s3r.dictionary import learn, sparse_codes, unit
from physad_ros.detectors.s3r.network import Seen, SparseRepresentation, magnitudes, representation_loss
from physad_ros.detectors.s3r.network import Weights as S3rWeights
from physad_ros.detectors.sultani.network import ranking_loss
from physad_ros.detectors.vadclip.network import both_branches, likeness, nearness
from physad_ros.detectors.vadclip.text import TextTower
from physad_ros.features.base import SNIPPET, Extractor
from physad_ros.features.clip import ClipVision

torch.set_num_threads(1)

METHODS = ["mgfn", "s3r", "sultani", "vadclip"]


def count(network):
    return sum(p.numel() for p in network.parameters())


def t(*rows):
    return torch.tensor(rows, dtype=torch.float32)


# -- sizes ----------------------------------------------------------------------------------------------------------------


def built(name, dim):
    """The network of the preset paper, without memory for its numbers."""
    with torch.device("meta"):
        return detectors[name].preset("paper").build(dim).to("meta")


def test_sultani_is_as_large_as_the_public_network():
    """WaqasSultani/AnomalyDetectionCVPR2018, model.json: dense 4096 to 512 to 32 to 1, so 2,097,664 + 16,416 + 33 = 2,114,113."""
    assert count(built("sultani", 4096)) == 2_114_113


def test_s3r_is_as_large_as_the_public_network():
    """louisYen/S3R: 81,436,802, of which 25,178,112 are two projections that its forward pass never uses and ours has not.

    With the same random weights ours and the public code gave the same scores to the last bit.
    """
    assert count(built("s3r", 2048)) == 81_436_802 - 25_178_112


def test_mgfn_is_as_large_as_the_public_network():
    """carolchenyx/MGFN.: 28,652,773. With the same random weights the scores differed by at most 4.5e-7."""
    assert count(built("mgfn", 2048)) == 28_652_773


def test_vadclip_is_as_large_as_the_public_network():
    """nwpu-zxr/VadCLIP: 9,489,922 beside CLIP's own 149,620,737, of which one is a width of the graph that it never uses.

    With the same random weights both branches and the labels' vectors differed by at most 2.4e-6 from the public code's.
    """
    assert detectors["vadclip"].preset("paper").parameters() == 9_489_922 - 1 + 149_620_737


def test_outputs_have_one_number_a_snippet():
    vectors = torch.zeros(2, 9, 2048, device="meta")
    features, scores = built("mgfn", 2048)(vectors)
    assert features.shape == (2, 9, 1024) and scores.shape == (2, 9)
    seen = built("s3r", 2048)(vectors)
    assert seen.features.shape == (2, 9, 2048) and seen.scores.shape == (2, 9) and seen.normal.shape == (2,)
    assert built("sultani", 2048)(vectors).shape == (2, 9)


def test_vadclip_makes_a_logit_of_a_snippet_and_one_of_each_label():
    """As CLIPVAD of nwpu-zxr/VadCLIP: vectors of 512 to branch C's logits, and branch A's against two labels."""
    with torch.device("meta"):
        network = detectors["vadclip"].preset("paper")._built(512, 512, 77)
        judged, aligned = network(torch.empty(2, 9, 512), torch.empty(2, 512))
    assert judged.shape == (2, 9) and aligned.shape == (2, 9, 2)


PUBLISHED = {
    # WaqasSultani/AnomalyDetectionCVPR2018, TrainingAnomalyDetector_public.py
    "sultani": dict(widths=(512, 32), dropout=0.6, smoothness=8e-5, sparsity=8e-5, batch=30, steps=20_000, learning_rate=0.01, segments=32),
    # louisYen/S3R (its trainer and its dictionary learning), steps and batch of Chopper-233/Physics-AD
    "s3r": dict(
        atoms=0.9, nonzero=2, rounds=100, dropout=0.7, margin=100.0, magnitude=1e-4, smoothness=8e-4, sparsity=8e-3, weight_decay=5e-3,
        learning_rate=1e-3, batch=4, steps=1000, segments=32, top=5, train_top=3,
    ),
    # carolchenyx/MGFN., batch of Chopper-233/Physics-AD
    "mgfn": dict(
        dims=(64, 128, 1024), depths=(3, 3, 2), head=64, kernel=5, amplification=0.1, dropout=0.7, margin=200.0, smoothness=8e-4,
        sparsity=8e-3, contrast=1e-3, weight_decay=5e-4, learning_rate=1e-3, batch=4, segments=32, top=3,
    ),
    # Chopper-233/Physics-AD, options and trainer of VadCLIP
    "vadclip": dict(
        length=256, window=32, heads=1, layers=1, prefix=10, postfix=10, apart=1 / 6, learning_rate=1e-5,
        milestones=(6 / 15, 9 / 15, 13 / 15), weight_decay=0.01,
    ),
}


@pytest.mark.parametrize("name", METHODS)
def test_the_preset_paper_has_the_public_codes_numbers(name):
    config = detectors[name].presets["paper"]
    assert {key: getattr(config, key) for key in PUBLISHED[name]} == PUBLISHED[name]


def test_parameters_count_the_extractors_network_too():
    paper = detectors["mgfn"].preset("paper")
    assert paper.parameters() == 28_652_773 + paper.extractor.parameters()


# -- losses, by hand -------------------------------------------------------------------------------------------------------


def test_ranking_loss_by_hand():
    """Margins 1 - 0.9 + 0.2 and 1 - 0.9 + 0.4, their mean 0.4; changes 0.64 + 0.01; sum of scores 1.8."""
    normal, defective = t([0.1, 0.2, 0.0], [0.4, 0.3, 0.1]), t([0.1, 0.9, 0.8])
    assert ranking_loss(normal, defective, 0.0, 0.0).item() == pytest.approx(0.4)
    assert ranking_loss(normal, defective, 0.1, 0.01).item() == pytest.approx(0.4 + 0.1 * 0.65 + 0.01 * 1.8)
    perfect = ranking_loss(t([0.0, 0.0]), t([0.0, 1.0]), 0.0, 0.0)
    assert perfect.item() == 0.0


def test_ranking_pulls_at_the_highest_segments_alone():
    """Without the constraints, a defective clip's highest score is pushed up and a normal clip's down, by the number of pairs."""
    normal, defective = t([0.1, 0.2, 0.0], [0.4, 0.3, 0.1]).requires_grad_(), t([0.1, 0.9, 0.8]).requires_grad_()
    ranking_loss(normal, defective, 0.0, 0.0).backward()
    assert normal.grad.tolist() == [[0.0, 0.5, 0.0], [0.5, 0.0, 0.0]] and defective.grad.tolist() == [[0.0, -1.0, 0.0]]


def test_sultani_holds_weights_small_and_not_biases():
    """With no gradient but the decay, a step makes weights smaller and leaves biases; in Adagrad's first step by the learning rate."""
    detector = detectors["sultani"].preset("paper")
    network = detector.build(8)
    for p in network.parameters():
        torch.nn.init.ones_(p)
        p.grad = torch.zeros_like(p)
    detector.optimiser(network).step()
    for name, p in network.named_parameters():
        torch.testing.assert_close(p.data, torch.full_like(p, 0.99 if name.endswith("weight") else 1.0))


def test_shared_parts_by_hand():
    assert changes(t([0.0, 1.0, 0.5], [1.0, 1.0, 0.0])).item() == pytest.approx(1 + 0.25 + 0 + 1)
    assert told_apart(t(0.2), t(0.7)).item() == pytest.approx(-(math.log(0.8) + math.log(0.7)) / 2)
    features = t([[3.0, 4.0], [0.0, 1.0], [6.0, 0.0]])
    chosen, score = greatest(features, t([0.1, 0.9, 0.5]), 2, 0.0)
    assert sorted(chosen.norm(dim=2)[0].tolist()) == [5.0, 6.0] and score.item() == pytest.approx(0.3)
    assert greatest(features, t([0.1, 0.9, 0.5]), 7, 0.0)[0].shape == (1, 3, 2)


def test_contrast_by_hand():
    """Magnitudes differ by (3, 4) between kinds, 5 of a margin of 7; within the normal ones by 1, within the defective ones by 1."""
    normal, defective = t([1.0, 0.0], [0.0, 0.0]), t([4.0, 4.0], [3.0, 4.0])
    apart = ((7 - 5) ** 2 + (7 - 5) ** 2) / 2
    assert contrast(normal, defective, 7.0).item() == pytest.approx(1 + 1 + 1e-3 * apart, rel=1e-4)


def test_mgfn_loss_is_the_sum_of_its_parts():
    torch.manual_seed(0)
    features, scores = torch.rand(4, 5, 3), torch.rand(4, 5)
    def loss(*weights):
        return magnitude_loss(features, scores, 2, 0.0, MgfnWeights(10.0, *weights)).item()

    base, judged = loss(0, 0, 0), scores[2:]
    tops = [greatest(f, s, 2, 0.0) for f, s in zip(features.chunk(2), scores.chunk(2))]
    assert base == pytest.approx(told_apart(tops[0][1], tops[1][1]).item())
    assert loss(1, 0, 0) - base == pytest.approx(changes(judged).item(), rel=1e-4)
    assert loss(0, 1, 0) - base == pytest.approx(judged.square().sum().sqrt().item(), rel=1e-4)
    magnitude = [top.abs().sum(2) for top, _ in tops]
    assert loss(0, 0, 1) - base == pytest.approx(contrast(*magnitude, 10.0).item(), rel=1e-4)


def test_s3r_loss_by_hand():
    """A defective clip whose features have length 4 where 10 is wanted, a normal one of 3: (6 + 3) squared."""
    assert magnitudes(t(3.0), t(4.0), 10.0).item() == pytest.approx(81.0)
    seen = Seen(t([[3.0, 0.0]], [[0.0, 4.0]]), t([0.2], [0.7]), t(0.5, 0.1))
    parts = -(math.log(0.8) + math.log(0.7)) / 2 - (math.log(0.5) + math.log(0.9)) / 2
    assert representation_loss(seen, 3, 0.0, S3rWeights(10.0, 0.0, 1.0, 0.0)).item() == pytest.approx(parts)
    whole = representation_loss(seen, 3, 0.0, S3rWeights(10.0, 0.01, 1.0, 0.1))
    assert whole.item() == pytest.approx(parts + 0.81 + 0.07)


def test_vadclip_loss_by_hand():
    """One snippet counts of three; labels at 60 degrees, so alike by a half."""
    judged = t([-9.0, 0.0, -9.0], [math.log(3), -9.0, -9.0])  # probabilities 1/2 and 3/4
    aligned = torch.zeros(2, 3, 2)
    aligned[1, 0, 1] = math.log(4)
    labels = t([1.0, 0.0], [0.5, math.sqrt(0.75)])
    wanted = -(math.log(0.5) + math.log(0.75)) / 2 - (math.log(0.5) + math.log(0.8)) / 2
    assert both_branches(judged, aligned, labels, 0.0).item() == pytest.approx(wanted, rel=1e-5)
    assert both_branches(judged, aligned, labels, 2.0).item() == pytest.approx(wanted + 1.0, rel=1e-5)


# -- memory, graphs, scaling ---------------------------------------------------------------------------------------------


def test_a_dictionary_explains_what_few_atoms_made():
    rng = np.random.default_rng(0)
    atoms = unit(rng.normal(size=(8, 20)))
    codes = np.zeros((300, 8))
    for row in codes:
        row[rng.choice(8, 2, replace=False)] = rng.uniform(1, 2, 2)
    data = codes @ atoms
    learnt = learn(data.astype(np.float32), 8, 2, 30)
    rebuilt = sparse_codes(data, unit(learnt.astype(float)), 2)
    assert learnt.shape == (8, 20) and ((rebuilt != 0).sum(1) <= 2).all()
    explained = rebuilt @ unit(learnt.astype(float))
    random = unit(rng.normal(size=(8, 20)))
    guess = sparse_codes(data, random, 2) @ random
    assert np.square(data - explained).sum() < 0.1 * np.square(data - guess).sum()
    np.testing.assert_allclose(np.linalg.norm(learnt, axis=1), np.linalg.norm(data, axis=1).mean(), rtol=1e-5)


def test_pursuit_with_the_true_atoms_is_exact():
    atoms = unit(np.eye(6) + 0.05)
    codes = np.zeros((1, 6))
    codes[0, [1, 4]] = 2.0, -1.5
    np.testing.assert_allclose(sparse_codes(codes @ atoms, atoms, 2), codes, atol=1e-4)


def test_more_atoms_than_snippets_are_no_error():
    assert np.isfinite(learn(np.random.default_rng(0).normal(size=(3, 5)).astype(np.float32), 6, 2, 5)).all()


def test_addressing_sums_to_one():
    torch.manual_seed(0)
    network = SparseRepresentation(torch.randn(12, 32), 4, 16, 0.0)
    address = network.en_normal.address(torch.randn(2, 5, 32), network.dictionary)
    assert address.shape == (2, 5, 12) and (address >= 0).all()
    torch.testing.assert_close(address.sum(-1), torch.ones(2, 5))


def test_graphs_join_what_is_alike_and_what_is_near():
    graph = likeness(t([[1.0, 0.0], [2.0, 0.1], [0.0, 1.0]]))[0]
    torch.testing.assert_close(graph.sum(-1), torch.ones(3))
    assert graph[0, 1] > graph[0, 2] and graph[0, 2] == pytest.approx(graph[1, 2].item(), rel=0.05)
    near = nearness(4)
    assert torch.equal(near, near.T) and torch.equal(near.diagonal(), torch.ones(4)) and near[0, 1] > near[0, 2] > near[0, 3]


@pytest.mark.parametrize("segments", [2, 4, 8, 12, 32])
def test_segments_keep_the_order_and_the_range(segments):
    vectors = np.arange(8, dtype=np.float32)[:, None]
    made = brought_to(vectors, segments)[:, 0]
    assert len(made) == segments and (np.diff(made) >= 0).all() and made.min() >= 0 and made.max() <= 7
    if 8 % segments == 0 or segments % 8 == 0:
        assert made.mean() == pytest.approx(3.5)


def test_scaling_standardises_and_keeps_the_most_varied_directions():
    rng = np.random.default_rng(0)
    mixed = (rng.normal(size=(400, 3)) * (9, 3, 1)) @ np.linalg.qr(rng.normal(size=(20, 20)))[0][:3] + 5
    bags = np.split(mixed.astype(np.float32), 40)
    plain, standard = Scaling.of(bags, False, 0), Scaling.of(bags, True, 0)
    np.testing.assert_array_equal(plain(bags[0]), bags[0])
    np.testing.assert_allclose(standard(mixed).mean(0), 0, atol=1e-3)
    cut = Scaling.of(bags, False, 3)
    np.testing.assert_allclose(cut.basis.T @ cut.basis, np.eye(3), atol=1e-4)
    np.testing.assert_allclose(np.cov(cut(mixed).T).trace(), np.cov(mixed.T).trace(), rtol=1e-3)
    assert Scaling.of(bags[:1], True, 15)(bags[0]).shape == (10, 15)


# -- the methods as a whole ------------------------------------------------------------------------------------------------

SNIPPETS = 6


class Patches(Extractor):
    """The brightness of sixteen patches."""

    name, dim, height = "patches", DIM, SIZE

    def identity(self):
        return self.name

    def picture(self, frame):
        return frame

    def describe(self, pictures):
        side = SIZE // 4
        return pictures.mean((0, 3), dtype=np.float32).reshape(4, side, 4, side).mean((1, 3)).ravel() / 255


def planted(seed):
    return seed % (SNIPPETS - 2) + 1


def made(seed, defective):
    """Noise; where defective, a part of one snippet lights up: that which ``planted`` says."""
    frames = np.random.default_rng(seed).integers(80, 90, (SNIPPETS * SNIPPET + 5, SIZE, SIZE, 3), np.uint8)
    if defective:
        frames[planted(seed) * SNIPPET : (planted(seed) + 1) * SNIPPET, 8:24, 8:24] += 100
    table = Timetable(f"c{seed}", "clip", "clip_1", "press", (Phase("press", 0.0, 1.0),), 0.0, 1.0, len(frames))
    return Clip(table, frames, np.arange(len(frames)) / 60, label="unable_rebound" if defective else "anomaly_free")


@pytest.fixture(scope="module")
def clip_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clip")
    write_tiny_clip(folder)
    return folder


SMALLER = {
    "sultani": dict(widths=(32, 8), steps=120, dropout=0.2, learning_rate=0.05, weight_decay=0.0, standardise=False),
    "mgfn": dict(dims=(8, 8, 16), head=8, steps=60, learning_rate=5e-3, dropout=0.2, margin=5.0, standardise=False),
    "s3r": dict(reduce=128, steps=60, dropout=0.2, learning_rate=5e-3, weight_decay=0.0, standardise=False),
    "vadclip": dict(steps=60, learning_rate=5e-3, standardise=True),
}


def fresh(name, clip_folder, **changes):
    """A method at toy size, on features that are quickly made; VadCLIP on a tiny CLIP's own."""
    preset = detectors[name].presets["quick"]
    checkpoint = str(clip_folder) if name == "vadclip" else ""
    detector = detectors[name](replace(preset, checkpoint=checkpoint, batch=4, top=1, **(SMALLER[name] | changes)))
    if name != "vadclip":
        detector.extractor = Patches()
    return detector


CLIPS = [made(i, i >= 8) for i in range(12)]


@pytest.fixture(scope="module", params=METHODS)
def trained(request, clip_folder):
    """A method, trained on eight normal and four defective clips."""
    detector = fresh(request.param, clip_folder)
    detector.fit(CLIPS, seed=0)
    return detector


def test_it_learns_the_toy_set_and_finds_the_planted_defect(trained):
    normal, defective = ([trained.score(c).value for c in bag] for bag in (CLIPS[:8], CLIPS[8:]))
    assert min(defective) > max(normal)
    for seed in (100, 101, 103):
        seen = trained.score(made(seed, True))
        assert seen.value > max(trained.score(made(seed + 100, False)).value, *normal)
        if trained.name == "sultani":  # the others look at what is around a snippet, too
            assert seen.per_frame.argmax() // SNIPPET == planted(seed)


def test_live_and_offline_agree_and_what_is_saved_is_what_was_learnt(trained, tmp_path):
    clip = made(50, True)
    trained.calibrate(0.6, 0.05, 10)
    stream = trained.stream(clip.timetable)
    pushed = [stream.push(f, float(s)) for f, s in zip(clip.frames, clip.stamps_s)]
    live, offline = stream.finish(Signals.none()), trained.score(clip)
    assert live.value == offline.value and np.array_equal(live.per_frame, offline.per_frame)
    assert len(live.per_frame) == len(clip.frames) and live.per_frame[-1] == live.per_frame[SNIPPETS * SNIPPET - 1]
    assert not any(pushed[: SNIPPET - 1]) and len(set(pushed[SNIPPET - 1 : 2 * SNIPPET - 1])) == 1
    trained.save(tmp_path)
    if trained.name == "vadclip":  # the features of the others are of this test alone, so a registry does not know them
        again = type(trained).load(tmp_path)
        assert again.threshold == 0.6 and again.score(clip).value == pytest.approx(offline.value, rel=1e-6)


def test_nothing_looks_at_the_label_of_a_clip_that_is_scored(trained):
    clip = made(51, True)
    scores = [trained.score(replace(clip, label=label)) for label in (None, "anomaly_free", "unable_rebound")]
    assert len({s.value for s in scores}) == 1 and all(np.array_equal(s.per_frame, scores[0].per_frame) for s in scores)


def test_a_clip_whose_features_are_kept_scores_as_it_streams(trained, tmp_path, monkeypatch):
    """From a file: made and kept the first time, read the second; a third clip under the same name gets its own."""
    monkeypatch.setattr(trained, "cache", tmp_path / "cache")
    clip = replace(made(52, True), source=tmp_path / "clip.mp4")
    stream = trained.stream(clip.timetable)
    for frame in clip.frames:
        stream.push(frame, 0.0)
    live = stream.finish(Signals.none())
    for _ in range(2):
        offline = trained.score(clip)
        assert offline.value == live.value and np.array_equal(offline.per_frame, live.per_frame)
    assert len(list((tmp_path / "cache").rglob("*.npy"))) == 1
    other = made(53, False)
    assert trained.score(replace(other, source=clip.source)).value == trained.score(other).value


@pytest.mark.parametrize("name", METHODS)
def test_a_seed_decides_everything_and_nothing_else_is_stirred(name, clip_folder):
    torch.manual_seed(7)
    expected = torch.rand(3)
    values = []
    for seed in (1, 1, 2):
        torch.manual_seed(7)
        detector = fresh(name, clip_folder, steps=2)
        detector.fit([CLIPS[0], CLIPS[1], CLIPS[-1]], seed)
        assert torch.equal(torch.rand(3), expected)
        values.append(detector.score(CLIPS[0]).value)
    assert values[0] == values[1] != values[2]


@pytest.mark.parametrize("name", METHODS)
def test_gradients_reach_every_number_that_learns(name, clip_folder):
    detector = fresh(name, clip_folder, dropout=0.0) if name != "vadclip" else fresh(name, clip_folder)
    torch.manual_seed(0)
    if name == "s3r":
        detector.dictionary = np.random.default_rng(0).normal(size=(5, 64)).astype(np.float32)
    network = detector.build(64 if name == "s3r" else DIM).train()
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm1d):
            torch.nn.init.ones_(module.weight)  # S3R's begins at zero, which holds the layers before it back for one step
    vectors = torch.randn(8, 6, 64 if name == "s3r" else DIM)
    detector.loss(network, vectors[:4], vectors[4:]).backward()
    still = [n for n, p in network.named_parameters() if p.grad is None or not p.grad.isfinite().all() or not p.grad.any()]
    # what comes before a normalisation over the batch, or a softmax over keys, cannot be told from the same with something added
    assert not [n for n in still if not n.endswith("bias")], still


def test_clip_itself_does_not_learn_but_the_words_around_its_labels_do(clip_folder):
    detector = fresh("vadclip", clip_folder)
    network = detector.build(DIM)
    vectors = torch.randn(8, 6, DIM)
    detector.loss(network, vectors[:4], vectors[4:]).backward()
    assert all(p.grad is None for p in detector.extractor.model.parameters())
    learnt = network.prompts.weight.grad.abs().sum(1)
    assert (learnt[1:11] > 0).all() and learnt[0] == 0 and not learnt[40:].any()


def test_labels_are_encoded_as_clip_does(clip_folder):
    model, labels = write_tiny_clip(clip_folder), ("works", "broken")
    tower = TextTower(ClipVision(str(clip_folder)).model, str(clip_folder), labels)
    for words in tower.words:
        end = len(words) - 1
        ids = torch.cdist(words, model.text_model.embeddings.token_embedding.weight).argmin(1)
        wanted = model.text_projection(model.text_model(input_ids=ids[None]).pooler_output)
        torch.testing.assert_close(tower.encode(words[None], torch.tensor([end])), wanted, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", METHODS)
def test_without_a_clip_of_each_kind_it_says_so(name, clip_folder):
    with pytest.raises(BadData, match="none of its 3 training clips is defective"):
        fresh(name, clip_folder).fit([made(i, False) for i in range(3)])
    with pytest.raises(BadData, match="none of its 1 training clips is normal"):
        fresh(name, clip_folder).fit([made(0, True)])
    with pytest.raises(BadData, match="not trained"):
        fresh(name, clip_folder).score(made(0, True))


@pytest.mark.parametrize("name", ["mgfn", "s3r", "sultani"])
def test_the_published_preset_says_which_checkpoint_it_lacks(name, monkeypatch):
    monkeypatch.delenv("PHYSAD_I3D_CHECKPOINT", raising=False)
    with pytest.raises(BadData, match="PHYSAD_I3D_CHECKPOINT"):
        detectors[name].preset("paper").fit(CLIPS)


def test_vadclip_is_unavailable_without_a_checkpoint(monkeypatch, clip_folder):
    for variable in ("PHYSAD_VADCLIP_CHECKPOINT", "PHYSAD_CLIP_CHECKPOINT"):
        monkeypatch.delenv(variable, raising=False)
    assert "PHYSAD_VADCLIP_CHECKPOINT" in detectors["vadclip"].unavailable()
    with pytest.raises(BadData, match="no checkpoint"):
        detectors["vadclip"].preset("quick").fit([made(0, True), made(1, False)])
    monkeypatch.setenv("PHYSAD_VADCLIP_CHECKPOINT", str(clip_folder))
    assert detectors["vadclip"].unavailable() == ""


def test_features_of_another_checkpoint_are_refused(tmp_path):
    folder = tmp_path / "clip"
    write_tiny_clip(folder)
    detector = fresh("vadclip", folder, steps=1)
    detector.fit([CLIPS[0], CLIPS[-1]], seed=0)
    detector.save(tmp_path)
    write_tiny_clip(folder, seed=1)
    with pytest.raises(BadData, match="another checkpoint"):
        type(detector).load(tmp_path)
