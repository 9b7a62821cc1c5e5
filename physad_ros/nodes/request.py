"""A program that asks a launched stack for inspections, tells their verdicts, and ends after the last."""

from __future__ import annotations

import sys
import threading
from dataclasses import dataclass
from pathlib import Path

from physad_ros.core.errors import Exit, ending
from physad_ros.core.types import Outcome
from physad_ros.dataset.report import compared
from physad_ros.nodes import parameters
from physad_ros.nodes.operator import Operator
from physad_ros.nodes.parameters import parameter
from physad_ros.nodes.run import interrupts, session, spin

START_S = 120.0


@dataclass(frozen=True)
class RequestConfig:
    """Parameters of the program `request`."""

    category: str = parameter("", "category to inspect; empty: perceived")
    object: str = parameter("", "specimen type; empty: any")
    trust_category: bool = parameter(False, "inspect as that category even where the picture shows something else")
    part: str = parameter("", "part number, noted in the report")
    serial: str = parameter("", "serial number, noted in the report")
    defect: str = parameter("", "of the simulated specimens; empty: by chance")
    severity: float = parameter(-1.0, "of the simulated defect; negative: by chance", low=-1.0, high=1.0)
    seed: int = parameter(0, "of the first specimen; the others count up", low=0)
    out: str = parameter("inspections", "folder that receives a folder for each inspection")
    count: int = parameter(1, "inspections, one after another", low=1)
    places: bool = parameter(False, "put a simulated specimen down before each")


def ask(operator: Operator) -> None:
    """The inspections, one after another; PhysadError where one cannot be made."""
    config = parameters.read(operator, RequestConfig)
    operator.wait_ready(START_S)
    for seed in range(config.seed, config.seed + config.count):
        if config.places:
            operator.place(config.category, config.object, config.defect, config.severity, seed)
        verdict = operator.inspect(
            "", config.category, config.object, seed, config.out,
            trust_category=config.trust_category, part=config.part, serial=config.serial,
        )
        print(f"{verdict.clip_id}: {Outcome(verdict.verdict).name} {verdict.reason}".rstrip(), flush=True)
        for finding in verdict.findings:
            print(f"  {finding.sentence}", flush=True)
        if verdict.defects:
            print(f"  looks like: {' or '.join(verdict.defects)}", flush=True)
        if told := compared(Path(verdict.folder)):
            print(f"  {told}", flush=True)


def main() -> None:
    """Entry point. Exit status 0 with any verdict, else as ``Exit`` says; 130 when interrupted, which ends it too."""
    failure: list[Exception] = []
    over = threading.Event()

    def body(operator: Operator) -> None:
        try:
            ask(operator)
        except KeyboardInterrupt:
            pass  # the session cancels what was asked for
        except Exception as error:  # else the thread would end as if all had been asked
            failure.append(error)
        finally:
            over.set()

    with ending("physad"):
        with interrupts() as came, session(lambda: [_operator()]) as (executor, nodes):
            nodes[0].interrupts = came
            asking = threading.Thread(target=body, args=(nodes[0],))
            asking.start()
            spin(executor, lambda: over.is_set() or bool(came))
            asking.join()  # before what it waits for is freed
        if came:  # the canceled inspection's verdict may yet have come
            sys.exit(Exit.INTERRUPTED)
        for error in failure:
            raise error


def _operator() -> Operator:
    operator = Operator()
    parameters.declare(operator, RequestConfig)
    return operator


if __name__ == "__main__":
    main()
