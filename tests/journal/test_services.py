"""A journal belongs to the service that its jobs were sent to: another one would call their tasks gone (P3)."""

from pathlib import Path

import pytest

from seedance_async.core.record import JobRecord
from seedance_async.errors import JournalError
from seedance_async.journal import SqliteJournal, foreign_service, read_journal
from seedance_async.journal.services import service_name
from tests.core.record_histories import queued, running

KINOVI = "https://kinovi.ai/api/v1"


@pytest.mark.parametrize(
    ("url", "name"),
    [
        (KINOVI, "kinovi.ai"),
        ("https://KINOVI.ai:443/api/v2/", "kinovi.ai"),
        ("https://gateway.example:8443/secret-path/api/v1", "gateway.example:8443"),
        ("http://127.0.0.1:8080/api/v1", "localhost:8080"),
        ("http://localhost:8080/api/v1", "localhost:8080"),
        ("http://[::1]:8080/api/v1", "localhost:8080"),
        ("http://127.0.0.1/api/v1", "localhost"),
    ],
)
def test_a_service_is_its_host_and_port(url: str, name: str) -> None:
    """Whatever it is called and whichever version of it; nothing of the path, which may be a gateway's secret."""
    assert service_name(url) == name


async def use(path: Path, service: str | None, *records: JobRecord, move_service: bool = False) -> None:
    """Open a journal for a service, write to it and close it."""
    journal = SqliteJournal(path, move_service=move_service)
    if service is not None:
        journal.for_service(service)
    await journal.open()
    if records:
        await journal.write(records)
    await journal.aclose()


async def test_jobs_of_two_services_are_not_mixed(tmp_path: Path) -> None:
    """What was sent to one is not asked of another; the refusal names both and changes nothing."""
    path = tmp_path / "journal.db"
    await use(path, "localhost:8080", running())
    before = path.read_bytes()
    for _ in range(2):
        with pytest.raises(JournalError) as caught:
            await use(path, "kinovi.ai")
        for words in ("sent to localhost:8080", "talks to kinovi.ai", "base_url", "move_service=True"):
            assert words in str(caught.value)
    assert path.read_bytes() == before
    await use(path, "localhost:8080")
    assert read_journal(path) == (running(),)


async def test_a_service_may_get_another_name(tmp_path: Path) -> None:
    """Whoever says that both are the same is believed, once: from then on the journal is of the new one."""
    path = tmp_path / "journal.db"
    await use(path, "kinovi.ai", running())
    await use(path, "api.kinovi.ai", move_service=True)
    await use(path, "api.kinovi.ai")
    with pytest.raises(JournalError, match=r"sent to api\.kinovi\.ai"):
        await use(path, "kinovi.ai")


async def test_what_was_never_sent_belongs_to_nobody(tmp_path: Path) -> None:
    """A plan that was written down beside an emulator may be sent to the service."""
    path = tmp_path / "journal.db"
    await use(path, "localhost:8080", queued())
    await use(path, "kinovi.ai")


async def test_a_journal_without_the_note_is_usable(tmp_path: Path) -> None:
    """One of an earlier release, or one that no session has used: it belongs to the next service that uses it."""
    path = tmp_path / "journal.db"
    await use(path, None, running())
    await use(path, None)
    assert foreign_service(path, KINOVI) is None
    await use(path, "kinovi.ai")
    assert foreign_service(path, KINOVI) is None
    assert foreign_service(path, "http://127.0.0.1:8080/api/v1") == "kinovi.ai"
    with pytest.raises(JournalError, match=r"sent to kinovi\.ai"):
        await use(path, "localhost:8080")
