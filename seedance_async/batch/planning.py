"""From rows to a plan, with the local files that they name looked at and read."""

from collections.abc import Iterable, Mapping
from pathlib import PurePath

from attrs import evolve

from seedance_async.contents import ContentError, digest
from seedance_async.contents import look as look_at
from seedance_async.core import plan
from seedance_async.core.catalogue import Catalogue
from seedance_async.core.inputs import place_of
from seedance_async.core.media_types import FileFacts, Material
from seedance_async.core.names import shown
from seedance_async.core.plan import Plan
from seedance_async.core.request import Request
from seedance_async.core.rows import RowSource
from seedance_async.errors import InputError, Problem
from seedance_async.library import CHANGED_SINCE, looked


def make_plan(
    source: RowSource,
    *,
    defaults: Mapping[str, object],
    catalogue: Catalogue,
    name_pattern: str | None = None,
    count: int = 1,
) -> Plan:
    """Check every row and decide its key, its file and its price; see `core.plan.make_plan`.

    Blocks: local files among the media are read, each once, because a row is named by what they hold.

    Raises:
        InputError: With every problem of every row, files that are not there included.
    """
    seen: dict[PurePath, FileFacts | str] = {}

    def look(path: PurePath) -> FileFacts | str:
        if path not in seen:
            seen[path] = looked(path)
        return seen[path]

    return plan.make_plan(
        source, defaults=defaults, catalogue=catalogue, name_pattern=name_pattern, count=count, look=look
    )


def changed_files(requests: Iterable[Request]) -> list[InputError | None]:
    """Say of each request whether its local files are still what they were when it was planned. Blocks.

    A file with another date is read: it may be a copy.
    """
    seen: dict[tuple[str, str | None], str | None] = {}
    return [_changed(request, seen) for request in requests]


def _changed(request: Request, seen: dict[tuple[str, str | None], str | None]) -> InputError | None:
    problems: list[Problem] = []
    for material in request.materials:
        identity = material.facts.path, material.sha256
        if identity not in seen:
            seen[identity] = _trouble(material)
        trouble = seen[identity]
        if trouble is not None:
            problems.append(Problem(place_of(request.inputs, material.content), trouble, shown(material.content)))
    return InputError(problems) if problems else None


def _trouble(material: Material) -> str | None:
    then = material.facts
    now = look_at(PurePath(then.path))
    if isinstance(now, str):
        return now
    if now.size != then.size:
        return CHANGED_SINCE
    if now.changed_ns == then.changed_ns:
        return None
    try:
        same = then.sha256 == digest(PurePath(then.path), evolve(now, sha256=None))
    except ContentError as error:
        return str(error)
    return None if same else CHANGED_SINCE
