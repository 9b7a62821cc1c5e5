"""One inspection in one process, from start to a shown verdict."""

from __future__ import annotations

from rich.console import Console

from physad_msgs.msg import Verdict
from physad_ros.bringup import StackArguments, runs_drivers, stack, with_models
from physad_ros.core.inspection import DEADLINES_S, State
from physad_ros.live.graph import running
from physad_ros.live.terminal import NAMES, Teller, show, telling
from physad_ros.nodes.operator import Operator

END_S = DEADLINES_S[State.ABORTING] + 30.0  # a canceled inspection brings the arm back, closes its recording and reports


def inspect_once(arguments: StackArguments, console: Console) -> str:
    """Inspect, show the verdict, return its name."""
    arguments = with_models(arguments)
    console.print(f"seed {arguments.seed}", style="dim")
    if runs_drivers(arguments):
        needs = "robot_ip:=…" if arguments.rig == "ur5" else "category:=…"
        launch = f"ros2 launch physad inspect.launch.py rig:={arguments.rig} {needs}"
        console.print(f"the drivers of {arguments.rig} must be running already; `{launch}` starts them too")
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
