"""One inspection in one process, from start to a shown verdict."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from physad_msgs.msg import Verdict
from physad_ros.bringup import StackArguments, runs_drivers, stack
from physad_ros.bringup.offers import offers
from physad_ros.core import places
from physad_ros.core.inspection import DEADLINES_S, State
from physad_ros.live.graph import running
from physad_ros.live.presence import require, require_robot
from physad_ros.live.terminal import NAMES, Teller, show, telling
from physad_ros.nodes.operator import Operator

END_S = DEADLINES_S[State.ABORTING] + 30.0  # a canceled inspection brings the arm back, closes its recording and reports


def inspect_once(arguments: StackArguments, console: Console) -> str:
    """Inspect as ``ready`` arguments say, show the verdict, return its name."""
    if arguments.robot_ip:
        require_robot(arguments.robot_ip)
    if needed := offers(arguments):
        if arguments.rig == "ur5":
            places.file(Path(arguments.device), "camera")
        given = {name: getattr(arguments, name) for name in ("category", "robot_ip") if getattr(arguments, name)}
        also = {"ur5": {"robot_ip": "…"}, "gazebo": {"category": "…"}}[arguments.rig]
        words = " ".join(f"{name}:={value}" for name, value in {"rig": arguments.rig, **also, **given}.items())
        require(arguments.rig, needed, f"ros2 launch physad inspect.launch.py {words}", arguments.namespace)
    if arguments.source != "file":  # nothing about a film is random
        console.print(f"seed {arguments.seed}", style="dim")
    try:
        with running(stack(arguments), arguments.namespace, runs_drivers(arguments)) as operator, telling(console) as tell:
            verdict, _ = inspect(operator, arguments, "", tell)
    except KeyboardInterrupt:
        console.print("interrupted: there is no verdict; what was recorded is kept")
        raise
    show(verdict, console)
    return NAMES[verdict.verdict]


def inspect(operator: Operator, arguments: StackArguments, clip_id: str, tell: Teller) -> tuple[Verdict, bool]:
    """One inspection, and whether Ctrl-C canceled it: its verdict, INCONCLUSIVE unless it was told before, comes all the same."""
    try:
        a = arguments
        return operator.inspect(
            clip_id, a.category, a.object, a.seed, a.out, tell, trust_category=a.trust_category, part=a.part, serial=a.serial
        ), False
    except KeyboardInterrupt:
        operator.cancel()
        return operator.result(END_S), True
