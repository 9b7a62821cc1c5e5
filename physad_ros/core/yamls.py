"""YAML files as people write them: a key that comes twice is a mistake, of which plain YAML keeps the last without a word."""

from __future__ import annotations

from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml


class _Loader(yaml.SafeLoader):
    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: dict[Any, int] = {}
        for key_node, _ in node.value:
            if key_node.tag == "tag:yaml.org,2002:merge":
                continue
            key, line = self.construct_object(key_node, deep=True), key_node.start_mark.line + 1
            if not isinstance(key, Hashable):
                continue  # refused below
            if key in seen:
                raise yaml.constructor.ConstructorError(None, None, f"{key!r} is there already, on line {seen[key]}", key_node.start_mark)
            seen[key] = line
        return super().construct_mapping(node, deep)


def read_yaml(file: Path) -> Any:
    """The content of a file. Raises OSError, UnicodeDecodeError, or yaml.YAMLError that knows the line."""
    return yaml.load(file.read_text(), _Loader)  # a SafeLoader
