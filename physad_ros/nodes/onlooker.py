"""Who looks at a running graph without being of it: which topics and nodes there are, and what they say."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rclpy.context import Context
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy

from physad_ros.core.errors import BadData
from physad_ros.nodes.convert import type_named

DEPTH = 100  # messages kept while the terminal is slow; of a latched topic, all that a publisher still holds


@dataclass(frozen=True)
class Topic:
    """A topic and who is at it."""

    name: str
    types: tuple[str, ...]  # one, unless somebody is mistaken
    publishers: int
    subscribers: int

    @property
    def hidden(self) -> bool:
        """Whether it is a part of something else, as the topics of an action are."""
        return any(part.startswith("_") for part in self.name.split("/"))


@dataclass(frozen=True)
class Member:
    """A node and how much it offers."""

    name: str  # with its namespace
    publishers: int
    subscribers: int
    services: int


class Onlooker(Node):
    """Counts everybody but itself."""

    def __init__(self, context: Context):
        super().__init__(f"_onlooker_{os.getpid()}", context=context, enable_rosout=False, start_parameter_services=False)

    def topics(self) -> list[Topic]:
        """All topics that somebody publishes or subscribes to, by name."""
        found = []
        for name, types in sorted(self.get_topic_names_and_types()):
            ends = self.get_publishers_info_by_topic(name), self.get_subscriptions_info_by_topic(name)
            here = [sum(end.node_name != self.get_name() for end in of) for of in ends]
            if any(here):
                found.append(Topic(name, tuple(types), *here))
        return found

    def members(self) -> list[Member]:
        """All nodes, by name. One that ends meanwhile is left out; two of one name are told twice."""
        counts = Counter(f"{space.rstrip('/')}/{name}" for name, space in self.get_node_names_and_namespaces() if name != self.get_name())
        asked = self.get_publisher_names_and_types_by_node, self.get_subscriber_names_and_types_by_node, self.get_service_names_and_types_by_node
        found = []
        for full, count in sorted(counts.items()):
            space, _, name = full.rpartition("/")
            try:
                of = [ask(name, space or "/") for ask in asked]
            except RuntimeError:  # rclpy's NodeNameNonExistentError, whose home differs between distributions
                continue
            found += [Member(full, *map(len, of))] * count
        return found

    def listen(self, topic: Topic, hear: Callable[[Any], None], raw: bool = False) -> None:
        """Have every message of a topic handed over, or its bytes, asking for no more than its publishers offer.

        Raises:
            BadData: the topic has two types, or one whose definition is not installed here.
        """
        if len(topic.types) > 1:
            raise BadData(f"{topic.name} has several types, {' and '.join(topic.types)}: nodes that mean different things by one name")
        try:
            kind = type_named(topic.types[0])
        except (ImportError, AttributeError) as error:
            raise BadData(f"the type of {topic.name}, {topic.types[0]}, is not installed here") from error
        self.create_subscription(kind, topic.name, hear, self._qos(topic.name), raw=raw)

    def _qos(self, topic: str) -> QoSProfile:
        """Reliable and latched only where all publishers are: who asks for more than is offered hears nothing."""
        offers = [info.qos_profile for info in self.get_publishers_info_by_topic(topic)]
        reliable = bool(offers) and all(o.reliability == ReliabilityPolicy.RELIABLE for o in offers)
        latched = bool(offers) and all(o.durability == DurabilityPolicy.TRANSIENT_LOCAL for o in offers)
        return QoSProfile(
            depth=DEPTH,
            reliability=ReliabilityPolicy.RELIABLE if reliable else ReliabilityPolicy.BEST_EFFORT,
            durability=DurabilityPolicy.TRANSIENT_LOCAL if latched else DurabilityPolicy.VOLATILE,
        )
