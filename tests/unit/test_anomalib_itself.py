"""What runs through anomalib, run by anomalib itself where it is installed; networks of random weights stand in for the published ones."""

from dataclasses import replace

import numpy as np
import pytest
from test_patchcore import clip

from physad_ros.core.types import Clip
from physad_ros.detectors.ai_vad import AiVad
from physad_ros.detectors.fuvas import Fuvas

pytest.importorskip("anomalib")
torch = pytest.importorskip("torch")


class Flow(torch.nn.Module):
    """A stand-in for RAFT, which wants 520 by 960 pixels: the change of the picture, shaped as a flow."""

    def forward(self, first, last):
        return [(last - first)[:, :2]]


def swin(monkeypatch):
    from anomalib.models.video.fuvas import torch_model
    from torchvision.models.video import swin3d_b

    monkeypatch.setattr(torch_model, "swin3d_b", lambda weights: swin3d_b(weights=None))
    return Fuvas(replace(Fuvas.presets["quick"], backbone="swin3d_b", window=2, stride=2))


def four_networks(monkeypatch):
    from anomalib.models.video.ai_vad import features, flow, regions
    from anomalib.models.video.ai_vad.clip.model import CLIP
    from torchvision.models import detection

    small = {"weights": None, "weights_backbone": None, "min_size": 64, "max_size": 128}
    monkeypatch.setattr(regions, "maskrcnn_resnet50_fpn_v2", lambda weights, **k: detection.maskrcnn_resnet50_fpn_v2(**small, **k))
    monkeypatch.setattr(features, "keypointrcnn_resnet50_fpn", lambda weights: detection.keypointrcnn_resnet50_fpn(**small))
    monkeypatch.setattr(features.clip, "load", lambda name: (CLIP(512, 224, 1, 64, 32, 77, 100, 64, 1, 1).float(), None))
    monkeypatch.setattr(flow, "raft_large", lambda weights: Flow())
    return AiVad(replace(AiVad.presets["quick"], stride=1, height=64))


def moving(seed, **planted):
    """A few frames of a clip, in which the block slides."""
    whole = clip(seed, **planted)
    return Clip(whole.timetable, whole.frames[26:30].copy(), whole.stamps_s[26:30])


@pytest.fixture(scope="module", params=[swin, four_networks])
def fitted(request):
    """Each time it builds its networks they have the same weights, as if they were read."""
    with pytest.MonkeyPatch.context() as patch:
        detector = request.param(patch)
        build = type(detector).build
        patch.setattr(type(detector), "needed", lambda self: [])
        patch.setattr(type(detector), "build", lambda self: (torch.manual_seed(0), build(self))[1])
        detector.fit([moving(i) for i in range(3)])
        yield detector


def test_it_fits_and_scores_what_it_has_not_seen_higher(fitted):
    assert fitted.parameters() > 1e6
    score = fitted.score(moving(50))
    assert score.per_frame.shape == (4,) and np.isfinite(score.per_frame).all()
    assert fitted.score(moving(51, flaw=True)).value > score.value


def test_saved_and_read_it_scores_the_same(fitted, tmp_path):
    fitted.calibrate(0.7, 0.05, 3)
    fitted.save(tmp_path)
    again = type(fitted).load(tmp_path)
    assert again.threshold == 0.7 and again.score(moving(60)).value == pytest.approx(fitted.score(moving(60)).value, rel=1e-4)


def test_a_still_picture_has_a_score_too(fitted):
    still = moving(70)
    still.frames[:] = 20
    assert np.isfinite(fitted.score(still).value)
