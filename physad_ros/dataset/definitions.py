"""Message definitions of the installed packages, for bags that explain themselves and for reading them."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

from ament_index_python.packages import PackageNotFoundError, get_package_share_directory
from rosbags.typesys import Stores, get_types_from_msg, get_typestore
from rosbags.typesys.store import Typestore

from physad_ros.core.errors import BadData, why

_SEPARATOR = "=" * 80
_FIELD = re.compile(r"^[ \t]*([A-Za-z]\w*(?:/\w+)?)(?:<=\d+)?(?:\[.*?\])?\s+\w+", re.MULTILINE)
_BUILTIN = {
    "bool", "byte", "char", "float32", "float64", "string", "wstring",
    *(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)),
}


@lru_cache(maxsize=256)
def _text(package: str, name: str) -> str:
    try:
        return (Path(get_package_share_directory(package)) / "msg" / f"{name}.msg").read_text()
    except (PackageNotFoundError, OSError) as error:
        raise BadData(f"the definition of {package}/msg/{name} is not installed: {why(error)}") from error


def _parts(package: str, text: str) -> list[tuple[str, str]]:
    """(package, name) of the messages that a definition uses."""
    found = []
    for used in _FIELD.findall(text):
        if used not in _BUILTIN:
            owner, _, name = used.rpartition("/")
            found.append((owner or package, name))
    return found


@lru_cache(maxsize=64)
def definition(message_type: str) -> str:
    """Text of a type such as sensor_msgs/msg/JointState with all it uses, as MCAP's schema encoding ros2msg wants it.

    Raises:
        BadData: the type, or one that it uses, is not installed.
    """
    package, _, name = message_type.split("/")
    text = _text(package, name)
    queue, seen, blocks = _parts(package, text), {(package, name)}, [text]
    while queue:
        owner, used = queue.pop(0)
        if (owner, used) in seen:
            continue
        seen.add((owner, used))
        inner = _text(owner, used)
        blocks.append(f"{_SEPARATOR}\nMSG: {owner}/{used}\n{inner}")
        queue += _parts(owner, inner)
    return "\n".join(blocks)


@lru_cache(maxsize=1)
def typestore() -> Typestore:
    """Decoder of the standard messages and of ours."""
    store = get_typestore(Stores.ROS2_KILTED)
    folder = Path(get_package_share_directory("physad_msgs")) / "msg"
    types: dict[str, object] = {}
    for file in sorted(folder.glob("*.msg")):
        types |= get_types_from_msg(file.read_text(), f"physad_msgs/msg/{file.stem}")
    store.register(types)  # type: ignore[arg-type]
    return store


@lru_cache(maxsize=64)
def type_hash(message_type: str) -> str:
    """RIHS01 hash by which ROS tells definitions of a type apart; BadData for a type that ``typestore`` does not have."""
    try:
        return typestore().hash_rihs01(message_type)
    except KeyError as error:
        raise BadData(f"no message type {message_type!r}") from error
