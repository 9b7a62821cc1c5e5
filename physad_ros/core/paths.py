"""Where the package's data lies: the checkout in development, the share folder once installed."""

from __future__ import annotations

from pathlib import Path


def share_dir() -> Path:
    """Folder that holds models/, config/, launch/ and urdf/."""
    checkout = Path(__file__).resolve().parents[2]
    if (checkout / "models").is_dir():
        return checkout
    from ament_index_python.packages import get_package_share_directory

    return Path(get_package_share_directory("physad"))
