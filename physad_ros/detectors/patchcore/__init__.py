"""A nearest-neighbour memory over patches: PatchCore's idea carried to video, with descriptors that need no weights."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from physad_ros.core.errors import BadData, why
from physad_ros.core.types import Clip, Score, Signals, Timetable
from physad_ros.detectors import storage
from physad_ros.detectors.base import Card, Detector, Setting, Stream, detectors
from physad_ros.detectors.patchcore.descriptors import Descriptor, Grid
from physad_ros.detectors.patchcore.memory import Memory, Patches, Reach
from physad_ros.detectors.patchcore.slots import Gathering, Slot, gathered

if TYPE_CHECKING:
    from physad_ros.detectors.patchcore.backbone import Backbone

NAME = "patchcore"
NETWORK_LINES = 224  # height of the frames where a network looks at them


@dataclass(frozen=True)
class PatchCoreConfig:
    """What a patch is, how many normal ones are kept, and which of them a patch is compared with."""

    rows: int = 9
    columns: int = 16
    cell: int = 12  # pixels
    slot: int = 8  # frames that are pooled to one slot of time
    patch: int = 3  # cells, width and height of the neighbourhood that a patch is averaged over (section 3.1)
    coreset: float = 0.25  # share of the normal patches that is kept
    reach_cells: int = 1
    reach_slots: int = 2
    lateness: float = 0.1  # see Reach
    neighbours: int = 9  # b of equation 7
    worst: float = 0.02  # share of a clip's patches whose mean distance is its score
    backbone: str = ""  # folder of a local network for the looks of a patch; without it gradients tell them
    layers: tuple[int, ...] = (2, 3)  # of its hidden states
    projected: int = 64  # numbers that they are projected to

    @property
    def descriptor(self) -> Descriptor:
        return Descriptor(Grid(self.rows, self.columns, self.cell))

    @property
    def reach(self) -> Reach:
        return Reach(self.reach_cells, self.reach_slots, self.lateness)


@detectors.register(NAME)
class PatchCore(Detector):
    """Scores a clip by the patches that lie farthest from normal ones seen near that place and near that share of the window.

    The published method compares the deep features of a picture's patches with a coreset of all normal patches, wherever they lie. Clips are
    aligned in place and in time, so here a patch has only its surroundings to compare with. There are two memories, of motion and of looks,
    and a patch is as anomalous as the worse of the two says. Each distance is in units of how far normal clips lie apart from each other at
    that place and time.
    """

    libraries = ("safetensors",)
    card = Card(
        "PatchCore on video", Setting.UNSUPERVISED, "idea of Roth et al., CVPR 2022, section 3; the descriptors are physad's own",
        "frames at 216 lines, 108 for quick; 224 where an image network is given",
        ran="quick: trained and tested on the twin; paper: on made-up clips; with a network: only tiny ones of random weights",
    )
    #: quick has a quarter of the cells of paper, cut from frames half as high; it keeps more of the few patches that there are at each place
    presets: ClassVar[dict[str, PatchCoreConfig]] = {
        "paper": PatchCoreConfig(rows=18, columns=32, patch=5, coreset=0.1, reach_cells=2),
        "quick": PatchCoreConfig(),
    }

    def __init__(self, config: PatchCoreConfig | None = None):
        self.config = self.presets["paper"] if config is None else config
        self.height = NETWORK_LINES if self.config.backbone else self.config.descriptor.grid.size[1]
        self.memories: tuple[Memory, Memory] | None = None  # of motion and of looks
        self._backbone: Backbone | None = None

    @property
    def slots(self) -> int:
        """How many slots of time the window has."""
        return len(self._fitted()[0].kept)

    def parameters(self) -> int:
        network = self._network()
        return network.parameters() if network else 0

    def fit(self, clips: Sequence[Clip], seed: int = 0) -> None:
        seen: list[tuple[Patches, Patches]] = []
        for clip in clips:  # of which the first decides into how many slots all windows are cut
            seen.append(self._gathered(clip, len(seen[0][0]) if seen else max(clip.timetable.frames // self.config.slot, 1)))
        if len(seen) < 2:
            raise BadData(f"{NAME} learns how far normal clips lie apart: it needs two, not {len(seen)}")
        motion, looks = (np.stack(kind) for kind in zip(*seen))  # (N, S, R, C, .)
        self.memories = (self._memory(motion, seed), self._memory(looks, seed))

    def stream(self, timetable: Timetable) -> Stream:
        return _Stream(self, self._gathering(timetable, self.slots))

    def distances(self, slot: Slot) -> Patches:
        """Of a slot's patches from the normal ones (R, C), each in units of what is usual there."""
        both = [self._weighted(m, p, slot.at) for m, p in zip(self._fitted(), (slot.motion, slot.looks))]
        return np.maximum(*both)

    def save(self, folder: Path) -> None:
        arrays = {f"{kind}.{n}": getattr(m, n) for kind, m in zip(_KINDS, self._fitted()) for n in _ARRAYS}
        storage.save_arrays(folder, NAME, arrays, {"config": dataclasses.asdict(self.config), "threshold": self.threshold})

    @classmethod
    def load(cls, folder: Path) -> PatchCore:
        arrays, facts = storage.load_arrays(folder, NAME)
        try:
            config: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in facts["config"].items()}
            made = cls(PatchCoreConfig(**config))
            made.threshold = storage.number(facts["threshold"])
            motion, looks = (Memory(reach=made.config.reach, **{n: arrays[f"{kind}.{n}"] for n in _ARRAYS}) for kind in _KINDS)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise BadData(f"{folder / NAME}: {why(error)}; `physad fit --detector {NAME}` makes it anew") from error
        made.memories = (motion, looks)
        return made

    def _memory(self, clips: Patches, seed: int) -> Memory:
        return Memory.of(clips, self.config.coreset, self.config.reach, seed)

    def _weighted(self, memory: Memory, patches: Patches, slot: int) -> Patches:
        """Distances (R, C), weighted by equation 7 as their greatest is."""
        far = memory.distances(patches, slot)
        if not self.config.neighbours:
            return far
        row, column = np.unravel_index(far.argmax(), far.shape)
        return np.asarray(far * memory.weight(patches[row, column], (int(row), int(column)), slot, self.config.neighbours), np.float32)

    def _gathered(self, clip: Clip, slots: int) -> tuple[Patches, Patches]:
        if not len(clip.frames):
            raise BadData("the clip has no frames")
        return gathered(clip, self._gathering(clip.timetable, slots), slots)

    def _gathering(self, timetable: Timetable, slots: int) -> Gathering:
        return Gathering(timetable, slots, self.config.descriptor, self.config.patch, self._network())

    def _network(self) -> Backbone | None:
        if self.config.backbone and self._backbone is None:
            from physad_ros.detectors.patchcore.backbone import Backbone

            shape = (self.config.rows, self.config.columns)
            self._backbone = Backbone(Path(self.config.backbone), self.config.layers, shape, NETWORK_LINES, self.config.projected)
        return self._backbone

    def _fitted(self) -> tuple[Memory, Memory]:
        if self.memories is None:
            raise BadData(f"{NAME} is not fitted yet; fit or load it")
        return self.memories


_KINDS = ("motion", "looks")
_ARRAYS = ("mean", "deviation", "kept", "usual")


class _Stream(Stream):
    def __init__(self, detector: PatchCore, gathering: Gathering):
        self._detector, self._gathering = detector, gathering
        self._distances: list[Patches] = []
        self._frames: list[int] = []

    def push(self, frame: NDArray[np.uint8], stamp_s: float) -> float:
        self._take(self._gathering.push(frame, stamp_s))
        return float(self._distances[-1].max()) if self._distances else 0.0

    def finish(self, signals: Signals) -> Score:
        self._take(self._gathering.flush())
        if not self._distances:
            raise BadData("not one frame of the clip was seen")
        every = np.sort(np.stack(self._distances), axis=None)
        worst = every[-max(1, round(self._detector.config.worst * len(every))) :]
        return Score(float(worst.mean()), np.repeat([float(d.max()) for d in self._distances], self._frames))

    def _take(self, slot: Slot | None) -> None:
        if slot is not None:
            self._distances.append(self._detector.distances(slot))
            self._frames.append(slot.frames)


