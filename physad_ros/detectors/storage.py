"""How learnt detectors lie on disk: <name>.safetensors with what a network learnt, <name>.json with the rest."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from physad_ros.core.errors import BadData, why
from physad_ros.dataset.files import write_json

SUFFIXES = (".json", ".safetensors", ".yaml")  # of the files that detectors save


def save(folder: Path, name: str, tensors: Mapping[str, Any], facts: Mapping[str, Any]) -> None:
    """Write torch tensors by name, and facts that JSON can hold."""
    from safetensors.torch import save_file

    _write(folder, name, save_file, {key: tensor.detach().cpu().contiguous().clone() for key, tensor in tensors.items()}, facts)


def load(folder: Path, name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Tensors and facts; BadData, with the command that makes them, where they are missing or broken."""
    from safetensors.torch import load_file

    return _read(folder, name, load_file)


def save_arrays(folder: Path, name: str, arrays: Mapping[str, NDArray[Any]], facts: Mapping[str, Any]) -> None:
    """As ``save``, for NumPy arrays; torch is not needed."""
    from safetensors.numpy import save_file

    _write(folder, name, save_file, {key: np.ascontiguousarray(array) for key, array in arrays.items()}, facts)


def load_arrays(folder: Path, name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """As ``load``, for NumPy arrays; torch is not needed."""
    from safetensors.numpy import load_file

    return _read(folder, name, load_file)


def _write(folder: Path, name: str, save_file: Callable[[dict[str, Any], Path], None], held: dict[str, Any], facts: Mapping[str, Any]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    save_file(held, folder / f"{name}.safetensors")
    write_json(folder / f"{name}.json", dict(facts))


def _read(folder: Path, name: str, load_file: Callable[[Path], dict[str, Any]]) -> tuple[dict[str, Any], dict[str, Any]]:
    from safetensors import SafetensorError

    file = folder / f"{name}.json"
    try:
        facts = json.loads(file.read_text())
        return load_file(folder / f"{name}.safetensors"), facts
    except (OSError, ValueError, SafetensorError) as error:
        raise BadData(f"{file}: {why(error)}; `physad bench --method {name}` makes it, or `physad fit` where no labels are needed") from error


def fingerprint(folder: Path, name: str) -> dict[str, str]:
    """SHA-256 of each file, by its name, that the detector of that name was loaded from: all that one saves bears its name."""
    files = (folder / f"{name}{suffix}" for suffix in SUFFIXES)
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files if file.exists()}


def number(written: float | None) -> float:
    """A number as JSON holds it, where null stands for NaN."""
    return float("nan") if written is None else float(written)
