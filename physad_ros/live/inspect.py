"""One inspection in one process, from start to a shown verdict."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from physad_msgs.msg import Verdict
from physad_ros.bringup import StackArguments, stack, with_models
from physad_ros.core.errors import PhysadError
from physad_ros.dataset.report import REPORT
from physad_ros.live.graph import running
from physad_ros.live.terminal import NAMES, Teller, show, telling
from physad_ros.nodes.operator import Operator

END_S = 15.0  # a canceled inspection stops the arm, closes its recording and reports


def inspect_once(arguments: StackArguments, console: Console) -> str:
    """Inspect, show the verdict, return its name."""
    arguments = with_models(arguments)
    console.print(f"seed {arguments.seed}", style="dim")
    if arguments.rig != "mujoco" and arguments.source != "file":
        console.print(f"the drivers of {arguments.rig} must run already; `ros2 launch physad inspect.launch.py rig:={arguments.rig}` starts them too")
    with running(stack(arguments)) as operator, telling(console) as tell:
        verdict, _ = inspect(operator, arguments, "", tell)
    show(verdict, console)
    if not (Path(verdict.folder) / REPORT).exists():
        raise PhysadError(f"the report could not be written to {verdict.folder}; see the messages above")
    return NAMES[verdict.verdict]


def inspect(operator: Operator, arguments: StackArguments, clip_id: str, tell: Teller) -> tuple[Verdict, bool]:
    """One inspection, and whether Ctrl-C canceled it: its verdict, INCONCLUSIVE unless it was told before, comes all the same."""
    try:
        return operator.inspect(clip_id, arguments.category, arguments.object, arguments.seed, arguments.out, tell), False
    except KeyboardInterrupt:
        operator.cancel()
        return operator.result(END_S), True
