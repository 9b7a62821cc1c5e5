"""Recovery: whatever wrote the bag and whatever befell it, each message that is whole comes back, and nothing that was there is deleted."""

import errno
import json
import shutil

import numpy as np
import pytest
from dataset_messages import image, joints, jpeg_message, picture, plan
from mcap.reader import make_reader
from mcap.writer import CompressionType, Writer

from physad_ros.core.errors import BadData
from physad_ros.dataset import finishing
from physad_ros.dataset.bag import BagWriter
from physad_ros.dataset.finishing import finish_clip
from physad_ros.dataset.manifest import Manifest
from physad_ros.dataset.reading import is_sound, mcap_file, messages, read_clip
from physad_ros.dataset.recover import recover
from physad_ros.dataset.stamps import stamp_ns
from physad_ros.dataset.topics import IMAGE, JOINTS, PLAN, RECORDED
from physad_ros.dataset.video import encode_jpeg, read_video

NOTES = "/operator/notes"


def rows_of(frames=30):
    rows = [(PLAN, plan())]
    for k in range(frames):
        rows += [(IMAGE, image(5 + k / 60, k)), (JOINTS, joints(5 + k / 60))]
    return rows


def foreign(folder, rows, notes=12, **options):
    """A bag as another program writes it, with a topic of its own in another encoding, an attachment and metadata."""
    folder.mkdir(parents=True)
    with (folder / "bag_0.mcap").open("wb") as stream:
        writer = Writer(stream, chunk_size=4096, enable_data_crcs=True, **options)
        writer.start(profile="ros2", library="other")
        channels = {}
        for topic in dict.fromkeys(topic for topic, _ in rows):
            schema = writer.register_schema(RECORDED[topic], "ros2msg", b"uint8 whatever")
            channels[topic] = writer.register_channel(topic, "cdr", schema, {"offered_qos_profiles": "[]"})
        own = writer.register_channel(NOTES, "json", writer.register_schema("Note", "jsonschema", b"{}"))
        for k in range(notes):
            writer.add_message(own, 10**18 + k, json.dumps({"note": k}).encode(), 10**18 + k, k)
        counts = dict.fromkeys(channels, 0)
        for i, (topic, data) in enumerate(rows):
            writer.add_message(channels[topic], 10**18 + i, data, stamp_ns(data), counts[topic])
            counts[topic] += 1
        writer.add_attachment(0, 0, "photo.txt", "text/plain", b"a photograph")
        writer.add_metadata("station", {"line": "4"})
        writer.finish()
    return folder


def contents(folder):
    """Every message of a bag as (topic, encoding, type, data), its attachments and metadata."""
    with mcap_file(folder).open("rb") as stream:
        reader = make_reader(stream, validate_crcs=True)
        found = [(c.topic, c.message_encoding, s.name, m.data) for s, c, m in reader.iter_messages(log_time_order=False)]
        return sorted(found), [a.data for a in reader.iter_attachments()], [m.metadata for m in reader.iter_metadata()]


WAYS = {
    "zstd": {"compression": CompressionType.ZSTD}, "lz4": {"compression": CompressionType.LZ4},
    "plain": {"compression": CompressionType.NONE}, "without chunks": {"use_chunking": False},
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("cut", [False, True], ids=["whole", "cut off"])
def test_every_whole_message_comes_back_however_it_was_written(tmp_path, way, cut):
    bag = foreign(tmp_path / "c1" / "bag", rows_of(), **WAYS[way])
    before = contents(bag)
    file = mcap_file(bag)
    if cut:
        data = file.read_bytes()
        file.write_bytes(data[: int(0.6 * len(data))])
    left = file.read_bytes()
    report = recover(tmp_path / "c1")
    assert is_sound(mcap_file(bag)) and report.cut_off == cut
    if cut:
        found = contents(bag)[0]
        assert 25 < len(found) < len(before[0]) and set(found) <= set(before[0])
        assert sum(topic == NOTES for topic, *_ in found) == 12
    else:
        assert contents(bag) == before and not report.damaged and report.frames_received == 30
    assert sum(report.messages.values()) == len(contents(bag)[0])
    assert mcap_file(tmp_path / "c1" / "bag.broken").read_bytes() == left  # nothing is deleted
    again = recover(tmp_path / "c1")  # a sound bag is left as it is
    assert again.aside == () and again.messages == report.messages and "nothing was replaced" in str(again)


@pytest.mark.parametrize("way", WAYS)
def test_a_damaged_part_costs_itself_only(tmp_path, way):
    bag = foreign(tmp_path / "c1" / "bag", rows_of(), **WAYS[way])
    whole = contents(bag)[0]
    file = mcap_file(bag)
    data = bytearray(file.read_bytes())
    at = len(data) // 2 if way != "without chunks" else data.index(rows_of()[31][1]) - 31  # its header
    data[at : at + 40] = bytes(b ^ 0x5A for b in data[at : at + 40])
    file.write_bytes(data)
    with pytest.raises(BadData, match="recover"):
        list(messages(bag, (IMAGE,)))
    report = recover(tmp_path / "c1")
    found = contents(bag)[0]
    assert report.damaged
    if way != "without chunks":  # without, no checksum tells which message is damaged
        assert set(found) < set(whole)
    assert len(found) > 0.6 * len(whole)


def inspection(folder, pictures, frames=60):
    """A finished inspection whose bag holds these pictures."""
    writer = BagWriter(folder / "bag", 4096)
    writer.write(PLAN, RECORDED[PLAN], plan(), 0, 10**18)
    for k in range(frames):
        data = jpeg_message(5 + k / 60, pictures(k))
        writer.write(IMAGE, RECORDED[IMAGE], data, stamp_ns(data), 10**18 + k)
    writer.close()
    return folder


def test_a_file_that_goes_on_after_its_end_is_mended(tmp_path):
    """As on a disk that pads with zeros: most readers look for the summary at the very end."""
    folder = inspection(tmp_path / "c1", lambda k: encode_jpeg(picture(k)))
    before = contents(folder / "bag")
    with mcap_file(folder / "bag").open("ab") as stream:
        stream.write(bytes(700))
    assert recover(folder).aside[0] == folder / "bag.broken" and contents(folder / "bag") == before


def test_what_is_told_back_is_what_the_clip_holds_and_what_cannot_be_shown_is_told(tmp_path):
    broken = lambda k: encode_jpeg(picture(k)) if k < 40 else encode_jpeg(picture(k))[:-300]  # noqa: E731
    report = recover(inspection(tmp_path / "c1", broken))
    assert report.frames_received == Manifest.read(tmp_path / "c1" / "manifest.json").frames_received == 40
    assert len(read_video(tmp_path / "c1" / "clip.mp4")[0]) == 40
    assert report.broken_pictures == 20 and "20 more came back and cannot be shown" in str(report)


def test_a_clip_that_holds_more_than_its_bag_is_left_as_it_is(tmp_path):
    folder = inspection(tmp_path / "c1", lambda k: encode_jpeg(picture(k)))
    finish_clip(folder, seed=7)
    there = {name: (folder / name).read_bytes() for name in ("clip.mp4", "manifest.json", "signals.npz")}
    file = mcap_file(folder / "bag")
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    report = recover(folder)
    assert 0 < report.frames_received < 60 and report.clip_frames == 60
    assert {name: (folder / name).read_bytes() for name in there} == there
    assert "with 60 frames, and are left as they are" in str(report)


def test_a_clip_that_holds_less_is_replaced_and_kept_aside(tmp_path):
    folder = inspection(tmp_path / "c1", lambda k: encode_jpeg(picture(k)))
    finish_clip(folder, seed=7, label="jam")
    manifest = Manifest.read(folder / "manifest.json")
    manifest.model_copy(update={"frames_received": 3}).write(folder / "manifest.json")
    video = (folder / "clip.mp4").read_bytes()
    report = recover(folder)
    made = Manifest.read(folder / "manifest.json")
    assert (made.frames_received, made.seed, made.label) == (60, 7, "jam")
    assert (folder / "clip.mp4.before").read_bytes() == video and folder / "clip.mp4.before" in report.aside


def test_a_clip_that_cannot_be_replaced_stays(tmp_path, monkeypatch):
    folder = inspection(tmp_path / "c1", lambda k: encode_jpeg(picture(k)))
    finish_clip(folder, label="jam")
    manifest = Manifest.read(folder / "manifest.json")
    manifest.model_copy(update={"frames_received": 3}).write(folder / "manifest.json")
    before = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched, pytest.raises(OSError, match="No space"):
        patched.setattr(finishing, "write_signals", full)
        recover(folder)
    assert {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()} == before
    recover(folder)
    assert (made := Manifest.read(folder / "manifest.json")).label == "jam" and made.frames_received == 60


def test_no_recovery_deletes_what_one_before_has_put_aside(tmp_path):
    folder = inspection(tmp_path / "c1", lambda k: encode_jpeg(picture(k)))
    file = mcap_file(folder / "bag")
    broken = []
    for lost in (9000, 100):
        file.write_bytes(file.read_bytes()[:-lost])
        broken.append(file.read_bytes())
        recover(folder)
    assert [mcap_file(folder / name).read_bytes() for name in ("bag.broken", "bag.broken2")] == broken


def test_a_recovery_that_was_killed_between_two_names_is_taken_up(tmp_path):
    folder = inspection(tmp_path / "c1", lambda k: encode_jpeg(picture(k)))
    (folder / "bag").rename(folder / "bag.broken")
    assert recover(folder).frames_received == 60
    assert len(read_clip(folder / "bag").frames) == 60 and not (folder / "bag.broken").exists()


def test_a_bag_of_which_nothing_is_left_is_told_and_kept(tmp_path):
    folder = inspection(tmp_path / "c1", lambda k: encode_jpeg(picture(k)))
    file = mcap_file(folder / "bag")
    file.write_bytes(np.random.default_rng(0).bytes(5000))
    with pytest.raises(BadData, match="not one whole message"):
        recover(folder)
    assert file.stat().st_size == 5000
    shutil.rmtree(folder / "bag")
    with pytest.raises(BadData, match="no bag here"):
        recover(folder)
