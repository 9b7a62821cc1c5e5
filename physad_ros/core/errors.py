"""Errors that a person can act on, and how every program of ours ends on one: a line, and an exit status that says whose fault it was."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from enum import IntEnum
from pathlib import Path
from typing import ClassVar

TOLD = 3  # faults of one file
TRACEBACK = "PHYSAD_TRACEBACK"  # in the environment: print the traceback of a fault too
#: what a machine answers to a path or a disk that somebody chose; all else that it refuses is a fault of ours
THEIRS = {
    errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.EEXIST, errno.ENAMETOOLONG, errno.ELOOP,
    errno.ENOSPC, errno.EDQUOT, errno.ENOTEMPTY, errno.EXDEV,
}


class Exit(IntEnum):
    """Exit status of our programs; 3 and 4 only of `physad inspect`."""

    NORMAL = 0
    FAULT = 1  # of the program
    WRONG_USE = 2  # wrong arguments, or data that cannot be used
    ANOMALOUS = 3
    INCONCLUSIVE = 4
    INTERRUPTED = 130


class PhysadError(Exception):
    """Base of every error that physad raises on purpose; itself for what is the program's fault, not its user's."""

    status: ClassVar[Exit] = Exit.FAULT


class UnknownName(PhysadError):
    """A name that is not among the known ones."""

    status = Exit.WRONG_USE

    def __init__(self, kind: str, name: str, known: Iterable[str]):
        self._about = kind, name, tuple(sorted(known))
        super().__init__(f"no {kind} {name!r}; known: {', '.join(self._about[2]) or 'none'}")

    def __reduce__(self) -> tuple[type[UnknownName], tuple[str, str, tuple[str, ...]]]:
        return type(self), self._about  # an error made of three words is pickled as such, on its way from another process


class BadData(PhysadError):
    """A file, message or setting whose content cannot be used."""

    status = Exit.WRONG_USE


class WrongUse(BadData):
    """Arguments that cannot be what was meant; says what would be."""


class Impossible(PhysadError):
    """A program that the robot cannot or must not play; says which step and why."""

    status = Exit.WRONG_USE


def why(error: BaseException) -> str:
    """What went wrong, in one line for a person: without error numbers, class names and a library's own layout."""
    if isinstance(error, PhysadError):
        return str(error)
    said = getattr(error, "strerror", None)  # of the system, and of FFmpeg
    if said:
        return str(said)[:1].lower() + str(said)[1:]
    if type(error).__module__.startswith("pydantic"):
        faults = [_field(fault) for fault in error.errors()]  # type: ignore[attr-defined]
        return "; ".join(faults[:TOLD]) + (f"; and {len(faults) - TOLD} more like that" if len(faults) > TOLD else "")
    if (mark := getattr(error, "problem_mark", None)) is not None:  # of a YAML file
        return f"line {mark.line + 1}: {getattr(error, 'problem', '') or getattr(error, 'context', '')}"
    if isinstance(error, KeyError) and error.args:
        return f"it has no {error.args[0]!r}"
    return " ".join(str(error).split()) or type(error).__name__


def _field(fault: dict[str, object]) -> str:
    """One of pydantic's faults: the field, as it is reached, and what is wrong with it."""
    place = fault.get("loc")
    where = ".".join(map(str, place)) if isinstance(place, tuple) else ""
    said = str(fault.get("msg", "")).removeprefix("Value error, ")
    if fault.get("type") == "extra_forbidden":
        said = "there is no such field"
    return f"{where}: {said}" if where else said


@contextlib.contextmanager
def ending(program: str, say: Callable[[str], None] = lambda line: print(line, file=sys.stderr)) -> Iterator[None]:
    """End the process on what is raised inside: with one line that ``say`` tells and the status that ``Exit`` gives it.

    Of a fault of the program the line names the file that has the traceback.
    """
    try:
        yield
    except PhysadError as error:
        _leave(say, f"{program}: {' '.join(str(error).split())}", error.status)
    except BrokenPipeError:  # who read our output has ended, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(128 + signal.SIGPIPE)
    except OSError as error:
        if error.errno not in THEIRS or not error.filename:
            _leave(say, _fault(program, error), Exit.FAULT)
        _leave(say, f"{program}: {error.filename}: {why(error)}", Exit.WRONG_USE)
    except Exception as error:
        _leave(say, _fault(program, error), Exit.FAULT)


def _leave(say: Callable[[str], None], line: str, status: Exit) -> None:
    if os.environ.get(TRACEBACK):
        traceback.print_exc()
    say(line)
    sys.exit(status)


def _fault(program: str, error: Exception) -> str:
    """The line for what nobody expected."""
    kind, said = type(error).__name__, why(error)
    what = kind if said == kind else f"{kind}: {said}"
    return f"{program}: this is a fault of the program, not yours ({what}); please report it; {kept_traceback()}"


def kept_traceback() -> str:
    """Write the traceback of the exception that is being handled to where logs go, or temporary files; says where it is."""
    name = f"physad-fault-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}.txt"
    for folder in filter(None, (os.environ.get("ROS_LOG_DIR"), tempfile.gettempdir())):
        try:
            Path(folder).mkdir(parents=True, exist_ok=True)
            (Path(folder) / name).write_text(traceback.format_exc())
        except OSError:
            continue
        return f"the traceback is in {Path(folder) / name}"
    return f"{TRACEBACK}=1 shows the traceback"
