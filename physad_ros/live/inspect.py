"""One inspection in one process, from start to a shown verdict."""

from __future__ import annotations

from rich.console import Console

from physad_msgs.msg import Verdict
from physad_ros.bringup import StackArguments, stack
from physad_ros.core.inspection import DEADLINES_S, State
from physad_ros.live.graph import running
from physad_ros.live.terminal import NAMES, Teller, show, telling
from physad_ros.nodes.operator import Operator

END_S = DEADLINES_S[State.ABORTING] + 30.0  # a canceled inspection brings the arm back, closes its recording and reports


def inspect_once(arguments: StackArguments, console: Console) -> str:
    """Inspect as ``ready`` arguments say, show the verdict, return its name."""
    console.print(f"seed {arguments.seed}", style="dim")
    if arguments.rig != "mujoco" and arguments.source != "file":
        needs = "robot_ip:=…" if arguments.rig == "ur5" else "category:=…"
        launch = f"ros2 launch physad inspect.launch.py rig:={arguments.rig} {needs}"
        console.print(f"the drivers of {arguments.rig} must be running already; `{launch}` starts them too")
    with running(stack(arguments)) as operator, telling(console) as tell:
        verdict, _ = inspect(operator, arguments, "", tell)
    show(verdict, console)
    return NAMES[verdict.verdict]


def inspect(operator: Operator, arguments: StackArguments, clip_id: str, tell: Teller) -> tuple[Verdict, bool]:
    """One inspection, and whether Ctrl-C canceled it: its verdict, INCONCLUSIVE unless it was told before, comes all the same."""
    try:
        return operator.inspect(clip_id, arguments.category, arguments.object, arguments.seed, arguments.out, tell), False
    except KeyboardInterrupt:
        operator.cancel()
        return operator.result(END_S), True
