"""What a session knows of local files: a file whose place, size and date it has seen is not read again."""

from collections import OrderedDict
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any, Final

from attrs import define, evolve, field

from seedance_async.contents import ContentError, digest, look
from seedance_async.core.media_types import FileFacts, Look, Material
from seedance_async.core.record_inputs import recorded_files
from seedance_async.core.request import Request

#: Files that are remembered; a name and a digest each.
_MOST: Final = 10_000

_Identity = tuple[str, int, int]


@define(eq=False)
class Library:
    """The local files of one session."""

    _known: OrderedDict[_Identity, str] = field(init=False, factory=OrderedDict[_Identity, str])

    def look(self, path: PurePath) -> FileFacts | str:
        """Look at a file, see `contents.look`; the digest of its content is there if it was read before."""
        facts = look(path)
        return facts if isinstance(facts, str) else self._with_digest(facts)

    def look_again(self, written: Mapping[str, Any]) -> Look:
        """Return what looks at the files of inputs that were written down: each must still be what it was."""
        recorded = {str(PurePath(file.path)): file for file in recorded_files(written)}

        def look_at(path: PurePath) -> FileFacts | str:
            facts, then = self.look(path), recorded.get(str(path))
            if isinstance(facts, str) or then is None:
                return facts
            same_date = facts.changed_ns == then.changed_ns
            if facts.size != then.size or (then.sha256 is None and not same_date):
                return CHANGED_SINCE
            if None not in {facts.sha256, then.sha256} and facts.sha256 != then.sha256:
                # Read already, for another job.
                return CHANGED_SINCE
            # With another date it may be a copy of the same content: that is told when it is read.
            return evolve(facts, expected=then.sha256)

        return look_at

    def remember(self, written: Mapping[str, Any]) -> None:
        """Take over what a journal knows of the files of inputs that were written down."""
        for file in recorded_files(written):
            if file.sha256 is not None:
                self._learn((file.path, file.size, file.changed_ns), file.sha256)

    def learn(self, material: Material) -> None:
        """Remember a file that was read."""
        facts = material.facts
        if facts.path and facts.sha256 is not None:
            self._learn((facts.path, facts.size, facts.changed_ns), facts.sha256)

    def named(self, request: Request) -> Request:
        """Return a request whose files were all read, now and blocking where they were not.

        Raises:
            ContentError: One of them cannot be read, or is not what it was.
        """
        if request.is_named:
            return request
        return evolve(request, materials=tuple(self._named(material) for material in request.materials))

    def _named(self, material: Material) -> Material:
        if material.sha256 is not None or isinstance(material.content, bytes):
            return material
        facts = self._with_digest(material.facts)
        if facts.sha256 is None:
            facts = evolve(facts, sha256=digest(PurePath(facts.path), facts))
        found = evolve(material, facts=facts)
        self.learn(found)
        return found

    def _with_digest(self, facts: FileFacts) -> FileFacts:
        known = self._known.get((facts.path, facts.size, facts.changed_ns))
        return facts if known is None else evolve(facts, sha256=known)

    def _learn(self, identity: _Identity, sha256: str) -> None:
        self._known[identity] = sha256
        self._known.move_to_end(identity)
        if len(self._known) > _MOST:
            self._known.popitem(last=False)


#: What is wrong with a file that is not the one for which a job was queued.
CHANGED_SINCE: Final = "was changed since the job was queued; give the inputs again"


def looked(path: PurePath) -> FileFacts | str:
    """Look at a file and read all of it; blocks. For what is named before a loop runs, such as the rows of a batch."""
    facts = look(path)
    if isinstance(facts, str) or facts.size == 0:
        return facts
    try:
        return evolve(facts, sha256=digest(path, facts))
    except ContentError as error:
        return str(error)
