"""The classes whose models this process has opened. A class goes on with its models from request to request."""

from __future__ import annotations

import threading
from collections import OrderedDict

from fewshot.api.callers import Caller
from fewshot.api.problems import Problem
from fewshot.call_labels.students import Names
from fewshot.classroom.own_classes import Numbered
from fewshot.live.loop import Loop
from fewshot.live.pipeline import Schedule
from fewshot.loops import make_loop
from fewshot.perception import Perception
from fewshot.room import Classroom
from fewshot.session.settings import Settings
from fewshot.shared_models import MODELS

MOST = 8
"""Classes that are kept open. Their models are shared, their students are not."""


class Rooms:
    """Opened classes by number, so that one that was deleted and made anew is opened anew.

    Args:
        most: see ``MOST``.
    """

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._rooms: OrderedDict[tuple[str, int, str], Classroom] = OrderedDict()
        self._nobody: dict[str, Perception] = {}
        self._opening = threading.Lock()
        self._enrolling: dict[int, threading.Lock] = {}

    def of(self, caller: Caller, of: Numbered) -> Classroom:
        """The class with its models.

        Raises:
            UsageError, StoreError: see ``Classroom``.
        """
        key = (caller.owner.id, of.id, of.name)
        with self._lock:
            room = self._rooms.get(key)
            if room is None:
                room = Classroom.open(
                    of.name, detector=self._detector(caller), database=caller.classes.database, owner=caller.owner
                )
                room.open_models = MODELS.perception
                self._rooms[key] = room
            self._rooms.move_to_end(key)
            while len(self._rooms) > self._most:
                self._rooms.popitem(last=False)
        return room

    def loop(self, caller: Caller, of: Numbered | None, names: Names = Names.faces) -> Loop:
        """A loop that recognises the students of a class, or nobody; models are loaded when they are first needed.

        Args:
            caller: whose class it is.
            of: the class; None for nobody.
            names: where the names of its students come from.

        Raises:
            Problem: names from labels need a class.
            UsageError, StoreError, ModelUnavailable: see ``Classroom.loop``.
        """
        if of is None and names is not Names.faces:
            raise Problem(422, "Labels are compared with the names of a class. Send class_id, or leave names out.")
        with self._opening:  # two requests at once must not load the models twice
            if of is not None:
                return self.of(caller, of).loop(names=names)
            return make_loop(self.nobody(caller))

    def nobody(self, caller: Caller) -> Perception:
        """What finds faces where no class is given."""
        detector = self._detector(caller)
        if detector not in self._nobody:
            self._nobody[detector] = MODELS.perception(detector, threads=Schedule().threads())
        return self._nobody[detector]

    def enrolling(self, of: Numbered) -> threading.Lock:
        """Held while a class is enrolled: the photos of two requests are compared with each other."""
        with self._lock:
            return self._enrolling.setdefault(of.id, threading.Lock())

    def _detector(self, caller: Caller) -> str:
        return str(Settings(caller.classes.database, caller.owner).get("detector", "auto"))
