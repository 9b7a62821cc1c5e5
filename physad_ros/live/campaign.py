"""A campaign: many specimens through one live graph, into a Phys-AD tree. What is on disk is not done again."""

from __future__ import annotations

import dataclasses
import os
import shutil
from pathlib import Path

from rich.console import Console

from physad_msgs.msg import Verdict
from physad_ros.bench.specimens import BAGS, Campaign, Specimen
from physad_ros.bringup import StackArguments, stack
from physad_ros.core.types import NORMAL_LABEL
from physad_ros.dataset.report import REPORT
from physad_ros.live.graph import running
from physad_ros.live.inspect import inspect
from physad_ros.live.terminal import NAMES, telling


def run_campaign(root: Path, campaign: Campaign, arguments: StackArguments, console: Console) -> None:
    """Inspect a campaign's specimens live, as ``ready`` arguments say; each leaves <root>/bags/<clip_id>/ and its clip in the tree."""
    todo = list(campaign.specimens())
    campaign.write(root)
    done = [s for s in todo if (root / BAGS / s.clip_id / REPORT).exists()]
    left = [s for s in todo if s not in done]
    for specimen in done:  # one whose entry was cut off enters now
        _enter(root, specimen)
    if done:
        console.print(f"{len(done)} of {len(todo)} are on disk")
    if not left:
        return
    first = left[0]
    # perception is part of every inspection: the category is never told
    # as fast as the machine draws: nobody waits beside the rig, and stamps are simulated time
    arguments = dataclasses.replace(arguments, real_time_factor=0.0)
    told = dataclasses.replace(arguments, category=first.category, defect=first.label, seed=first.seed, out=str(root / BAGS))
    asking = dataclasses.replace(told, category="", defect="")
    entered: list[Specimen] = []
    try:
        with running(stack(told)) as operator, telling(console, lines=False) as tell:
            for number, specimen in enumerate(left, 1 + len(done)):
                operator.place(specimen.category, "", specimen.label, -1.0, specimen.seed)
                shutil.rmtree(root / BAGS / specimen.clip_id, ignore_errors=True)  # of an inspection that was cut off
                verdict, interrupted = inspect(operator, dataclasses.replace(asking, seed=specimen.seed), specimen.clip_id, tell)
                console.print(f"{number}/{len(todo)} {specimen.clip_id}: {NAMES[verdict.verdict]} {verdict.reason}".rstrip())
                if interrupted and verdict.verdict == Verdict.INCONCLUSIVE:
                    raise KeyboardInterrupt
                _enter(root, specimen)
                entered.append(specimen)
                if interrupted:
                    raise KeyboardInterrupt
    except KeyboardInterrupt:  # wherever it came: what is not whole is done again
        for specimen in left:
            if specimen not in entered:
                shutil.rmtree(root / BAGS / specimen.clip_id, ignore_errors=True)
        console.print("interrupted; the same command goes on from here")
        raise


def _enter(root: Path, specimen: Specimen) -> None:
    """Put the clip into the tree beside its manifest and signals, without a second copy on disk."""
    normal = specimen.label == NORMAL_LABEL
    folder = root / specimen.category / "test" / (NORMAL_LABEL if normal else specimen.label)
    folder.mkdir(parents=True, exist_ok=True)
    bag = root / BAGS / specimen.clip_id
    for name, suffix in (("clip.mp4", ".mp4"), ("manifest.json", ".json"), ("signals.npz", ".npz")):
        if (bag / name).exists():
            target = folder / f"{specimen.clip_id}{suffix}"
            target.unlink(missing_ok=True)
            os.link(bag / name, target)
