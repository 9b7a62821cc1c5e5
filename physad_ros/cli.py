"""`physad …`: every command parses its arguments, calls one function and says what came of it.

Modules that take long to load are imported inside the commands, after what can be checked without them.
"""

from __future__ import annotations

import importlib
import logging
import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from physad_ros.core.errors import BadData, Exit, WrongUse, ending
from physad_ros.core.paths import keep_writable

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
clicks = importlib.import_module(typer.BadParameter.__module__)  # click's exceptions: its own, or those that typer brings along
console = Console(highlight=False)
errors = Console(highlight=False, stderr=True)


def _share(value: float) -> float:
    """An option between 0 and 1, both excluded; not a number is neither."""
    if not 0 < value < 1:
        raise typer.BadParameter("it must lie between 0 and 1")
    return value


def _severity(value: float | None) -> float | None:
    if value is not None and not 0 <= value <= 1:
        raise typer.BadParameter("it must lie from 0 to 1")
    return value


def _jobs(value: int) -> int:
    if value < 1 and value != -1:
        raise typer.BadParameter(f"it must be 1 or more, or -1 for one per core, not {value}")
    return value


HEIGHTS = {"min": 64, "max": 1080}
SEEDS = {"min": 0, "max": 2**63 - 1}


Category = Annotated[str | None, typer.Option(help="Category of the object; if omitted, it is perceived from the picture.")]
Object = Annotated[str | None, typer.Option(help="Specimen type within the category, e.g. fan_2; if omitted, chosen at random.")]
Defect = Annotated[str | None, typer.Option(help="Defect of the simulated specimen, or anomaly_free; if omitted, chosen at random.")]
Seed = Annotated[int | None, typer.Option(**SEEDS, help="Seed of everything random; if omitted, a new one is chosen and printed.")]
FirstSeed = Annotated[int, typer.Option(**SEEDS, help="Seed from which all specimens follow.")]
Out = Annotated[Path, typer.Option(help="Folder in which each inspection gets a folder of its own.")]
DetectorName = Annotated[str, typer.Option("--detector", help="Detector that judges the clip.")]
Models = Annotated[
    Path | None, typer.Option(help="Folder of trained models, or of a run of `physad bench`; if omitted, the categories' own folders.")
]
Height = Annotated[
    int,
    typer.Option(**HEIGHTS, help="Height in pixels of the simulated camera's 16:9 picture. The real camera has 1080; perception needs at least 240."),
]
Root = Annotated[Path, typer.Argument(help="Root folder of a Phys-AD tree.")]
Categories = Annotated[list[str] | None, typer.Option("--category", help="Category to include; repeat for several. If omitted, all.")]


def _version(wanted: bool) -> None:
    if wanted:
        from physad_ros.core import versions

        console.print(versions.told())
        raise typer.Exit


@app.callback()
def physad(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the versions of physad and of what it runs on.")
    ] = False,
) -> None:
    """Robotic inspection: perceive an object, interact with it, and judge whether it works as it should."""


@app.command()
def inspect(
    category: Category = None,
    object: Object = None,
    defect: Defect = None,
    severity: Annotated[
        float | None, typer.Option(callback=_severity, help="Severity of the simulated defect, 0 to 1 (worst); if omitted, chosen at random.")
    ] = None,
    rig: Annotated[str, typer.Option(help="Robot and camera: mujoco (simulated), gazebo or ur5.")] = "mujoco",
    seed: Seed = None,
    detector: DetectorName = "rules",
    models: Models = None,
    out: Out = Path("inspections"),
    source: Annotated[str, typer.Option(help="Where the pictures come from: rig, device (a V4L2 camera) or file (a video).")] = "rig",
    file: Annotated[Path | None, typer.Option(help="Video to play with --source file.")] = None,
    height: Height = 360,
    device: Annotated[str, typer.Option(help="Camera to read with --source device.")] = "/dev/video0",
    robot_ip: Annotated[str | None, typer.Option(help="Address of the robot with --rig ur5.")] = None,
    namespace: Annotated[str, typer.Option(help="ROS namespace of the nodes and their topics, for several stacks in one ROS domain.")] = "",
    part: Annotated[str, typer.Option(help="Part number of the object, noted in the report.")] = "",
    serial: Annotated[str, typer.Option(help="Serial number of the object, noted in the report.")] = "",
    trust_category: Annotated[
        bool, typer.Option("--trust-category", help="Inspect as --category says even where the picture shows something else.")
    ] = False,
) -> None:
    """Inspect one object: does it work as it should, and if not, why not?

    Exit status: 0 NORMAL, 3 ANOMALOUS, 4 INCONCLUSIVE, 2 wrong usage, 1 program error, 130 interrupted.
    """
    from physad_ros.bringup import StackArguments, ready

    arguments = StackArguments(
        category=category or "", object=object or "", defect=defect or "", severity=-1.0 if severity is None else severity, rig=rig,
        seed=-1 if seed is None else seed, detector=detector, models=str(models or ""), out=str(out), source=source,
        file=str(file or ""), height=height,
        device=device, robot_ip=robot_ip or "", part=part, serial=serial, trust_category=trust_category, namespace=namespace,
    )
    arguments = ready(arguments)
    from physad_ros.live.inspect import inspect_once

    raise typer.Exit(Exit[inspect_once(arguments, console)])


@app.command()
def record(
    root: Root,
    count: Annotated[int, typer.Option(min=1, help="Specimens per label.")] = 20,
    category: Categories = None,
    label: Annotated[list[str] | None, typer.Option(help="anomaly_free or a defect; repeat for several. If omitted, all.")] = None,
    seed: FirstSeed = 0,
    detector: DetectorName = "rules",
    models: Models = None,
    height: Height = 360,
) -> None:
    """Run a campaign of live inspections on the simulated rig; keep the bags, and the clips as a Phys-AD tree.

    Interrupt it with Ctrl-C; the same command resumes it.
    """
    from physad_ros.bench.specimens import BAGS, Campaign
    from physad_ros.bringup import StackArguments, ready

    arguments = StackArguments(detector=detector, models=str(models or ""), height=height, out=str(root / BAGS))
    names = tuple(dict.fromkeys(category or ()))
    campaign = Campaign(names, tuple(dict.fromkeys(label or ())), count, seed, detector, height, str(models or ""))
    arguments = ready(arguments, {specimen.category for specimen in campaign.specimens()})
    campaign = replace(campaign, models=arguments.models)
    from physad_ros.live.campaign import run_campaign

    run_campaign(root, campaign, arguments, console)


@app.command()
def collect(
    root: Root,
    normal: Annotated[int, typer.Option(min=0, help="Normal training clips per category.")] = 100,
    defective: Annotated[int, typer.Option(min=0, help="Test clips per defect, plus as many normal ones.")] = 0,
    category: Categories = None,
    seed: FirstSeed = 0,
    height: Height = 360,
    jobs: Annotated[int, typer.Option(callback=_jobs, help="Parallel processes; -1: one per core.")] = -1,
) -> None:
    """Generate clips directly in the simulator, without ROS, in parallel processes. An interrupted run resumes."""
    from physad_ros.bench.collect import collect as run

    done = run(root, category or [], normal=normal, defective=defective, seed=seed, height=height, jobs=jobs)
    console.print(", ".join(f"{count} {what}" for what, count in done.items()))


@app.command()
def fit(
    root: Root,
    category: Categories = None,
    detector: DetectorName = "rules",
    preset: Annotated[str, typer.Option(help="Configuration of a detector that learns: quick or paper.")] = "quick",
    out: Annotated[Path | None, typer.Option(help="Folder for what is fitted; if omitted, the category's own folder.")] = None,
    false_alarm_rate: Annotated[
        float, typer.Option(callback=_share, help="Accepted false-alarm rate: the share of normal specimens called anomalous.")
    ] = 0.05,
) -> None:
    """Fit a detector to a tree's normal training clips, and calibrate its threshold on clips held out from fitting."""
    from physad_ros.bench.fit import fit as run

    run(root, category or [], detector, out, preset=preset, false_alarm_rate=false_alarm_rate, console=console)


@app.command("fit-perception")
def fit_perception(
    count: Annotated[int, typer.Option(min=10, help="Specimens per category to learn from; half as many others are tried.")] = 60,
    seed: FirstSeed = 0,
) -> None:
    """Learn what each category looks like before it is touched, and report how often unseen specimens are recognised.

    All categories that have a simulated twin are learned together, because each is recognised by how it differs from the others.
    """
    from physad_ros.bench.perceive import fit_perception as run

    told = run(count, seed)
    console.print(f"{told.right} of {told.pictures} unseen specimens recognised, {told.unsure} not sure, {told.wrong} wrong")
    console.print(f"right names contradicted: {told.contradicted} of {told.pictures}; wrong names: {told.caught} of {told.misnamed}")


@app.command()
def courses(
    clips: Annotated[list[Path], typer.Argument(help="Videos of one category, with or without their manifests.")],
    category: Annotated[str, typer.Option(help="Category of the clips.")],
    out: Annotated[Path, typer.Option(help="Picture file to write.")] = Path("courses.png"),
) -> None:
    """Plot what is measured in clips over time, against the range of normal clips."""
    from physad_ros.bench.courses import draw

    draw(clips, category, out)
    console.print(f"picture: {out}", markup=False, soft_wrap=True)


@app.command()
def bench(
    root: Root,
    out: Annotated[Path, typer.Option(help="Folder for trained models, scores, tables and the page.")] = Path("benchmark"),
    method: Annotated[list[str] | None, typer.Option(help="Method to run; repeat for several. If omitted, all that can be used here.")] = None,
    category: Categories = None,
    seeds: Annotated[int, typer.Option(min=1, help="Number of repetitions, each with its own split and random seed.")] = 3,
    preset: Annotated[
        str, typer.Option(help="Configuration of each method: quick (small, for CPU cores) or paper (the published sizes and epochs, for a GPU).")
    ] = "quick",
    protocol: Annotated[
        str, typer.Option(help="Evaluation: corrected, or legacy (the published one with its faults, where it is defined).")
    ] = "corrected",
    shots: Annotated[
        int, typer.Option(help="Labelled clips per defect for weakly supervised methods, 2 to 4, removed from all test sets; 0: run none of them.")
    ] = 3,
    held_out: Annotated[
        float, typer.Option(callback=_share, help="Share of the normal training clips held out from fitting to calibrate thresholds.")
    ] = 0.4,
    false_alarm_rate: Annotated[
        float, typer.Option(callback=_share, help="False-alarm rate of the thresholds; raised, with a note, if too few normal clips are held out.")
    ] = 0.05,
    jobs: Annotated[int, typer.Option(callback=_jobs, help="Parallel jobs; -1: one per core.")] = -1,
    backend: Annotated[
        str, typer.Option(help="Where jobs run: local, or ray (a cluster whose machines share a disk; run on one machine so far).")
    ] = "local",
) -> None:
    """Train and test methods on a Phys-AD tree: one table, one page. Finished jobs are skipped.

    Interrupt it with Ctrl-C; the same command resumes it. Jobs whose method, configuration or data has changed are run again.
    """
    from physad_ros.bench.benchmark import benchmark
    from physad_ros.bench.jobs import Run
    from physad_ros.bench.protocol import Protocol

    run = Run(root.resolve(), out.resolve(), tuple(category or ()), tuple(method or ()), seeds, preset, Protocol(held_out, shots, false_alarm_rate))
    table = benchmark(run, console, protocol=protocol, workers=jobs, backend=backend)
    if table.faults and not any(method.categories for method in table.methods):
        raise BadData(f"not one job has a result; {table.faults[0]}")


@app.command()
def methods(
    name: Annotated[str | None, typer.Argument(help="Detector to describe in full; if omitted, all are listed.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for programs: all details of every detector, or of NAME.")] = False,
) -> None:
    """List every detector with its setting, size and input, and whether it can be used here; or describe one in full."""
    from physad_ros.bench.methods import methods as run

    run(console, name, as_json)


@app.command()
def evaluate(root: Root, as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")] = False) -> None:
    """Evaluate a recorded campaign: AUROC of its live verdicts, beside trivial baselines on the same bags."""
    from physad_ros.bench.live import evaluate as run

    run(root, console, as_json)


@app.command()
def recover(folder: Annotated[Path, typer.Argument(help="Folder of an inspection, or its bag.")]) -> None:
    """Recover what a killed recorder had written, and count what is lost."""
    from physad_ros.dataset.recover import recover as run

    console.print(str(run(folder)), markup=False, soft_wrap=True)


Domain = Annotated[
    int | None, typer.Option(help="ROS domain to look into; if omitted, ROS_DOMAIN_ID, else that of the stack that runs on this machine.")
]


@app.command()
def topics(
    rate: Annotated[bool, typer.Option("--rate", help="Also measure how many messages a second arrive, for three seconds.")] = False,
    everything: Annotated[bool, typer.Option("--all", help="Also topics that are part of something else, such as an action's.")] = False,
    domain: Domain = None,
) -> None:
    """List the topics of a running stack: type, publishers and subscribers. As `ros2 topic list` and `ros2 topic hz`.

    A stack runs during `physad inspect` or `ros2 launch physad inspect.launch.py`, in another terminal. `physad echo TOPIC` shows what is sent.
    """
    from physad_ros.live.looking import domain_of
    from physad_ros.live.topics import show_topics

    raise typer.Exit(show_topics(domain_of(domain), everything, 3.0 if rate else 0.0, console))


@app.command()
def nodes(domain: Domain = None) -> None:
    """List the nodes of a running stack and how many topics and services each has. As `ros2 node list`."""
    from physad_ros.live.looking import domain_of
    from physad_ros.live.topics import show_nodes

    raise typer.Exit(show_nodes(domain_of(domain), console))


@app.command()
def echo(
    topic: Annotated[str, typer.Argument(help="Name of the topic, e.g. /verdict; `physad topics` lists them.")],
    once: Annotated[bool, typer.Option("--once", help="End after the first message.")] = False,
    full: Annotated[bool, typer.Option("--full", help="Show long arrays and strings whole.")] = False,
    domain: Domain = None,
) -> None:
    """Print a topic's messages as YAML until Ctrl-C. As `ros2 topic echo`.

    Its type and quality of service are found out, so latched and best-effort topics work too. Stamps are seconds.

    For example: `physad echo /joint_states --once`, `physad echo /verdict`, `physad echo /frame_score | grep value`.

    Exit status: 0 after --once, 130 after Ctrl-C, 2 if there is no such topic.
    """
    from physad_ros.live.echo import echo as run
    from physad_ros.live.looking import domain_of

    raise typer.Exit(run(topic, domain_of(domain), once, full))


@app.command("bench-camera")
def bench_camera(
    frames: Annotated[int, typer.Option(min=2, help="Number of 1080p frames, sent at 60 Hz.")] = 3600,
    file: Annotated[Path | None, typer.Option(help="Video to loop; if omitted, one is generated.")] = None,
) -> None:
    """Measure lost frames and latency from a camera process through recorder and detector. The last line is JSON."""
    from physad_ros.live.camera import bench

    bench(frames, file, console)


@app.command()
def categories() -> None:
    """List the categories with their objects and defects."""
    from physad_ros.bench.grid import grid
    from physad_ros.core.catalogue import categories as known
    from physad_ros.core.catalogue import load_category

    table = grid("category", "interaction", "frames", "objects", "defects", names=2)
    for name in known():
        c = load_category(name)
        table.add_row(name, c.recipe.interaction, str(c.frames), ", ".join(o.name for o in c.objects), ", ".join(c.defects))
    console.print(table)


def main() -> None:
    """Entry point: whatever goes wrong ends in one line, with the status that says whose fault it was."""
    _warn_once()
    keep_writable()
    with ending("physad", lambda line: errors.print(line, style="red", markup=False, soft_wrap=True)):
        try:
            status = app(prog_name="physad", standalone_mode=False)
        except clicks.NoArgsIsHelpError as error:
            error.show()
            status = Exit.WRONG_USE
        except clicks.ClickException as error:
            command = error.ctx.command_path if isinstance(error, clicks.UsageError) and error.ctx else "physad"
            raise WrongUse(f"{error.format_message()} ({command} --help lists what there is)") from error
        except (typer.Abort, KeyboardInterrupt):
            status = Exit.INTERRUPTED
    sys.exit(status)


def _warn_once() -> None:
    """What modules warn of is told in one form, and each warning once however often something is read."""
    told: set[str] = set()
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("physad: warning: %(message)s"))
    handler.addFilter(lambda record: record.levelno < logging.ERROR)  # those come back as the reason of a verdict
    handler.addFilter(lambda record: record.getMessage() not in told and not told.add(record.getMessage()))  # type: ignore[func-returns-value]
    logger = logging.getLogger("physad_ros")
    logger.addHandler(handler)
    logger.propagate = False


if __name__ == "__main__":
    main()
