"""Bags: what is written reads back, by others too, and no flipped bit goes unnoticed."""

import json
from pathlib import Path

import numpy as np
import pytest
import yaml
from ament_index_python.packages import get_package_share_directory
from dataset_messages import T, image, joints, plan
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mcap.reader import make_reader
from rosbags.highlevel import AnyReader
from rosbags.interfaces import QosDurability

from physad_ros.core.errors import BadData
from physad_ros.dataset import bag, files
from physad_ros.dataset.bag import BagWriter, move_bag
from physad_ros.dataset.definitions import definition, type_hash, typestore
from physad_ros.dataset.reading import mcap_file, messages
from physad_ros.dataset.stamps import stamp_ns
from physad_ros.dataset.topics import IMAGE, JOINTS, PLAN, RECORDED

TOPICS = tuple(RECORDED)


def write(folder, frames=20, chunk_bytes=4096):
    """A closed bag; returns its rows as ``messages`` tells them."""
    writer = BagWriter(folder, chunk_bytes)
    rows = [(PLAN, plan())]
    for k in range(frames):
        rows += [(IMAGE, image(5 + k / 60, k)), (JOINTS, joints(5 + k / 60))]
    for i, (topic, data) in enumerate(rows):
        writer.write(topic, RECORDED[topic], data, stamp_ns(data), 10**18 + i)
    writer.close()
    return [(topic, RECORDED[topic], data, stamp_ns(data)) for topic, data in rows]


@given(st.integers(-(2**31), 2**31 - 1), st.integers(0, 10**9 - 1), st.booleans())
def test_a_stamp_is_read_without_decoding_in_either_byte_order(sec, nanosec, little):
    head = T["std_msgs/msg/Header"](T["builtin_interfaces/msg/Time"](sec, nanosec), "x")
    message = T["physad_msgs/msg/LightLevels"](head, [], np.zeros(0, np.float32))
    data = typestore().serialize_cdr(message, "physad_msgs/msg/LightLevels", little_endian=little)
    assert stamp_ns(bytes(data)) == sec * 10**9 + nanosec


@pytest.mark.parametrize("data", [b"", b"\x07\x07", b"\x00\x01\x00\x00\x01\x00\x00", b"\x00\x06" + bytes(20)])
def test_what_is_no_message_is_refused(data):
    with pytest.raises(BadData):
        stamp_ns(data)


def test_what_is_written_reads_back_in_its_order(tmp_path):
    rows = write(tmp_path / "b")
    assert list(messages(tmp_path / "b", TOPICS)) == rows
    assert list(messages(tmp_path / "b", (IMAGE,))) == [row for row in rows if row[0] == IMAGE]


def test_others_read_the_bag(tmp_path):
    rows = write(tmp_path / "b")
    with AnyReader([tmp_path / "b"], default_typestore=typestore()) as reader:
        assert {c.topic: c.msgcount for c in reader.connections} == {PLAN: 1, IMAGE: 20, JOINTS: 20}
        assert {c.topic: c.msgtype for c in reader.connections} == {t: RECORDED[t] for t in (PLAN, IMAGE, JOINTS)}
        assert [bytes(data) for _, _, data in reader.messages()] == [row[2] for row in rows]
        lasting = {c.topic for c in reader.connections if c.ext.offered_qos_profiles[0].durability == QosDurability.TRANSIENT_LOCAL}
        assert lasting == {PLAN}  # a player offers it to who comes late
    with mcap_file(tmp_path / "b").open("rb") as stream:
        reader = make_reader(stream, validate_crcs=True)
        assert reader.get_summary().statistics.message_count == len(rows)
        for (_, _, data, stamp), (_, _, message) in zip(rows, reader.iter_messages(), strict=True):
            assert (message.data, message.publish_time) == (data, stamp)


def test_the_metadata_tell_what_is_in_the_bag_and_are_there_from_the_start(tmp_path):
    read = lambda: yaml.safe_load((tmp_path / "b" / "metadata.yaml").read_text())["rosbag2_bagfile_information"]  # noqa: E731
    writer = BagWriter(tmp_path / "b")
    assert (read()["message_count"], read()["relative_file_paths"]) == (0, ["b_0.mcap"])
    for received in (900, 300, 700):  # out of a ring they come in order of stamp
        writer.write(JOINTS, RECORDED[JOINTS], joints(5), 0, received)
    writer.close()
    assert read()["message_count"] == 3
    assert (read()["starting_time"]["nanoseconds_since_epoch"], read()["duration"]["nanoseconds"]) == (300, 600)


def test_what_is_synced_reads_while_the_writer_is_at_work(tmp_path):
    writer = BagWriter(tmp_path / "b")
    writer.write(JOINTS, RECORDED[JOINTS], joints(5), 0, 0)
    before = writer.file.stat().st_size
    writer.sync()
    assert writer.file.stat().st_size > before + len(joints(5))
    writer.close()
    assert len(list(messages(tmp_path / "b", (JOINTS,)))) == 1


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bags") / "b"
    return folder, write(folder, frames=6), mcap_file(folder).read_bytes()


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_a_flipped_bit_is_noticed_or_does_no_harm(sound, place, bit):
    folder, rows, data = sound
    damaged = bytearray(data)
    damaged[int(place * len(data))] ^= 1 << bit
    mcap_file(folder).write_bytes(damaged)
    try:
        assert list(messages(folder, TOPICS)) == rows
    except BadData as error:
        assert "recover" in str(error)


def test_a_flipped_bit_in_a_message_is_noticed(sound):
    folder, rows, data = sound
    for row in rows[::4]:
        damaged = bytearray(data)
        damaged[data.index(row[2]) + len(row[2]) - 1] ^= 1
        mcap_file(folder).write_bytes(damaged)
        with pytest.raises(BadData, match="crc"):
            list(messages(folder, TOPICS))


@pytest.mark.parametrize("share", [0.0, 0.3, 0.7, 0.999])
def test_a_bag_that_is_cut_off_is_refused(sound, share):
    folder, _, data = sound
    mcap_file(folder).write_bytes(data[: int(share * len(data))])
    with pytest.raises(BadData, match="recover"):
        list(messages(folder, TOPICS))


@pytest.mark.parametrize("kind", sorted(set(RECORDED.values())))
def test_definitions_are_those_of_the_installed_packages(kind):
    package, _, name = kind.split("/")
    described = json.loads((Path(get_package_share_directory(package)) / "msg" / f"{name}.json").read_text())
    assert type_hash(kind) == next(h["hash_string"] for h in described["type_hashes"] if h["type_name"] == kind)
    parts = {d["type_name"].replace("/msg/", "/") for d in described["type_description_msg"]["referenced_type_descriptions"]}
    assert parts == {line[5:] for line in definition(kind).splitlines() if line.startswith("MSG: ")}


def test_a_type_that_is_not_installed_is_named():
    with pytest.raises(BadData, match="physad_msgs/msg/Nothing"):
        definition("physad_msgs/msg/Nothing")
    with pytest.raises(BadData, match="a/msg/B"):
        type_hash("a/msg/B")


@pytest.fixture
def synced(monkeypatch):
    """Paths in the order in which they were brought to the disk."""
    paths = []
    monkeypatch.setattr(bag, "sync", lambda path: paths.append(path) or files.sync(path))
    return paths


def test_every_name_on_the_way_to_a_bag_is_synced_and_not_only_the_last(tmp_path, synced):
    BagWriter(tmp_path / "out" / "c1" / "bag").close()
    assert set(synced) >= {tmp_path, tmp_path / "out", tmp_path / "out" / "c1"}


def test_a_bag_that_is_moved_is_synced_where_it_comes_to_lie(tmp_path, synced):
    rows = write(tmp_path / "here" / "b")
    target = tmp_path / "there" / "c1" / "bag"
    move_bag(tmp_path / "here" / "b", target)
    assert list(messages(target, TOPICS)) == rows and not (tmp_path / "here" / "b").exists()
    assert set(synced) >= {*target.iterdir(), target, target.parent, target.parent.parent, tmp_path}


def test_a_bag_is_not_moved_into_another(tmp_path):
    write(tmp_path / "a")
    write(tmp_path / "b")
    with pytest.raises(BadData, match="exists already"):
        move_bag(tmp_path / "a", tmp_path / "b")
    assert (tmp_path / "a").exists() and not (tmp_path / "b" / "a").exists()
