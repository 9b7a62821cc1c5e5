"""One inspection in one process, from start to a shown verdict."""

from __future__ import annotations

from rich.console import Console

from physad_msgs.msg import Verdict
from physad_ros.bringup import StackArguments, stack
from physad_ros.live.graph import running
from physad_ros.live.terminal import NAMES, Teller, show, telling
from physad_ros.nodes.operator import Operator

END_S = 15.0  # a canceled inspection stops the arm, closes its recording and reports


def inspect_once(arguments: StackArguments, console: Console) -> str:
    """Inspect, show the verdict, return its name."""
    console.print(f"seed {arguments.seed}", style="dim")
    with running(stack(arguments)) as operator, telling(console) as tell:
        verdict = inspect(operator, arguments, "", tell)
    show(verdict, console)
    return NAMES[verdict.verdict]


def inspect(operator: Operator, arguments: StackArguments, clip_id: str, tell: Teller) -> Verdict:
    """One inspection; Ctrl-C cancels it, and its verdict, INCONCLUSIVE, comes all the same."""
    try:
        return operator.inspect(clip_id, arguments.category, arguments.object, arguments.seed, arguments.out, tell)
    except KeyboardInterrupt:
        operator.cancel()
        return operator.result(END_S)
