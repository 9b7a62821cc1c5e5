"""How learnt detectors lie on disk: <name>.safetensors with what a network learnt, <name>.json with the rest."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from physad_ros.core.errors import BadData
from physad_ros.dataset.files import write_json


def save(folder: Path, name: str, tensors: Mapping[str, Any], facts: Mapping[str, Any]) -> None:
    """Write torch tensors by name, and facts that JSON can hold."""
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    save_file({key: tensor.detach().cpu().contiguous().clone() for key, tensor in tensors.items()}, folder / f"{name}.safetensors")
    write_json(folder / f"{name}.json", dict(facts))


def load(folder: Path, name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Tensors and facts; BadData, with the command that makes them, where they are missing or broken."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    file = folder / f"{name}.json"
    try:
        facts = json.loads(file.read_text())
        return load_file(folder / f"{name}.safetensors"), facts
    except (OSError, ValueError, SafetensorError) as error:
        raise BadData(f"{file}: {error}; `physad fit --detector {name}` makes it") from error
