"""ROS domains for tests: each is one run's alone on this machine, by a lock that ends with it."""

import fcntl
import random
import tempfile
from contextlib import contextmanager
from pathlib import Path

NUMBERS = range(1, 51)  # a stack that takes a domain of its own begins at the other end


@contextmanager
def own_domain(wanted=""):
    """Context of a domain that nobody else tests in: the wanted one if it is free."""
    first = [int(wanted)] if wanted else []
    for number in (*first, *random.sample(NUMBERS, len(NUMBERS))):
        try:
            lock = (Path(tempfile.gettempdir()) / f"physad-test-domain-{number}.lock").open("w")
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:  # another run's
            continue
        with lock:
            yield number
        return
    raise RuntimeError("every ROS domain is being tested in")
