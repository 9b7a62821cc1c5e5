"""Where the package's programs begin: from the first line on a signal ends them in order, also while they import."""

from __future__ import annotations

import atexit
import importlib
import os
import signal
import sys
from pathlib import Path
from typing import Any, NoReturn

SIGNALS = (signal.SIGINT, signal.SIGTERM)
INTERRUPTED = 130


def node() -> None:
    """Run the node that this program is named after, such as `arm`; its own handlers follow."""
    _run(f"physad_ros.nodes.{Path(sys.argv[0]).stem}")


def physad() -> None:
    """Run the command `physad`; to be terminated is to be interrupted."""
    _run("physad_ros.cli", then=signal.default_int_handler)


def _run(module: str, then: Any = None) -> None:
    for number in SIGNALS:  # nothing runs yet; an exception in the middle of an import may be told of, and go nowhere
        signal.signal(number, _leave_at_once)
    try:
        program = importlib.import_module(module)
        for number in SIGNALS if then else ():
            signal.signal(number, then)
        program.main()
    finally:
        for number in SIGNALS:  # only threads that still write are waited for
            signal.signal(number, _leave_at_once)
        atexit.register(_let_go)


def _let_go() -> None:
    """All is done; the interpreter, which forgets our handlers first, is not to be killed on its last steps."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def _leave_at_once(number: int, frame: Any) -> NoReturn:
    os._exit(INTERRUPTED)
