"""Where the package's data lies: the checkout in development, the share folder once installed."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

WRITTEN = ("ROS_LOG_DIR", "MPLCONFIGDIR")  # variables that name folders which libraries write into


def share_dir() -> Path:
    """Folder that holds models/, config/, launch/ and urdf/."""
    checkout = Path(__file__).resolve().parents[2]
    if (checkout / "models").is_dir():
        return checkout
    from ament_index_python.packages import get_package_share_directory

    return Path(get_package_share_directory("physad"))


def keep_writable() -> None:
    """Move logs and caches to where temporary files go, where the environment puts them into a folder that cannot be written."""
    for name in WRITTEN:
        if (folder := os.environ.get(name)) and not _writable(Path(folder)):
            os.environ[name] = str(Path(tempfile.gettempdir()) / f"physad-{os.getuid()}" / name.lower())


def _writable(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False
