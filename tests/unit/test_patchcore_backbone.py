"""A network as the eye of the memory of patches: tiny ones of random weights, built from their configuration, read from a local folder."""

from dataclasses import replace

import numpy as np
import pytest
from test_patchcore import TINY, clip

from physad_ros.core.errors import BadData
from physad_ros.detectors.patchcore import PatchCore, PatchCoreConfig

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")


@pytest.fixture(scope="module", params=["resnet", "vit"])
def folder(request, tmp_path_factory):
    torch.manual_seed(0)
    if request.param == "resnet":
        config = transformers.ResNetConfig(embedding_size=8, hidden_sizes=[8, 8, 16, 16], depths=[1, 1, 1, 1], layer_type="basic")
        model = transformers.ResNetModel(config)
    else:
        config = transformers.ViTConfig(
            hidden_size=16, num_hidden_layers=3, num_attention_heads=2, intermediate_size=16, image_size=224, patch_size=32
        )
        model = transformers.ViTModel(config)
    path = tmp_path_factory.mktemp(request.param)
    model.save_pretrained(path)
    return path


@pytest.fixture(scope="module")
def config(folder):
    return replace(TINY, backbone=str(folder), projected=12)


def test_it_gives_the_grid_and_sees_a_change_where_it_is(folder):
    from physad_ros.detectors.patchcore.backbone import Backbone

    backbone = Backbone(folder, (2, 3), (5, 8), 224, 12)
    frame = np.random.default_rng(0).integers(0, 255, (90, 160, 3), np.uint8)
    other = frame.copy()
    other[:18, :20] = 0
    apart = np.linalg.norm(backbone.cells(other) - backbone.cells(frame), axis=2)
    assert apart.shape == (5, 8) and apart.argmax() in (0, 1, 8, 9)
    assert backbone.parameters() == sum(p.numel() for p in backbone.network.parameters())


def test_with_a_network_it_fits_scores_and_is_read_again(config, tmp_path):
    detector = PatchCore(config)
    detector.fit([clip(i) for i in range(4)])
    assert detector.parameters() > 0 and detector.memories[1].kept.shape[-1] == 12
    normal, flawed = detector.score(clip(100)).value, detector.score(clip(101, flaw=True)).value
    assert flawed > 1.5 * normal
    detector.save(tmp_path)
    assert PatchCore.load(tmp_path).score(clip(100)).value == pytest.approx(normal, rel=1e-5)


def test_what_is_no_network_is_refused(tmp_path, config):
    with pytest.raises(BadData, match=r"config\.json"):
        PatchCore(replace(config, backbone=str(tmp_path))).fit([clip(0), clip(1)])
    with pytest.raises(BadData, match="layers"):
        PatchCore(replace(config, layers=(99,))).fit([clip(0), clip(1)])


def test_of_a_resnet_50_it_takes_the_published_layers():
    """Layers 2 and 3 of a ResNet-50 at 224 pixels, as in PatchCore's public code; parameters as torchvision's resnet50 without its classifier."""
    config = transformers.ResNetConfig()
    with torch.device("meta"):
        model = transformers.ResNetModel(config)
        states = model(torch.empty(1, 3, 224, 224), output_hidden_states=True).hidden_states
    assert [tuple(states[k].shape[1:]) for k in PatchCoreConfig().layers] == [(512, 28, 28), (1024, 14, 14)]
    assert sum(p.numel() for p in model.parameters()) == 25_557_032 - 2_049_000
