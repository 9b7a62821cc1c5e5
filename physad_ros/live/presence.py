"""Whether a rig's drivers run, seen from outside before our own nodes start: which of what they offer is missing."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterable
from typing import Any

from physad_ros.bringup.offers import Offer
from physad_ros.core.errors import WrongUse, why
from physad_ros.nodes.domain import given, observer
from physad_ros.nodes.run import stay_local

PATIENCE_S = 4.0  # for drivers that run to be discovered
LOOK_S = 0.1
PRIMARY = 30001  # port on which every controller of Universal Robots tells its state
CONNECT_S = 3.0


def require(rig: str, offers: Iterable[Offer], start: str, namespace: str = "", patience_s: float = PATIENCE_S) -> None:
    """Return as soon as all is there.

    Args:
        start: the command that starts the drivers.
        namespace: in which they are to be.

    Raises:
        WrongUse: something is missing; it is named, with what to do.
    """
    stay_local()
    domain = given() or 0
    with observer(domain) as node:
        wanted, end = list(offers), time.monotonic() + patience_s
        while (absent := [o for o in wanted if not _there(node, o, namespace)]) and time.monotonic() < end:
            time.sleep(LOOK_S)
    if not absent:
        return
    what = "do not run" if len(absent) == len(wanted) else "are not complete"
    alone = os.environ.get("ROS_AUTOMATIC_DISCOVERY_RANGE") == "LOCALHOST"
    here = f"in ROS domain {domain}" + (f" and the namespace {namespace}" if namespace else "")
    here += " on this machine (ROS_AUTOMATIC_DISCOVERY_RANGE is LOCALHOST)" if alone else ""
    raise WrongUse(f"the drivers of the rig {rig} {what} {here}: there is no {', no '.join(str(o) for o in absent)}. "
                   f"`{start}` starts them; if they run in another domain, set ROS_DOMAIN_ID to it")  # fmt: skip


def require_robot(host: str) -> None:
    """Return if a robot answers at this address; WrongUse where none does."""
    try:
        socket.create_connection((host, PRIMARY), CONNECT_S).close()
    except (OSError, UnicodeError) as error:
        raise WrongUse(f"no robot answers at {host} (port {PRIMARY}): {why(error)}") from error


def _there(node: Any, offer: Offer, namespace: str) -> bool:
    if offer.kind == "action":
        return bool(node.count_services(f"{namespace}{offer.name}/_action/send_goal"))
    return bool(node.count_publishers(f"{namespace}{offer.name}"))
