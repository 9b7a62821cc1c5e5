"""What runs through anomalib: it says what is missing, and it feeds anomalib's module what it should; the module is a stand-in here."""

import sys
from dataclasses import replace
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
from test_patchcore import FRAMES, clip

from physad_ros.core.errors import BadData
from physad_ros.core.types import Clip
from physad_ros.detectors import through_anomalib
from physad_ros.detectors.ai_vad import AiVad
from physad_ros.detectors.base import detectors
from physad_ros.detectors.fuvas import BACKBONES, Fuvas

THROUGH = [AiVad, Fuvas]


@pytest.fixture
def installed(monkeypatch, tmp_path):
    """As if anomalib were installed, with empty caches."""
    monkeypatch.setattr(through_anomalib.importlib.util, "find_spec", lambda name: name)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("kind", THROUGH)
def test_without_anomalib_it_says_how_to_get_it(kind, monkeypatch):
    monkeypatch.setattr(through_anomalib.importlib.util, "find_spec", lambda name: None)
    assert "pip install 'anomalib[video]'" in kind.unavailable()
    with pytest.raises(BadData, match="pip install"):
        kind().fit([clip(0)])
    assert kind().parameters() == 0


@pytest.mark.parametrize("kind", THROUGH)
def test_without_weights_it_names_each_and_where_it_would_lie(kind, installed):
    needed = kind().needed()
    reason = kind.unavailable()
    assert needed and all(str(n.path) in reason and n.source in reason and n.path.is_relative_to(installed) for n in needed)
    for n in needed:
        n.path.parent.mkdir(parents=True, exist_ok=True)
        n.path.touch()
    assert kind.unavailable() == ""


def test_another_backbone_needs_other_weights(installed):
    needed = {b: {n.path.name for n in Fuvas(replace(Fuvas.presets["paper"], backbone=b)).needed()} for b in BACKBONES}
    assert needed["swin3d_b"] == {"swin3d_b_22k-7c6ae6fa.pth"} and "X3D_S.pyth" in needed["x3d_s"]


def test_only_x3d_needs_what_its_code_imports(monkeypatch):
    monkeypatch.setattr(through_anomalib.importlib.util, "find_spec", lambda name: None if name == "fvcore" else name)
    assert "pip install 'anomalib[video]' fvcore" in Fuvas.unavailable()
    assert "fvcore" not in Fuvas(replace(Fuvas.presets["paper"], backbone="swin3d_b")).lacking() + AiVad.unavailable()


def test_clips_too_short_for_a_window_are_refused(fitted):
    short = clip(0)
    with pytest.raises(BadData, match="could not fit"):
        type(fitted)(fitted.config).fit([Clip(short.timetable, short.frames[:5], short.stamps_s[:5])])


def test_what_is_there_to_use_has_no_reason_not_to():
    assert all(not detectors[name].unavailable() for name in ("rules", "patchcore", "ocsvm"))


@pytest.fixture
def fitted(monkeypatch):
    """FUVAS with a stand-in for anomalib's module: it remembers the mean of what it was shown."""
    torch = pytest.importorskip("torch")

    class Module(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.pre_processor = lambda images: 2 * images
            self.model = torch.nn.Module()
            self.model.pca_model = torch.nn.Module()
            self.model.pca_model.register_buffer("mean", torch.zeros(()))
            self.model.forward = lambda x: SimpleNamespace(pred_score=(x.mean() - self.model.pca_model.mean).abs()[None])
            self.shown = []

        def training_step(self, batch):
            self.shown.append((batch.image, batch.video_path))

        def fit(self):
            self.model.pca_model.mean = torch.stack([image.mean() for image, _ in self.shown]).mean()

    fake = ModuleType("anomalib.data")
    fake.VideoBatch = SimpleNamespace
    monkeypatch.setitem(sys.modules, "anomalib", ModuleType("anomalib"))
    monkeypatch.setitem(sys.modules, "anomalib.data", fake)
    monkeypatch.setattr(Fuvas, "build", lambda self: Module())
    monkeypatch.setattr(Fuvas, "lacking", lambda self: "")
    detector = Fuvas(replace(Fuvas.presets["quick"], height=20, window=6, stride=4))
    detector.fit([clip(i) for i in range(3)])
    return detector


def test_it_shows_windows_of_every_clip_as_rgb_through_the_models_own_preparation(fitted):
    shown = fitted.module.shown
    assert len(shown) == 3 * len(range(6, FRAMES + 1, 4)) and {tuple(paths) for _, paths in shown} == {("c0",), ("c1",), ("c2",)}
    assert {tuple(image.shape) for image, _ in shown} == {(1, 6, 3, 20, 32)}
    blue = np.zeros((40, 64, 3), np.uint8)
    blue[..., 0] = 255
    image = fitted._images(fitted.module, [blue])
    assert image[0, 0, 2].min() == 2 and image[0, 0, :2].max() == 0


def test_it_scores_every_frame_and_finds_a_bright_one(fitted):
    dark, bright = clip(50), clip(51)
    bright.frames[30:] = 255
    score = fitted.score(bright)
    assert score.per_frame.shape == (FRAMES,) and score.value > 2 * fitted.score(dark).value
    assert score.per_frame[38:].min() > score.per_frame[:28].max()
    with pytest.raises(BadData, match="window"):
        fitted.stream(dark.timetable).finish(dark.signals)


def test_only_what_was_fitted_is_saved(fitted, tmp_path):
    fitted.calibrate(0.7, 0.05, 3)
    fitted.save(tmp_path)
    again = Fuvas.load(tmp_path)
    assert again.threshold == 0.7 and again.config == fitted.config
    assert again.score(clip(60)).value == pytest.approx(fitted.score(clip(60)).value)
