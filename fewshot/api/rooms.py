"""The classes whose models this process has opened. A class goes on with its models from request to request."""

from __future__ import annotations

import threading
from collections import OrderedDict

from fewshot.api.callers import Class
from fewshot.database import Database
from fewshot.database.owner import Owner
from fewshot.live.loop import Loop
from fewshot.loops import make_loop
from fewshot.perception import Perception, open_perception
from fewshot.room import Classroom
from fewshot.session.settings import Settings

MOST = 8
"""Classes that are kept open; each has its models in memory."""


class Rooms:
    """Opened classes by number, so that one that was deleted and made anew is opened anew.

    Args:
        database: where the classes are.
        most: see ``MOST``.
    """

    def __init__(self, database: Database, most: int = MOST) -> None:
        self._database, self._most = database, most
        self._lock = threading.Lock()
        self._rooms: OrderedDict[tuple[str, int, str], Classroom] = OrderedDict()
        self._nobody: dict[str, Perception] = {}
        self._opening = threading.Lock()
        self._enrolling: dict[int, threading.Lock] = {}

    def of(self, owner: Owner, of: Class) -> Classroom:
        """The class with its models.

        Raises:
            UsageError, StoreError: see ``Classroom``.
        """
        key = (owner.id, of.id, of.name)
        with self._lock:
            room = self._rooms.get(key)
            if room is None:
                room = Classroom.open(of.name, detector=self._detector(owner), database=self._database, owner=owner)
                self._rooms[key] = room
            self._rooms.move_to_end(key)
            while len(self._rooms) > self._most:
                self._rooms.popitem(last=False)
        return room

    def loop(self, owner: Owner, of: Class | None) -> Loop:
        """A loop that recognises the students of a class, or nobody; models are loaded when they are first needed.

        Raises:
            UsageError, StoreError, ModelUnavailable: see ``Classroom.loop``.
        """
        with self._opening:  # two requests at once must not load the models twice
            if of is not None:
                return self.of(owner, of).loop()
            return make_loop(self.nobody(owner))

    def nobody(self, owner: Owner) -> Perception:
        """What finds faces where no class is given."""
        detector = self._detector(owner)
        if detector not in self._nobody:
            self._nobody[detector] = open_perception(detector)
        return self._nobody[detector]

    def enrolling(self, of: Class) -> threading.Lock:
        """Held while a class is enrolled: the photos of two requests are compared with each other."""
        with self._lock:
            return self._enrolling.setdefault(of.id, threading.Lock())

    def _detector(self, owner: Owner) -> str:
        return str(Settings(self._database, owner).get("detector", "auto"))
