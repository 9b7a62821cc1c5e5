"""Clips on disk: what is written reads back, what is cut off is recovered, what is damaged is noticed."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mcap.reader import make_reader
from rosbags.highlevel import AnyReader

from physad_ros.core.errors import BadData
from physad_ros.core.types import Clip, Finding, Outcome, Phase, Signals, Timetable, Verdict
from physad_ros.dataset import bag as bags
from physad_ros.dataset import recording
from physad_ros.dataset.definitions import definition, typestore
from physad_ros.dataset.files import write_json
from physad_ros.dataset.finishing import finish_clip
from physad_ros.dataset.manifest import Manifest
from physad_ros.dataset.reading import mcap_file, read_clip, read_timetable
from physad_ros.dataset.recording import Recorder
from physad_ros.dataset.recover import recover
from physad_ros.dataset.report import Report
from physad_ros.dataset.stamps import stamp_ns
from physad_ros.dataset.topics import IMAGE, JOINTS, PLAN
from physad_ros.dataset.tree import clip_path, load_clip, scan, write_clip
from physad_ros.dataset.video import decode_jpeg, encode_jpeg, read_frames, read_video, write_video

T = typestore().types
TABLE = Timetable("c1", "clip", "clip_1", "press", (Phase("press", 5.0, 5.5), Phase("rest", 5.5, 6.0)), 5.0, 6.0, 60)


def stamp(seconds):
    ns = round(seconds * 1e9)
    return T["builtin_interfaces/msg/Time"](ns // 10**9, ns % 10**9)


def cdr(kind, **fields):
    return bytes(typestore().serialize_cdr(T[kind](**fields), kind))


def header(seconds):
    return T["std_msgs/msg/Header"](stamp(seconds), "camera")


def picture(i, height=36):
    """A frame that tells its number: a bright square that moves."""
    frame = np.zeros((height, height * 16 // 9, 3), np.uint8)
    frame[8:20, i % 50 : i % 50 + 12] = (40, 200, 120)
    return frame


def image(seconds, i=0):
    data = np.frombuffer(encode_jpeg(picture(i)), np.uint8)
    return cdr("sensor_msgs/msg/CompressedImage", header=header(seconds), format="jpeg", data=data)


def plan(table=TABLE):
    spans = [T["physad_msgs/msg/PhaseSpan"](p.name, stamp(p.begin_s), stamp(p.end_s)) for p in table.phases]
    return cdr("physad_msgs/msg/Interaction", header=header(0.0), clip_id=table.clip_id, category=table.category,
               object=table.object, interaction=table.interaction, phases=spans, window_begin=stamp(table.window_begin_s),
               window_end=stamp(table.window_end_s), frames=table.frames, fps=table.fps)


def joints(seconds):
    names = [f"{n}_joint" for n in ("shoulder_pan", "shoulder_lift", "elbow", "wrist_1", "wrist_2", "wrist_3")] + ["finger_joint"]
    values = np.arange(7) + seconds
    return cdr("sensor_msgs/msg/JointState", header=header(seconds), name=names, position=values, velocity=np.zeros(7), effort=np.zeros(7))


def record(folder, frames, early=30):
    recorder = Recorder()
    for k in range(-early, 0):
        recorder.take(IMAGE, image(5 + k / 60))
    recorder.open(TABLE, plan(), folder)
    for k in frames:
        recorder.take(IMAGE, image(5 + k / 60, k))
        recorder.take(JOINTS, joints(5 + k / 60))
    return recorder


@given(st.integers(-(2**31), 2**31 - 1), st.integers(0, 10**9 - 1))
def test_a_stamp_is_read_without_decoding(sec, nanosec):
    message = T["sensor_msgs/msg/JointState"]
    head = T["std_msgs/msg/Header"](T["builtin_interfaces/msg/Time"](sec, nanosec), "x")
    empty = np.zeros(0)
    data = typestore().serialize_cdr(message(head, [], empty, empty, empty), "sensor_msgs/msg/JointState")
    assert stamp_ns(bytes(data)) == sec * 10**9 + nanosec


def test_what_is_no_message_is_refused():
    with pytest.raises(BadData):
        stamp_ns(b"\x07\x07")


def test_the_frames_in_the_bag_are_those_of_the_window(tmp_path):
    recorder = record(tmp_path / "bag", range(90))
    assert recorder.over
    result = recorder.close()
    assert (result.frames_received, result.missing, result.fault) == (60, (), "")
    clip = read_clip(tmp_path / "bag")
    assert clip.timetable == TABLE and len(clip.frames) == 60
    assert np.allclose(clip.stamps_s, 5 + np.arange(60) / 60, atol=1e-8)
    for k in (0, 17, 59):
        assert np.array_equal(clip.frames[k], decode_jpeg(encode_jpeg(picture(k))))
    at = clip.signals.joint_stamps_s
    assert at.min() >= 4.9 and at.max() < 6.1 and np.allclose(clip.signals.gripper_opening_m, at + 6)


def test_frames_that_came_before_the_bag_was_begun_are_in_it(tmp_path):
    recorder = Recorder()
    for k in range(10):
        recorder.take(IMAGE, image(5 + k / 60, k))
    recorder.open(TABLE, plan(), tmp_path / "bag")
    for k in range(10, 61):
        recorder.take(IMAGE, image(5 + k / 60, k))
    assert recorder.close().frames_received == 60


def test_lost_frames_are_counted_and_named(tmp_path):
    result = record(tmp_path / "bag", [k for k in range(61) if k not in (3, 40)]).close()
    assert (result.frames_received, result.missing) == (58, (3, 40))


@pytest.mark.parametrize("ahead", [0, 50])
def test_a_recording_in_which_stamps_go_back_is_not_whole_and_reads_back_as_little(tmp_path, ahead):
    """Also where the clock was set before the recorder heard of the window."""
    stamps = [5 + k / 60 - (0.2 if k >= 40 else 0.0) for k in range(80)]
    recorder = Recorder()
    for k, at in enumerate(stamps[:ahead]):
        recorder.take(IMAGE, image(at, k))
    recorder.open(TABLE, plan(), tmp_path / "bag")
    for k, at in enumerate(stamps[ahead:]):
        recorder.take(IMAGE, image(at, k))
    assert recorder.over
    result = recorder.close()
    assert (result.frames_received, result.missing) == (40, tuple(range(40, 60)))
    assert len(read_clip(tmp_path / "bag").frames) == 40


def test_others_read_the_bag(tmp_path):
    record(tmp_path / "bag", range(61)).close()
    with AnyReader([tmp_path / "bag"], default_typestore=typestore()) as reader:
        counts = {c.topic: c.msgcount for c in reader.connections}
        assert counts[IMAGE] == 60 and counts[PLAN] == 1
        assert len(list(reader.messages())) == sum(counts.values())
    with mcap_file(tmp_path / "bag").open("rb") as stream:
        assert make_reader(stream, validate_crcs=True).get_summary().statistics.message_count == sum(counts.values())
    assert "MSG: physad_msgs/PhaseSpan" in definition("physad_msgs/msg/Interaction")


def test_a_flipped_bit_is_noticed(tmp_path):
    record(tmp_path / "bag", range(61)).close()
    file = mcap_file(tmp_path / "bag")
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
    with pytest.raises(BadData, match="recover"):
        read_clip(tmp_path / "bag")


KILLED = """
    import sys, time
    from pathlib import Path
    sys.path.insert(0, {here!r})
    import test_dataset as t
    import physad_ros.dataset.bag as bags
    bags.BagWriter.__init__.__defaults__ = (4096, "")
    recorder = t.record(Path({bag!r}), range(40))
    time.sleep(0.3)
    print("recorded", flush=True)
    time.sleep(60)
"""


def test_a_killed_recorders_chunks_come_back(tmp_path):
    folder = tmp_path / "c1"
    folder.mkdir()
    code = textwrap.dedent(KILLED.format(here=str(Path(__file__).parent), bag=str(folder / "bag")))
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "recorded\n"
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    with pytest.raises(BadData, match="recover"):
        read_timetable(folder / "bag")
    report = recover(folder)
    assert report.cut_off and report.frames_expected == 60 and 25 <= report.frames_received <= 40
    assert len(read_clip(folder / "bag").frames) == report.frames_received
    assert Manifest.read(folder / "manifest.json").frames_received == report.frames_received
    assert f"{60 - report.frames_received} are lost" in str(report)
    with AnyReader([folder / "bag"], default_typestore=typestore()) as reader:
        assert sum(c.msgcount for c in reader.connections) == sum(report.messages.values())


def test_a_disk_that_is_slow_or_fails_as_the_bag_is_made_stops_nobody(tmp_path, monkeypatch):
    made = threading.Event()

    class Slow(recording.BagWriter):
        def __init__(self, *arguments):
            made.wait(5.0)
            super().__init__(*arguments)

    monkeypatch.setattr(recording, "BagWriter", Slow)
    recorder = record(tmp_path / "bag", range(61))  # comes back although there is no bag yet
    assert not (tmp_path / "bag").exists()
    made.set()
    assert recorder.close().frames_received == 60
    monkeypatch.setattr(recording, "BagWriter", lambda *_: (_ for _ in ()).throw(OSError(28, "no space left on device")))
    result = record(tmp_path / "full", range(61)).close()
    assert "disk is full" in result.fault and result.frames_received == 0


def test_a_bag_that_is_there_is_kept(tmp_path):
    record(tmp_path / "bag", range(61)).close()
    with pytest.raises(BadData, match="exists already"):
        record(tmp_path / "bag", range(61))
    assert len(read_clip(tmp_path / "bag").frames) == 60


def test_a_full_disk_is_a_stated_fault_and_what_was_written_is_kept(tmp_path, monkeypatch):
    class Full(bags.Writer):
        left = 30

        def add_message(self, *arguments, **named):
            Full.left -= 1
            if Full.left < 0:
                raise OSError(28, "no space left on device")
            super().add_message(*arguments, **named)

    monkeypatch.setattr(bags, "Writer", Full)
    recorder = record(tmp_path / "bag", range(61))
    result = recorder.close()
    assert "disk is full" in result.fault
    assert mcap_file(tmp_path / "bag").stat().st_size > 0


def test_a_slow_start_of_a_new_simulation_forgets_the_old_ring():
    recorder = Recorder()
    recorder.take(IMAGE, image(500.0))
    recorder.take(IMAGE, image(1.0))
    assert len(recorder._ring) == 1


def test_the_clips_files_follow_from_the_bag(tmp_path):
    record(tmp_path / "bag", range(61)).close()
    manifest = finish_clip(tmp_path, seed=7, rig="mujoco")
    assert Manifest.read(tmp_path / "manifest.json") == manifest
    assert manifest.seed == 7 and manifest.frames_received == 60 and manifest.timetable == TABLE
    frames, fps = read_video(tmp_path / "clip.mp4")
    assert len(frames) == 60 and fps == 60


def test_a_clip_in_the_tree_reads_back(tmp_path):
    frames = np.stack([picture(i) for i in range(60)])
    clip = Clip(TABLE, frames, 5 + np.arange(60) / 60, Signals.none(), "unable_press")
    manifest = Manifest.of(TABLE, label="unable_press", seed=3)
    path = write_clip(tmp_path, clip, manifest, "test")
    assert path == clip_path(tmp_path, "clip", "test", "unable_press", "c1")
    (ref,) = scan(tmp_path)
    back = load_clip(ref)
    assert back.timetable == TABLE and back.label == "unable_press" and np.allclose(back.stamps_s, clip.stamps_s)
    assert np.abs(back.frames.astype(int) - frames).mean() < 3
    path.with_suffix(".json").unlink()  # as the released data set is
    assert [p.name for p in load_clip(ref).timetable.phases] == ["clip"]
    assert back.source == load_clip(ref).source == ref.path
    with pytest.raises(BadData, match="must not be trained on"):
        clip_path(tmp_path, "clip", "train", "unable_press", "c1")
    with pytest.raises(BadData, match="no clips"):
        scan(tmp_path / "clip")


@pytest.mark.parametrize("height", [18, 36, 9])
def test_jpegs_are_decoded_at_any_height(height):
    data = encode_jpeg(picture(3))
    assert decode_jpeg(data, height).shape == (height, height * 16 // 9, 3)
    with pytest.raises(BadData):
        decode_jpeg(b"no picture", height)


def test_video_keeps_its_frames(tmp_path):
    frames = [picture(i) for i in range(30)]
    assert write_video(tmp_path / "v.mp4", frames, 60.0) == 30
    back, fps = read_video(tmp_path / "v.mp4")
    assert back.shape == (30, 36, 64, 3) and fps == 60
    with pytest.raises(BadData):
        read_video(tmp_path / "none.mp4")


def test_single_frames_of_a_video_are_those_of_these_numbers(tmp_path):
    write_video(tmp_path / "v.mp4", [np.full((36, 64, 3), 8 * i, np.uint8) for i in range(30)], 60.0)
    whole = read_video(tmp_path / "v.mp4", 18)[0]
    some = read_frames(tmp_path / "v.mp4", [20, 3, 29], 18)
    assert all(np.array_equal(frame, whole[n]) for frame, n in zip(some, (20, 3, 29)))
    with pytest.raises(BadData, match="no frame 30"):
        read_frames(tmp_path / "v.mp4", [3, 30])


def test_a_bad_manifest_names_its_field(tmp_path):
    (tmp_path / "m.json").write_text('{"clip_id": "x"}')
    with pytest.raises(BadData, match="category"):
        Manifest.read(tmp_path / "m.json")


FINDING = Finding("rebound", "rest", "rebound", 0.1, 0.9, 1.1, "1", 8.0, 5.6, 5.9, "it did not come back")


@pytest.mark.parametrize("count", [0, 60])
def test_the_report_tells_all_even_of_nothing(tmp_path, count):
    outcome = Outcome.ANOMALOUS if count else Outcome.INCONCLUSIVE
    verdict = Verdict(outcome, "clip", 4.0 if count else float("nan"), 1.0, "rules", (FINDING,) if count else (), "" if count else "no frames")
    Report.of(verdict, TABLE, None, clip_id="c1", seed=7, rig="mujoco", frames_received=count, timings_s={"verdict": 1.0},
              frame_scores=[0.0] * count).write(tmp_path / "verdict.json")
    report = Report.read(tmp_path / "verdict.json")
    assert report.verdict == outcome.name and report.frames_received == count
    assert np.isnan(report.score) == (count == 0)


def test_json_never_holds_what_others_cannot_read(tmp_path):
    write_json(tmp_path / "x.json", {"a": float("nan"), "b": [float("inf"), 1.5]})
    assert (tmp_path / "x.json").read_text().count("null") == 2


def test_recording_keeps_up(tmp_path):
    """Not a speed test: nothing is dropped when a second of frames comes in at once."""
    recorder = record(tmp_path / "bag", range(61))
    began = time.monotonic()
    assert recorder.close().frames_received == 60
    assert time.monotonic() - began < 10
