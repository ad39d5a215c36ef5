"""What a module declares about itself: the manifest in its ``definition.py``, and the small parts it is made of.

A definition imports nothing heavy. What is code (routers, handlers, providers, hooks) is named by an import path
``"package.module:attribute"`` and loaded when it is needed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal


class ModuleClass(StrEnum):
    """The three tiers: core modules are always on, optional ones per platform, internal ones serve the operator."""

    CORE = "core"
    OPTIONAL = "optional"
    INTERNAL = "internal"


class CatchUp(StrEnum):
    """What becomes of schedule ticks that were missed while nothing ran."""

    ONCE = "once"
    SKIP = "skip"
    ALL = "all"


class Overlap(StrEnum):
    """What a new tick does while the schedule's former run is unfinished."""

    SKIP = "skip"
    QUEUE = "queue"
    ALLOW = "allow"


@dataclass(frozen=True)
class ScheduledTask:
    """One entry of the schedule.

    ``name`` is ``<module>.<verb_object>``; ``task`` the full task path; ``schedule`` a five-field cron
    string or the keyword arguments of Celery's ``crontab``, in UTC.
    """

    name: str
    task: str
    schedule: str | dict[str, Any]
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = field(default_factory=dict)
    catch_up: CatchUp = CatchUp.ONCE
    overlap: Overlap = Overlap.SKIP


@dataclass(frozen=True)
class MenuEntry:
    """Where a page stands in its area's menu. Sections with the same id merge over modules. ``key``: the letter that
    leads there after ``g``, one of a kind in its area."""

    section: str
    order: int
    icon: str
    is_mandatory: bool = False
    key: str = ""


Area = Literal["admin", "vendor", "storefront", "public"]
PageKind = Literal["list", "detail", "form", "job", "dashboard", "content"]


@dataclass(frozen=True)
class PageDef:
    """One page people open. Menu, routing, permission check and the tests' crawl are made from it.

    ``id`` is ``<module>.<area>.<page>``; ``path`` is relative to the area's root (``/admin``,
    ``/vendor/{vendor_code}``); ``permission`` is None only for pages that anyone may open; ``feature``: the code of
    a binary feature without which a vendor cannot open it.
    """

    id: str
    area: Area
    path: str
    kind: PageKind
    title_key: str
    permission: str | None
    menu: MenuEntry | None = None
    feature: str | None = None

    @property
    def module_code(self) -> str:
        """Code of the module that owns the page."""
        return self.id.partition(".")[0]


@dataclass(frozen=True)
class Feature:
    """Something that a vendor's plan can limit: ``<module>.<noun>`` and the message key of its name.

    ``default_limit`` holds where a plan says nothing: None is unlimited; a binary feature is off with 0, else on.
    What ``is_per_period`` is counted by whoever answers for plans, from nought in each period. Of the rest, ``usage``
    is the import path of ``function(session) -> int``: what the vendor of the session's scope has at present.
    """

    code: str
    label_key: str
    kind: Literal["quantitative", "binary"] = "quantitative"
    default_limit: int | None = None
    is_per_period: bool = False
    usage: str | None = None

    @property
    def module_code(self) -> str:
        """Code of the module that owns the feature."""
        return self.code.partition(".")[0]


@dataclass(frozen=True)
class Permission:
    """Something a role can allow: ``<module>.<resource>.<action>`` and the message key of its description.

    Every role has what ``is_basic``. What ``is_global`` concerns the whole installation: of the admins only those who
    are on all platforms can have it.
    """

    code: str
    label_key: str
    area: Literal["admin", "vendor"] = "vendor"
    is_basic: bool = False
    is_global: bool = False


@dataclass(frozen=True)
class Hooks:
    """Import paths of functions called in a module's life; each takes a session, ``health_check`` takes none."""

    on_enable: str | None = None
    on_disable: str | None = None
    on_startup: str | None = None
    health_check: str | None = None


@dataclass
class ModuleDefinition:
    """The manifest of a module.

    ``requires`` is the one truth for boot order, enabling, migrations, docs and the import linter.
    ``tasks_path`` is the package of its task files; ``task_queues`` maps task globs to queues.
    ``public_ids`` maps the names that ids have in paths and task arguments (``product_id``) to the prefix of their
    public form and the table they are keys of (``("prd", "products")``).
    ``handlers`` maps wire names of events to the functions that take them; ``providers`` maps provider points
    (owned by the asking module) to implementations.
    """

    code: str
    name: str
    module_class: ModuleClass
    version: str = "0.1.0"
    description: str = ""
    requires: tuple[str, ...] = ()
    features: tuple[Feature, ...] = ()
    permissions: tuple[Permission, ...] = ()
    pages: tuple[PageDef, ...] = ()
    routes: tuple[str, ...] = ()
    tasks_path: str | None = None
    scheduled_tasks: list[ScheduledTask] = field(default_factory=list)
    task_queues: Mapping[str, str] = field(default_factory=dict)
    public_ids: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    publishes: tuple[str, ...] = ()
    handlers: Mapping[str, str] = field(default_factory=dict)
    providers: Mapping[str, str] = field(default_factory=dict)
    commands: str | None = None
    hooks: Hooks = field(default_factory=Hooks)
    is_foundation: bool = False  # every other module stands on it without naming it
    package: str = ""

    def __post_init__(self) -> None:
        if not self.package:
            self.package = f"app.modules.{self.code.replace('-', '_')}"

    @property
    def folder(self) -> Path:
        """The module's folder on disk."""
        spec = find_spec(self.package)
        assert spec is not None
        assert spec.submodule_search_locations
        return Path(next(iter(spec.submodule_search_locations)))


def load(path: str) -> Any:
    """The object behind an import path ``"package.module:attribute"``."""
    module_name, _, attribute = path.partition(":")
    return getattr(import_module(module_name), attribute)
