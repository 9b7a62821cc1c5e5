"""Dictionary learning: few atoms of which each snippet is explained by fewer still (S3R's task-specific dictionary)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from physad_ros.features.base import Vectors

RIDGE = 1e-6  # keeps equations solvable where two chosen atoms are nearly one


def learn(snippets: Vectors, atoms: int, nonzero: int, rounds: int) -> Vectors:
    """Atoms (atoms, D), as long as a snippet is on average, that explain snippets (N, D) with ``nonzero`` of them each.

    By turns the sparse codes (orthogonal matching pursuit) and the atoms (least squares: the method of optimal directions, Engan et
    al., ICASSP 1999) are bettered; an atom that nothing uses becomes the snippet that is explained worst.
    """
    data = snippets.astype(float)
    dictionary = unit(data[np.linspace(0, len(data) - 1, atoms).round().astype(int)])
    for _ in range(rounds):
        codes = sparse_codes(data, dictionary, nonzero)
        normal = codes.T @ codes + RIDGE * np.eye(atoms)
        dictionary = np.linalg.solve(normal, codes.T @ data)
        unused = ~codes.any(0)
        worst = np.argsort(-np.linalg.norm(data - codes @ dictionary, axis=1))
        dictionary[unused] = data[worst[np.arange(unused.sum()) % len(worst)]]
        dictionary = unit(dictionary)
    return np.asarray(dictionary * np.linalg.norm(data, axis=1).mean(), np.float32)


def sparse_codes(data: NDArray[np.float64], dictionary: NDArray[np.float64], nonzero: int) -> NDArray[np.float64]:
    """Codes (N, atoms) of data (N, D) by orthogonal matching pursuit over unit atoms, ``nonzero`` of them a row at the most."""
    rows = np.arange(len(data))[:, None]
    taken = np.empty((len(data), 0), int)
    weights = np.empty((len(data), 0))
    for _ in range(nonzero):
        residual = data - np.einsum("nk,nkd->nd", weights, dictionary[taken])
        match = np.abs(residual @ dictionary.T)
        match[rows, taken] = -1.0
        taken = np.concatenate([taken, match.argmax(1)[:, None]], 1)
        chosen = dictionary[taken]  # (N, k, D)
        gram = chosen @ chosen.transpose(0, 2, 1) + RIDGE * np.eye(taken.shape[1])
        weights = np.linalg.solve(gram, np.einsum("nkd,nd->nk", chosen, data)[..., None])[..., 0]
    codes = np.zeros((len(data), len(dictionary)))
    codes[rows, taken] = weights
    return codes


def unit(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Vectors of length one."""
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12))
