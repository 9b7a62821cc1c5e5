"""Whether a file can be read and a folder written, found out before anything moves or long work begins. Raises WrongUse where not."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from physad_ros.core.errors import WrongUse, why


def folder(path: Path, what: str = "folder") -> Path:
    """A folder that is there and can be read."""
    _readable(path, what)
    if not path.is_dir():
        raise WrongUse(f"{path} is a file, not a folder")
    return path


def file(path: Path, what: str = "file") -> Path:
    """A file that is there and can be read."""
    _readable(path, what)
    if path.is_dir():
        raise WrongUse(f"{path} is a folder, not a {what}")
    return path


def writable_folder(path: Path, option: str = "") -> Path:
    """A folder that is there, or can be made, and takes files. Nothing is left behind by the attempt.

    Args:
        option: that names the folder, for the message.
    """
    told = f"{option}: " if option else ""
    there = path
    try:
        while not there.exists():
            if there.is_symlink():
                raise WrongUse(f"{told}{there} is a link to something that is not there")
            there = there.parent
        if not there.is_dir():
            raise WrongUse(f"{told}{path} cannot be a folder: {'it' if there == path else there} is a file")
        with tempfile.TemporaryFile(dir=there):
            pass
    except (OSError, ValueError) as error:
        raise WrongUse(f"{told}nothing can be written into {path}: {why(error)}" + (f" ({there})" if there != path else "")) from error
    return path


def writable_file(path: Path, option: str = "") -> Path:
    """A file that can be made or replaced."""
    told = f"{option}: " if option else ""
    try:
        if path.is_dir():
            raise WrongUse(f"{told}{path} is a folder, not a file")
        if path.exists() and not os.access(path, os.W_OK):
            raise WrongUse(f"{told}{path} cannot be written: permission denied")
        if not path.parent.is_dir():
            raise WrongUse(f"{told}there is no folder {path.parent} to write {path.name} into")
    except (OSError, ValueError) as error:
        raise WrongUse(f"{told}{path} cannot be written: {why(error)}") from error
    writable_folder(path.parent, option)
    return path


def _readable(path: Path, what: str) -> None:
    try:
        os.stat(path)
    except FileNotFoundError:
        raise WrongUse(f"{path}: there is no such {what}") from None
    except (OSError, ValueError) as error:
        raise WrongUse(f"{path} cannot be read: {why(error)}") from error
    if not os.access(path, os.R_OK | (os.X_OK if path.is_dir() else 0)):
        raise WrongUse(f"{path} cannot be read: permission denied")
