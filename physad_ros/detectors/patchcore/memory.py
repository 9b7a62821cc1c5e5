"""A memory of normal patches by place and time: greedy coreset, nearest neighbours near by, re-weighting (PatchCore, section 3)."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Patches = NDArray[np.float32]


@dataclass(frozen=True)
class Reach:
    """Which normal patches a patch may be compared with."""

    cells: int = 1  # to each side
    slots: int = 2  # of time, earlier and later
    lateness: float = 0.1  # added to the squared distance, times the square of the slots between


@dataclass(frozen=True)
class Memory:
    """What is kept of the normal clips. S slots of time, R × C cells, K patches kept at each of these places, D numbers a patch."""

    mean: Patches  # (D,)
    deviation: Patches  # (D,) of a channel, times the root of D: a squared distance is a mean over the channels
    kept: Patches  # (S, R, C, K, D) in these units
    usual: Patches  # (S, R, C) how far a normal clip's patch lies from those of the others there
    reach: Reach = Reach()

    @classmethod
    def of(cls, clips: Patches, share: float, reach: Reach, seed: int) -> Memory:
        """Learn from normal clips (N, S, R, C, D), of whose patches at a place the given share is kept."""
        n, slots, rows, columns, channels = clips.shape
        mean = clips.mean((0, 1, 2, 3))
        deviation = np.maximum(clips.std((0, 1, 2, 3)), 1e-3) * np.sqrt(channels)
        places = np.moveaxis((clips - mean) / deviation, 0, 3)  # (S, R, C, N, D)
        owners = coreset(places.reshape(-1, n, channels), max(1, round(share * n)), seed).reshape(slots, rows, columns, -1)
        kept = np.take_along_axis(places, owners[..., None], 3)
        bare = cls(mean, deviation, kept, np.ones((slots, rows, columns), np.float32), reach)
        return cls(mean, deviation, kept, bare._usual(places, owners), reach)

    def distances(self, patches: Patches, slot: int) -> Patches:
        """Of patches (R, C, D) of a slot from the nearest normal ones near by, in units of what is usual there: (R, C)."""
        query = ((patches - self.mean) / self.deviation)[:, :, None]
        return np.asarray(self._nearest(query, slot)[:, :, 0] / self.usual[slot])

    def weight(self, patch: Patches, place: tuple[int, int], slot: int, neighbours: int) -> float:
        """Equation 7: near 1 where the normal patch nearest to this one (D,) is rare itself, less where it has company.

        1 - exp(d) / sum over b of exp(d_b), with d the distance to the nearest patch m and d_b those to the b patches of the memory nearest to m.
        """
        query = (patch - self.mean) / self.deviation
        row, column = (slice(max(at - self.reach.cells, 0), at + self.reach.cells + 1) for at in place)
        near = self.kept[self._times(slot), row, column].reshape(-1, len(patch))
        apart = np.linalg.norm(near - query, axis=1)
        nearest = int(apart.argmin())
        company = np.argsort(((near - near[nearest]) ** 2).sum(1), kind="stable")[:neighbours]
        return float(1 - 1 / np.exp(apart[company] - apart[nearest]).sum())

    def _usual(self, places: Patches, owners: NDArray[np.int64]) -> Patches:
        """Mean distance of each training clip's patches from the others' there; of the slots beside, the greatest; never next to nothing."""
        usual = np.stack([self._nearest(places[slot], slot, owners) for slot in range(len(places))])
        usual = np.where(np.isfinite(usual), usual, 0).mean(3)  # infinite where all that is kept near by is the clip's own
        around = np.stack([usual[np.clip(np.arange(len(usual)) + step, 0, len(usual) - 1)] for step in (-1, 0, 1)])
        return np.asarray(around.max(0) + np.median(usual), np.float32)

    def _nearest(self, queries: Patches, slot: int, owners: NDArray[np.int64] | None = None) -> Patches:
        """Distance of each of Q patches (R, C, Q, D) from the nearest one near by, not one of its own clip: (R, C, Q)."""
        near, late = self._near(slot), self._late(slot)
        whose = None if owners is None else self._around(owners[..., None], slot)[..., 0]
        rows, columns, own = *queries.shape[:2], np.arange(queries.shape[2])[:, None]
        best = np.full(queries.shape[:3], np.inf, np.float32)
        for dy in range(2 * self.reach.cells + 1):
            for dx in range(2 * self.reach.cells + 1):
                at = np.s_[dy : dy + rows, dx : dx + columns]
                apart = (near[at] ** 2).sum(-1)[:, :, None] - 2 * queries @ np.swapaxes(near[at], 2, 3) + late  # (R, C, Q, M)
                if whose is not None:
                    apart[whose[at][:, :, None] == own] = np.inf
                best = np.minimum(best, apart.min(-1))
        return np.sqrt(np.maximum(best + (queries**2).sum(-1), 0))

    def _near(self, slot: int) -> Patches:
        """Patches kept about this time, with a border of cells around: (R + 2 r, C + 2 r, M, D)."""
        return self._around(self.kept, slot)

    def _around(self, held: NDArray, slot: int) -> NDArray:
        reach = self.reach
        near = np.concatenate(list(held[self._times(slot)]), axis=2)  # (R, C, M, .)
        return np.pad(near, ((reach.cells, reach.cells),) * 2 + ((0, 0),) * 2, mode="edge")

    def _late(self, slot: int) -> Patches:
        late = self.reach.lateness * (np.arange(len(self.kept))[self._times(slot)] - slot) ** 2
        return np.repeat(late, self.kept.shape[3]).astype(np.float32)  # (M,)

    def _times(self, slot: int) -> slice:
        return slice(max(slot - self.reach.slots, 0), min(slot + self.reach.slots + 1, len(self.kept)))


def locally_aware(patches: Patches, size: int) -> Patches:
    """Each patch (R, C, D) as the mean of its neighbourhood of size × size (section 3.1)."""
    return np.asarray(cv2.blur(patches, (size, size), borderType=cv2.BORDER_REPLICATE), np.float32).reshape(patches.shape)


def coreset(patches: Patches, keep: int, seed: int) -> NDArray[np.int64]:
    """Which of N patches (P, N, D) to keep at each of P places: (P, keep). Greedily, each the farthest from those taken (section 3.2)."""
    places = np.arange(len(patches))
    taken = np.empty((len(patches), keep), np.int64)
    apart = np.full(patches.shape[:2], np.inf, np.float32)
    chosen = np.random.default_rng(seed).integers(patches.shape[1], size=len(patches))
    for at in range(keep):
        taken[:, at] = chosen
        apart = np.minimum(apart, ((patches - patches[places, chosen][:, None]) ** 2).sum(-1))
        chosen = apart.argmax(1)
    return taken
