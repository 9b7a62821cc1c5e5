"""A campaign's specimens are its own, and what is said of its verdicts counts those that got none."""

import io
import json
import math

import numpy as np
import pytest
from rich.console import Console

from physad_ros.bench import live, perceive
from physad_ros.bench.collect import tasks
from physad_ros.bench.live import Row
from physad_ros.bench.specimens import Campaign
from physad_ros.core.catalogue import categories, load_category
from physad_ros.core.types import NORMAL_LABEL
from physad_ros.sim.twin import twins

SEEDS = (0, 1, 40, 2026)


def campaign(count=20, seed=0):
    return Campaign((), (), count, seed, "rules", 360)


@pytest.mark.parametrize("seed", SEEDS)
def test_no_campaign_shares_a_specimen_with_what_was_fitted_on(seed):
    recorded = [(s.category, s.seed) for s in campaign(100, seed).specimens()]
    assert len(set(recorded)) == len(recorded) > 100
    fitted = {(t.category, t.seed) for other in SEEDS for t in tasks(list(twins), 200, 20, other)}
    looked = {task for other in SEEDS for part in perceive.specimens(tuple(twins), 60, other) for task in part}
    assert not set(recorded) & (fitted | looked) and not fitted & looked
    learnt, tried = perceive.specimens(tuple(twins), 60, seed)
    assert not set(learnt) & set(tried)


def test_a_campaign_s_clips_keep_their_short_names():
    small, large = list(campaign(2).specimens()), list(campaign(3).specimens())
    assert small == list(campaign(2).specimens()) and set(small) < set(large)
    assert small[0].clip_id == "clip_anomaly_free_1679417088" and all(len(s.clip_id) < 40 for s in large)
    assert {s.label for s in large if s.category == "fan"} == set(load_category("fan").labels)


def test_perception_is_taught_what_has_a_twin_and_leaves_a_users_category_alone(monkeypatch, tmp_path):
    (tmp_path / "mine" / "spoon").mkdir(parents=True)
    mine = (load_category("clip").folder / "category.yaml").read_text().replace("name: clip\n", "name: spoon\n")
    (tmp_path / "mine" / "spoon" / "category.yaml").write_text(mine)
    monkeypatch.setenv("PHYSAD_CATEGORY_PATH", str(tmp_path / "mine"))
    monkeypatch.setattr(perceive, "share_dir", lambda: tmp_path)
    (tmp_path / "models").mkdir()
    looks = {name: 240 * (i + 1) // len(twins) for i, name in enumerate(twins)}

    def picture(name, seed):
        drawn, left = np.full((90, 160, 3), 5, np.uint8), 35 + seed % 10
        drawn[20 : 20 + looks[name] // 4, left : left + 70 + seed % 7] = (looks[name], 60, 255 - looks[name])
        return drawn

    monkeypatch.setattr(perceive, "picture", picture)
    told = perceive.fit_perception(12, jobs=1)
    assert told.pictures == 6 * len(twins) == told.misnamed // (len(twins) - 1)
    assert told.contradicted <= told.pictures - told.right and told.caught > 0.9 * told.misnamed
    assert (tmp_path / "models" / "perception.npz").exists()


def row(label, verdict, score, findings=()):
    scores = {"rules": score, "frame_difference": 1.0, "intensity": 1.0}
    return Row("clip", label, "rules", verdict, scores, findings, 0.05)


NORMALS = [row(NORMAL_LABEL, "NORMAL", 0.5 + i / 100) for i in range(18)] + [row(NORMAL_LABEL, "ANOMALOUS", 2.0)]
STUCK = [row("unable_press", "ANOMALOUS", 5.0 + i / 100, ("opening@press",)) for i in range(18)]
MISSED = row("unable_press", "INCONCLUSIVE", math.nan)
UNSURE = row(NORMAL_LABEL, "INCONCLUSIVE", math.nan)


WANTED = 20 * sum(len(load_category(name).labels) for name in categories())


def evaluated(rows, monkeypatch, tmp_path, as_json):
    campaign().write(tmp_path)
    monkeypatch.setattr(live, "_rows", lambda root, console: rows)
    said = io.StringIO()
    live.evaluate(tmp_path, Console(file=said, width=200), as_json)
    return said.getvalue()


def test_what_got_no_verdict_is_counted_and_told_at_its_worst(monkeypatch, tmp_path, capsys):
    evaluated([*NORMALS, *STUCK, MISSED, UNSURE], monkeypatch, tmp_path, as_json=True)
    told = json.loads(capsys.readouterr().out)
    assert (told["specimens"], told["inspected"]) == (WANTED, 39)
    one = next(r for r in told["results"] if (r["label"], r["detector"]) == ("unable_press", "rules"))
    assert (one["judged"], one["asked"], one["auroc"]) == (37, 39, 1.0)
    assert one["auroc_worst"] == pytest.approx(18 / 19 * 19 / 20)
    assert one["auroc_low"] < 0.95 and one["auroc_high"] == 1.0


def test_the_calibrated_rate_stands_beside_the_measured_one(monkeypatch, tmp_path, capsys):
    said = evaluated([*NORMALS, *STUCK, MISSED], monkeypatch, tmp_path, as_json=False)
    assert f"38 of the campaign's {WANTED} specimens are inspected" in said
    assert "1 of 19" in said and "0.05, inside" in said and "37 of 38" in said
    false = [row(NORMAL_LABEL, "ANOMALOUS", 2.0)] * 19
    assert "0.05, outside" in evaluated([*false, *STUCK], monkeypatch, tmp_path, as_json=False)


def test_a_category_without_one_normal_verdict_is_told_all_the_same(monkeypatch, tmp_path, capsys):
    evaluated([UNSURE, *STUCK], monkeypatch, tmp_path, as_json=True)
    one = next(r for r in json.loads(capsys.readouterr().out)["results"] if r["detector"] == "rules")
    assert (one["judged"], one["asked"], one["auroc"], one["auroc_worst"]) == (18, 19, None, 0.0)
