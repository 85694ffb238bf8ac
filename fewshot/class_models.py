"""A class of the database, opened with the models that classify its students."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Self
from weakref import WeakSet

from fewshot.classroom.class_enrollment import PathLike
from fewshot.classroom.class_watch import ClassWatch, Standing
from fewshot.classroom.current import CurrentClass
from fewshot.classroom.owners import owner_named
from fewshot.classroom.recognition import network_of, previous_note, recogniser_of
from fewshot.classroom.roster import Roster, no_such_student
from fewshot.classroom.store import ClassStore, no_such_class
from fewshot.database import Database, in_folder, open_database
from fewshot.database.owner import LOCAL, Owner
from fewshot.live.pipeline import Schedule
from fewshot.loops import open_population
from fewshot.models.files import network_file
from fewshot.perception import Perception, open_perception
from fewshot.prototypes.population import Population
from fewshot.prototypes.store import PrototypeStore
from fewshot.prototypes.table import PrototypeTable

if TYPE_CHECKING:
    from fewshot.faces.detections import Detector


class ClassModels:
    """One class and its models, which are loaded when they are first needed. Nothing here changes the class.

    A class goes on with the networks that enrolled it. Loops that run are given every change of its students.

    Attributes:
        open_models: opens the models; a program with many classes sets it to ``SharedModels.perception``. None is
            ``open_perception``.
    """

    open_models: Callable[..., Perception] | None = None

    def __init__(
        self,
        name: str | Path,
        detector: str | Detector = "auto",
        download: bool = True,
        database: Database | None = None,
        network: PathLike | None = None,
        owner: Owner | str | None = None,
    ) -> None:
        """Open a class. A class that does not exist yet is created when the first student is enrolled.

        Args:
            name: name of the class, in any script. A ``Path`` still works like ``in_folder``, with a warning.
            detector: "auto", "scrfd", "yunet", "cascade", or an open detector.
            download: whether missing models may be downloaded.
            database: where the class is stored; None uses the default database.
            network: your own expression network: an ONNX file, with its population prototypes (.json) beside it.
            owner: the teacher to whom the class belongs, or this teacher's name; None is the local teacher.

        Raises:
            UsageError: the name cannot be the name of a class, there is no such network, or no such teacher.
            StoreError: the database is damaged.
        """
        if isinstance(name, Path):
            warnings.warn(
                "Classroom(Path(...)) is deprecated. Use Classroom.in_folder(path).", DeprecationWarning, stacklevel=2
            )
            database = database or in_folder(name)
            name = name.name
        database = database or open_database(owner=owner.id if isinstance(owner, Owner) else LOCAL)
        self.store = ClassStore(database, owner_named(database, owner))
        self._name = self.store.spelled(name)
        self._detector, self._download = detector, download
        self._network = network_file(network)
        self._perception: Perception | None = None
        self._population: Population | None = None
        self._current: WeakSet[CurrentClass] = WeakSet()

    @classmethod
    def open(
        cls,
        name: str,
        *,
        detector: str | Detector = "auto",
        download: bool = True,
        database: Database | None = None,
        network: PathLike | None = None,
        owner: Owner | str | None = None,
    ) -> Self:
        """Open a class by its name. The arguments are those of ``Classroom``."""
        return cls(name, detector, download, database, network, owner)

    @classmethod
    def in_folder(
        cls,
        folder: PathLike,
        *,
        detector: str | Detector = "auto",
        download: bool = True,
        network: PathLike | None = None,
    ) -> Self:
        """Open a class with its own database in a folder. The class has the name of the folder.

        Args:
            folder: created if it does not exist.
            detector: see ``Classroom``.
            download: see ``Classroom``.
            network: see ``Classroom``.

        Raises:
            UsageError: the folder's name cannot be the name of a class.
            StoreError: the database is damaged, or cannot be created there.
        """
        place = Path(folder)
        return cls(place.name or place.resolve().name, detector, download, in_folder(place), network)

    @classmethod
    def temporary(
        cls, name: str, *, detector: str | Detector = "auto", download: bool = True, network: PathLike | None = None
    ) -> Self:
        """A class in memory only; it is lost with this object."""
        return cls(name, detector, download, Database("sqlite://"), network)

    @property
    def name(self) -> str:
        """Name of the class, as it is written in the database."""
        return self._name

    @property
    def exists(self) -> bool:
        """Whether the class is in the database."""
        return self.store.exists(self._name)

    @property
    def students(self) -> list[str]:
        """Names of all students in the class, including those whose consent has ended. Loads no model."""
        return sorted(self.roster().students)

    def roster(self) -> Roster:
        """The students of the class as they are stored now.

        Raises:
            StoreError: the database is damaged.
        """
        return self.store.roster(self._name)

    @property
    def perception(self) -> Perception:
        """Finds faces and computes their vectors. The models are loaded in the first call.

        Raises:
            ModelUnavailable: a model is not on this machine and cannot be downloaded.
        """
        if self._perception is None:
            self._perception = (self.open_models or open_perception)(
                self._detector,
                download=self._download,
                network=self._enrolled_with(),
                recogniser=recogniser_of(self.store.networks(self._name)),
                threads=Schedule().threads(),
            )
            if self._enrolled_with() != self._network:
                self._perception.notes += (previous_note(self._name),)
        return self._perception

    @property
    def population(self) -> Population:
        """The population prototypes beside the network; loaded in the first call.

        Raises:
            UsageError: there is no file with population prototypes beside the network.
            StoreError: the file is damaged.
        """
        if self._population is None:
            self._population = open_population(self._enrolled_with())
        return self._population

    def prototypes(self, student: str | None = None) -> PrototypeTable:
        """The prototypes with which the class is classified today, as arrays.

        Args:
            student: only the prototypes of this student; None: those of the class (student None) and of every student.

        Raises:
            UsageError: there is no such class or student.
            StoreError: the class is damaged, or was enrolled with another network.
        """
        if not self.exists:
            raise no_such_class(self.name, self.store.names())
        if student is not None and student not in self.students:
            raise no_such_student(student, self.name, self.students)
        return PrototypeTable.of(self.vectors(), self.population, student)

    def vectors(self) -> PrototypeStore | None:
        """Supports, identity references and prototypes of the students with valid consent; None without any.

        Raises:
            StoreError: the class is damaged, or was enrolled with another network.
        """
        store = self._vectors()
        if store is not None:
            for key in set(self.ended_consents()) & set(store.students()):
                store.remove(key)  # only from this copy; the database keeps the data until the student is removed
            store.rebuild(self.population)
        return store

    def ended_consents(self) -> list[str]:
        """Students who are no longer recognised because their consent has ended or has not begun."""
        roster = self.roster()
        return sorted(set(roster.students) - set(roster.consenting()))

    def watcher(self) -> ClassWatch:
        """Notices changes of the class in the database; every loop has one. UsageError: there is no such class."""
        return ClassWatch(self.store.database, self._name, self._refresh, self.store.owner)

    def _refresh(self, standing: Standing | None = None) -> None:
        """Give all running loops the current students and prototypes."""
        self._name = standing.name if standing else self._name
        if self._current:
            store = self.vectors()
            for current in list(self._current):
                current.update(store)

    def _enrolled_with(self) -> Path | None:
        return self._network or network_of(self.store.networks(self._name))

    def _forget_networks(self) -> None:
        """A class without vectors can be enrolled again with the networks in use now."""
        if self._perception is not None and self.store.networks(self._name) is None:
            self._perception = self._population = None

    def _vectors(self) -> PrototypeStore | None:
        """Stored supports and identity references. Raises StoreError if another network made them."""
        store = self.store.vectors(self._name)
        if store is not None:
            store.require(self.perception.network, self.perception.identity_network)
        return store
