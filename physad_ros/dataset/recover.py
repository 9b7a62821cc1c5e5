"""What a killed recorder had written, brought back with a count of what is lost. Nothing that was there is deleted."""

from __future__ import annotations

import shutil
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from physad_ros.core import places
from physad_ros.core.errors import BadData, WrongUse, why
from physad_ros.core.types import Timetable
from physad_ros.core.window import FrameWindow
from physad_ros.core.words import count
from physad_ros.dataset.bag import METADATA, BagWriter
from physad_ros.dataset.files import sync
from physad_ros.dataset.finishing import BAG, MANIFEST, SIGNALS, VIDEO, finish_clip, usable_stamps
from physad_ros.dataset.manifest import Manifest
from physad_ros.dataset.reading import mcap_file, messages, read_timetable
from physad_ros.dataset.salvage import Salvage, salvage
from physad_ros.dataset.stamps import to_seconds
from physad_ros.dataset.topics import IMAGE, RECORDED

_KEPT = ("object", "label", "severity", "seed", "rig", "simulator", "lights", "camera")  # that an earlier manifest may know better


@dataclass
class RecoverReport:
    """What came back."""

    folder: Path  # of the bag
    messages: Counter[str] = field(default_factory=Counter)  # that came back, by topic
    lost: Counter[str] = field(default_factory=Counter)  # known to be lost, by topic: gaps in the numbers of those that came back
    cut_off: bool = False  # the file does not end as one that was closed
    damaged: int = 0  # chunks, or stretches between them, that were left out
    misdescribed: bool = False  # its metadata told of another number of messages
    aside: tuple[Path, ...] = ()  # what was replaced, where it lies now
    frames_expected: int = 0  # 0: the timetable is lost, too
    frames_received: int = 0  # those that can be shown
    broken_pictures: int = 0  # that came back but cannot be shown
    clip_frames: int | None = None  # of an earlier clip that holds as much or more, and is left as it is

    def __str__(self) -> str:
        state = "the file was cut off" if self.cut_off else "the file was complete"
        if self.damaged:
            state += f", {count(self.damaged, 'damaged part')} of it left out"
        if self.misdescribed:
            state += f", and its {METADATA} did not tell what is in it"
        rows = [f"{self.folder}: {state}"]
        for topic, number in sorted(self.messages.items()):
            rows.append(f"  {number:6d}  {topic}" + (f"  ({self.lost[topic]} lost in between)" if self.lost[topic] else ""))
        rows.append(f"  {self._frames()}")
        if self.clip_frames is not None:
            rows.append(f"  {VIDEO} and {MANIFEST} were there, with {count(self.clip_frames, 'frame')}, and are left as they are")
        rows.append(f"  what was replaced is kept: {', '.join(map(str, self.aside))}" if self.aside else "  nothing was replaced")
        return "\n".join(rows)

    def _frames(self) -> str:
        broken = f"; {self.broken_pictures} more came back and cannot be shown" if self.broken_pictures else ""
        if not self.frames_expected:
            return f"pictures that are back: {self.frames_received}; how many there should be is lost with the timetable"
        lost = self.frames_expected - self.frames_received
        lost_are = f"{lost} {'is' if lost == 1 else 'are'} lost"
        return f"{self.frames_received} of {count(self.frames_expected, 'frame')} of the clip are back, {lost_are}{broken}"


def recover(folder: Path) -> RecoverReport:
    """Mend the bag of an inspection's folder (or a bag's folder) and make its clip.

    A bag that is sound is left as it is, and so is a clip that holds as many frames. What is replaced is kept under another name.

    Raises:
        BadData: there is no bag, nothing in it can be read, or the disk has no room for the mended one.
    """
    places.folder(folder)
    bag = folder if folder.name == BAG or not _holds_bag(folder) else folder / BAG
    _resume(bag)
    if not any(bag.glob("*.mcap")):
        raise WrongUse(f"{folder}: no bag here, which would hold an MCAP file; name an inspection's folder or its bag")
    source = mcap_file(bag)
    places.writable_folder(bag.parent)
    found = salvage(source)
    if not found.messages:
        raise BadData(f"{source}: not one whole message in it")
    report = RecoverReport(bag, cut_off=found.cut_off, damaged=found.damaged)
    _count_messages(found, report)
    report.misdescribed = _described(bag) != len(found.messages)
    if report.misdescribed or not found.sound:
        report.aside += (_replace(bag, found),)
    timetable = _timetable(bag)
    if timetable is None:
        report.frames_received = report.messages[IMAGE]
        return report
    _count_frames(bag, timetable, report)
    if bag.name == BAG:
        _finish(bag.parent, timetable, report)
    return report


def _holds_bag(folder: Path) -> bool:
    return (folder / BAG).is_dir() or bool(_set_aside(folder / BAG))


def _set_aside(bag: Path) -> list[Path]:
    """Bags that earlier recoveries have replaced, latest last."""
    return sorted(bag.parent.glob(f"{bag.name}.broken*"), key=lambda path: (len(path.name), path.name))


def _resume(bag: Path) -> None:
    """Undo the first half of an exchange of bags in which an earlier recovery was killed itself."""
    earlier = _set_aside(bag)
    if earlier and not bag.exists():
        earlier[-1].rename(bag)


def _free(path: Path) -> Path:
    """The path, or one with a number after it, where nothing lies yet."""
    names = (path, *(path.with_name(f"{path.name}{k}") for k in range(2, 10_000)))
    return next(name for name in names if not name.exists())


def _count_messages(found: Salvage, report: RecoverReport) -> None:
    numbers: dict[str, set[int]] = defaultdict(set)
    for channel, _, message in found.messages:
        report.messages[channel.topic] += 1
        numbers[channel.topic].add(message.sequence)
    for topic, seen in numbers.items():
        if len(seen) == report.messages[topic]:  # else they are not numbered one by one
            first = 0 if topic in RECORDED else min(seen)
            report.lost[topic] = max(seen) + 1 - first - len(seen)


def _described(bag: Path) -> int | None:
    """How many messages a bag's metadata tell of; None where they cannot be read."""
    try:
        return int(yaml.safe_load((bag / METADATA).read_text())["rosbag2_bagfile_information"]["message_count"])
    except (OSError, UnicodeDecodeError, yaml.YAMLError, KeyError, TypeError, ValueError):
        return None


def _replace(bag: Path, found: Salvage) -> Path:
    """Put a mended bag in a bag's place; returns where the one that was there lies now."""
    draft, aside = bag.with_name(f"{bag.name}.recovered"), _free(bag.with_name(f"{bag.name}.broken"))
    shutil.rmtree(draft, ignore_errors=True)  # of a recovery that was killed itself
    try:
        writer = BagWriter(draft, name=bag.name)
        for record in found.others:
            writer.attach(record)
        for channel, schema, message in found.messages:
            writer.copy(channel, schema, message)
        writer.close()
    except OSError as error:
        shutil.rmtree(draft, ignore_errors=True)
        raise BadData(f"{bag}: the mended bag cannot be written, the broken one is kept: {why(error)}") from error
    bag.rename(aside)
    draft.rename(bag)
    sync(bag.parent)
    return aside


def _timetable(bag: Path) -> Timetable | None:
    """From the bag, or from a manifest beside it; None where both are lost."""
    try:
        return read_timetable(bag)
    except BadData:
        manifest = bag.parent / MANIFEST
        return Manifest.read(manifest).timetable if bag.name == BAG and manifest.exists() else None


def _count_frames(bag: Path, timetable: Timetable, report: RecoverReport) -> None:
    window = FrameWindow(timetable)
    for _, _, _, stamp in messages(bag, (IMAGE,)):
        window.slot(to_seconds(stamp))
    report.frames_expected = timetable.frames
    report.frames_received = len(usable_stamps(bag, timetable))
    report.broken_pictures = window.received - report.frames_received


def _finish(folder: Path, timetable: Timetable, report: RecoverReport) -> None:
    """Make the clip, unless one is there that holds as much."""
    try:
        earlier = Manifest.read(folder / MANIFEST)
    except BadData:
        earlier = None
    if earlier is not None and earlier.frames_received >= report.frames_received and (folder / VIDEO).exists():
        report.clip_frames = earlier.frames_received
        return
    asides = {file: _free(file.with_name(f"{file.name}.before")) for name in (VIDEO, SIGNALS, MANIFEST) if (file := folder / name).exists()}
    for file, aside in asides.items():
        file.rename(aside)
    try:
        finish_clip(folder, timetable, **_known(earlier))
    except BaseException:  # a full disk, for one: the manifest that was there still tells what the bag does not
        for file, aside in asides.items():
            aside.replace(file)
        raise
    report.aside += tuple(asides.values())


def _known(earlier: Manifest | None) -> dict[str, object]:
    """What an earlier manifest of the clip tells that the bag does not."""
    return {name: value for name in _KEPT if (value := getattr(earlier, name, None)) not in (None, "", {})}
