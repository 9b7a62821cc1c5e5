"""One registry a kind of thing, filled by a decorator: to add a member is to add one file."""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

from physad_ros.core.errors import UnknownName

T = TypeVar("T")


class Registry(Generic[T]):
    """Names of one kind and what they stand for; imports the package that holds the members on first use."""

    def __init__(self, kind: str, package: str):
        self.kind = kind
        self._package = package
        self._members: dict[str, T] = {}
        self._loaded = False

    def register(self, name: str) -> Callable[[T], T]:
        """Decorator that enters a member under ``name``; a name can be taken once."""

        def enter(member: T) -> T:
            if name in self._members:
                raise ValueError(f"{self.kind} {name!r} is registered twice")
            self._members[name] = member
            return member

        return enter

    def __getitem__(self, name: str) -> T:
        if name not in self._members:
            self._look_for(name)
        try:
            return self._members[name]
        except KeyError:
            raise UnknownName(self.kind, name, self._members) from None

    def __iter__(self) -> Iterator[str]:
        self._load()
        return iter(sorted(self._members))

    def __contains__(self, name: object) -> bool:
        if isinstance(name, str) and name not in self._members:
            self._look_for(name)
        return name in self._members

    def __len__(self) -> int:
        self._load()
        return len(self._members)

    def _look_for(self, name: str) -> None:
        """Import the module that has the member's own name; all of them where it is in another."""
        if name.isidentifier() and not self._loaded and importlib.util.find_spec(f"{self._package}.{name}"):
            importlib.import_module(f"{self._package}.{name}")
        if name not in self._members:
            self._load()

    def _load(self) -> None:
        if self._loaded:
            return
        self._loaded = True
        package = importlib.import_module(self._package)
        for module in pkgutil.iter_modules(package.__path__):
            importlib.import_module(f"{self._package}.{module.name}")
