"""Serialized messages of a made-up interaction, for the tests of recordings. Imports no more than a recorder needs."""

import numpy as np

from physad_ros.core.types import Phase, Timetable
from physad_ros.dataset.definitions import typestore
from physad_ros.dataset.recording import Recorder
from physad_ros.dataset.topics import IMAGE, JOINTS
from physad_ros.dataset.video import encode_jpeg

T = typestore().types
TABLE = Timetable("c1", "clip", "clip_1", "press", (Phase("press", 5.0, 5.5), Phase("rest", 5.5, 6.0)), 5.0, 6.0, 60)
ARM = [f"{n}_joint" for n in ("shoulder_pan", "shoulder_lift", "elbow", "wrist_1", "wrist_2", "wrist_3")]


def stamp(seconds):
    ns = round(seconds * 1e9)
    return T["builtin_interfaces/msg/Time"](ns // 10**9, ns % 10**9)


def cdr(kind, **fields):
    return bytes(typestore().serialize_cdr(T[kind](**fields), kind))


def header(seconds):
    return T["std_msgs/msg/Header"](stamp(seconds), "camera")


def picture(i, height=36):
    """A frame that tells its number: a bright rectangle that moves."""
    frame = np.zeros((height, height * 16 // 9, 3), np.uint8)
    frame[8:20, i % 50 : i % 50 + 12] = (40, 200, 120)
    return frame


def jpeg_message(seconds, jpeg):
    data = np.frombuffer(jpeg, np.uint8)
    return cdr("sensor_msgs/msg/CompressedImage", header=header(seconds), format="jpeg", data=data)


def image(seconds, i=0):
    return jpeg_message(seconds, encode_jpeg(picture(i)))


def plan(table=TABLE):
    spans = [T["physad_msgs/msg/PhaseSpan"](p.name, stamp(p.begin_s), stamp(p.end_s)) for p in table.phases]
    return cdr("physad_msgs/msg/Interaction", header=header(0.0), clip_id=table.clip_id, category=table.category,
               object=table.object, interaction=table.interaction, phases=spans, window_begin=stamp(table.window_begin_s),
               window_end=stamp(table.window_end_s), frames=table.frames, fps=table.fps)


def joint_state(seconds, names, position, velocity=(), effort=()):
    return cdr("sensor_msgs/msg/JointState", header=header(seconds), name=list(names), position=np.array(position, float),
               velocity=np.array(velocity, float), effort=np.array(effort, float))


def joints(seconds):
    return joint_state(seconds, [*ARM, "finger_joint"], np.arange(7) + seconds)


def wrench(seconds, force):
    vector = T["geometry_msgs/msg/Vector3"]
    return cdr("geometry_msgs/msg/WrenchStamped", header=header(seconds),
               wrench=T["geometry_msgs/msg/Wrench"](vector(*force), vector(0.0, 0.0, 0.1)))


def lights(seconds, **levels):
    return cdr("physad_msgs/msg/LightLevels", header=header(seconds), channel=list(levels),
               level=np.array(list(levels.values()), np.float32))


def camera_info(seconds):
    roi = T["sensor_msgs/msg/RegionOfInterest"](0, 0, 0, 0, False)
    k = np.array([50, 0, 32, 0, 50, 18, 0, 0, 1.0])
    return cdr("sensor_msgs/msg/CameraInfo", header=header(seconds), height=36, width=64, distortion_model="plumb_bob",
               d=np.zeros(5), k=k, r=np.eye(3).ravel(), p=np.zeros(12), binning_x=0, binning_y=0, roi=roi)


def record(folder, frames, early=30):
    """A recorder that is open, with ``early`` frames before the window and these of its numbered frames taken."""
    recorder = Recorder()
    for k in range(-early, 0):
        recorder.take(IMAGE, image(5 + k / 60))
    recorder.open(TABLE, plan(), folder)
    for k in frames:
        recorder.take(IMAGE, image(5 + k / 60, k))
        recorder.take(JOINTS, joints(5 + k / 60))
    return recorder
