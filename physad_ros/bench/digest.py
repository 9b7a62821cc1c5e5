"""What a job's result depends on, as one number: when it changes, the job is done anew."""

from __future__ import annotations

import ast
import dataclasses
import hashlib
import importlib.util
import inspect
import json
import os
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from physad_ros.bench.protocol import Split
from physad_ros.core.catalogue import categories
from physad_ros.detectors.base import Detector

_PACKAGE = "physad_ros"
#: of ours, what fits, calibrates and scores
_JOB = tuple(Path(__file__).with_name(name) for name in ("job.py", "protocol.py", "clips.py"))
#: variables of the environment that say which model is asked, and packages that read them
_VARIABLES, _READERS = re.compile(r"PHYSAD_\w+_CHECKPOINT|PHYSAD_CHAT_MODEL|OPENAI_BASE_URL"), {"features", "language"}


def digest(kind: type[Detector], preset: str, split: Split, root: Path, false_alarm_rate: float) -> str:
    """Of the method's code and configuration, its checkpoints, the code that judges it, the clips and the category's description."""
    config, files = kind.presets.get(preset), sorted(set(sources(inspect.getmodule(kind).__name__)))  # type: ignore[union-attr]
    facts = {
        "method": kind.__qualname__,
        "code": _digest_of((*files, *_JOB)),
        "environment": _environment() if _READERS & {part for file in files for part in file.parts} else [],
        "config": dataclasses.asdict(config) if dataclasses.is_dataclass(config) else repr(config),  # type: ignore[arg-type]
        "split": dataclasses.asdict(split),
        "clips": [_stat(file) for part in (split.fit, split.calibrate, split.shots, split.test) for name in part for file in _files(root / name)],
        "category": _text(categories().get(split.category)),
        "false_alarm_rate": false_alarm_rate,
    }
    return hashlib.sha256(json.dumps(facts, sort_keys=True, default=repr).encode()).hexdigest()[:16]


def sources(module: str) -> Iterator[Path]:
    """Source files of ours that a detector's module needs, and those that they need: of detectors what is imported, other packages whole."""
    todo, seen = [module], set()
    while todo:
        name = todo.pop()
        parts = name.split(".")
        if name in seen or parts[0] != _PACKAGE or len(parts) < 3:
            continue
        seen.add(name)
        mine: Iterable[Path] = ()
        if parts[1] != "detectors":
            mine = _folder(parts[1])
        elif file := _file(name):
            mine = file.parent.rglob("*.py") if file.name == "__init__.py" else (file,)
        for path in mine:
            yield path
            todo += _imports(path)


@lru_cache(maxsize=64)
def _folder(package: str) -> tuple[Path, ...]:
    """Whole: registries there find their members by name, which no import shows."""
    here = importlib.util.find_spec(_PACKAGE).submodule_search_locations[0]  # type: ignore[union-attr,index]
    return tuple((Path(here) / package).rglob("*.py"))


def _file(module: str) -> Path | None:
    try:
        spec = importlib.util.find_spec(module)
    except ModuleNotFoundError:
        return None
    return Path(spec.origin) if spec and spec.origin else None


@lru_cache(maxsize=256)
def _imports(file: Path) -> tuple[str, ...]:
    """Modules that a file imports, anywhere in it; what it takes from a package counts as one too."""
    found: list[str] = []
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            found += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return tuple(found)


@lru_cache(maxsize=64)
def _digest_of(files: tuple[Path, ...]) -> str:
    sum_ = hashlib.sha256()
    for file in files:
        sum_.update(file.name.encode() + b"\0" + file.read_bytes())
    return sum_.hexdigest()


def _environment() -> list[tuple[Any, ...]]:
    """What the variables say, and of a checkpoint's files which they are."""
    found: list[tuple[Any, ...]] = []
    for name in sorted(filter(_VARIABLES.fullmatch, os.environ)):
        path = Path(os.environ[name]).expanduser()
        files = [path] if path.is_file() else sorted(p for p in path.glob("*") if p.is_file())
        found.append((name, os.environ[name], *(_stat(file) for file in files)))
    return found


def _files(clip: Path) -> list[Path]:
    """A clip's video, and beside it its manifest and signals where it has them."""
    return [file for file in (clip, clip.with_suffix(".json"), clip.with_suffix(".npz")) if file == clip or file.exists()]


def _stat(file: Path) -> tuple[str, int, int]:
    about = file.stat()
    return file.name, about.st_size, about.st_mtime_ns


def _text(folder: Path | None) -> Any:
    return (folder / "category.yaml").read_text() if folder else ""
