"""When a part may be continued, and what answers of a file host mean."""

import json
from collections.abc import Mapping

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from seedance_async.core.ranges import (
    Expired,
    GiveUp,
    Moved,
    PartRecord,
    Rest,
    Resume,
    StartAgain,
    TryLater,
    Whole,
    judge,
    read_record,
    record_text,
    request_headers,
    resume_point,
    strong_etag,
)

URL = "https://files.example/a.mp4?[redacted]"
RECORD = PartRecord("task_1", URL, '"v1"', 2000, 1500)
RESUME = Resume(1500, '"v1"', 2000)
GOOD = {"ETag": '"v1"', "Content-Range": "bytes 1500-1999/2000", "Content-Length": "500", "Content-Type": "video/mp4"}


def test_records_survive_writing() -> None:
    """A record reads back as it was written."""
    assert read_record(record_text(RECORD)) == RECORD
    empty = PartRecord("task_1", "", None, None)
    assert read_record(record_text(empty)) == empty


@given(
    st.text()
    | st.recursive(st.none() | st.integers() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)).map(
        json.dumps
    )
)
def test_anything_else_is_no_record(text: str) -> None:
    """What is not a record is none, and no exception."""
    assert read_record(text) is None


def test_a_weak_etag_in_a_record_counts_for_nothing() -> None:
    """A record that somebody edited cannot make a weak ETag strong."""
    record = read_record(record_text(evolve(RECORD, etag='W/"v1"')))
    assert record is not None
    assert record.etag is None


def test_part_is_continued() -> None:
    """A part goes on where it is known to be on the disk."""
    assert resume_point(RECORD, size=1700, task_id="task_1", url=URL) == RESUME


def test_whole_part_asks_for_its_last_byte() -> None:
    """A part that is whole is proved with its last byte."""
    record = evolve(RECORD, saved=2000)
    assert resume_point(record, size=2000, task_id="task_1", url=URL) == Resume(1999, '"v1"', 2000)


@pytest.mark.parametrize(
    "record",
    [
        None,
        evolve(RECORD, task_id="task_2"),
        evolve(RECORD, url="https://files.example/b.mp4?[redacted]"),
        evolve(RECORD, url="https://other.example/a.mp4?[redacted]"),
        evolve(RECORD, etag=None),
        evolve(RECORD, total=None),
        evolve(RECORD, total=1400),
        evolve(RECORD, total=1, saved=1),
        evolve(RECORD, saved=0),
        evolve(RECORD, saved=1701),
    ],
)
def test_part_is_not_continued(record: PartRecord | None) -> None:
    """Another task, another link, no strong ETag, no total, or bytes that are not there: start again."""
    assert resume_point(record, size=1700, task_id="task_1", url=URL) is None


def test_request_headers() -> None:
    """A rest is asked for under the condition that the version is the same; never compressed."""
    assert request_headers(None) == {"Accept": "*/*", "Accept-Encoding": "identity"}
    assert request_headers(RESUME) == {
        "Accept": "*/*",
        "Accept-Encoding": "identity",
        "Range": "bytes=1500-",
        "If-Range": '"v1"',
    }


def test_the_rest() -> None:
    """A 206 that proves to be the rest of the same version is used, with and without a Content-Length."""
    assert judge(206, GOOD, RESUME) == Rest(RESUME, "video/mp4")
    assert isinstance(judge(206, {**GOOD, "Content-Encoding": "identity"}, RESUME), Rest)
    del (bare := dict(GOOD))["Content-Length"]
    assert isinstance(judge(206, bare, RESUME), Rest)


@pytest.mark.parametrize(
    "change",
    [
        {"ETag": '"v2"'},
        {"ETag": 'W/"v1"'},
        {"ETag": ""},
        {"Content-Range": ""},
        {"Content-Range": "bytes 1500-1999/*"},
        {"Content-Range": "bytes */2000"},
        {"Content-Range": "bytes 1499-1999/2000"},
        {"Content-Range": "bytes 1500-1998/2000"},
        {"Content-Range": "bytes 1500-1999/2001"},
        {"Content-Range": "items 1500-1999/2000"},
        {"Content-Range": "bytes 1500-1999/2000, bytes 0-1/2000"},
        {"Content-Length": "499"},
        {"Content-Encoding": "gzip"},
    ],
)
def test_not_the_rest(change: Mapping[str, str]) -> None:
    """A 206 that proves less starts again."""
    assert isinstance(judge(206, {**GOOD, **change}, RESUME), StartAgain)


@given(
    st.dictionaries(st.sampled_from(["ETag", "Content-Range", "Content-Length"]), st.text(max_size=30)),
    st.sampled_from([200, 206, 416]),
)
def test_a_rest_is_never_taken_by_chance(headers: dict[str, str], status: int) -> None:
    """Whatever a host sends, only the exact ETag and range make a rest."""
    if isinstance(judge(status, headers, RESUME), Rest):
        assert headers["ETag"] == '"v1"'
        assert headers["Content-Range"].strip() == "bytes 1500-1999/2000"


def test_the_whole() -> None:
    """A 200 is the whole file, asked for or not."""
    headers = {"Content-Length": "10", "ETag": '"v1"', "Content-Type": "video/mp4; x=y"}
    assert judge(200, headers, None) == Whole(10, '"v1"', "video/mp4")
    assert judge(200, headers, RESUME) == Whole(10, '"v1"', "video/mp4")
    assert judge(200, {"Transfer-Encoding": "chunked"}, None) == Whole(None, None, None)
    assert judge(200, {"Content-Length": "10", "ETag": 'W/"v1"'}, None) == Whole(10, None, None)


@pytest.mark.parametrize(
    ("headers", "kind"),
    [
        ({}, GiveUp),
        ({"Content-Length": "10", "Content-Encoding": "br"}, GiveUp),
        ({"Content-Length": "0"}, TryLater),
        ({"Content-Length": "-1"}, TryLater),
        ({"Content-Length": "²"}, TryLater),
        ({"Content-Length": "10", "Content-Type": "TEXT/HTML; charset=x"}, TryLater),
        ({"Content-Length": "10", "Content-Type": "application/json"}, TryLater),
    ],
)
def test_not_the_whole(headers: Mapping[str, str], kind: type) -> None:
    """No length, no bytes, other bytes than the file's: nothing to save."""
    assert isinstance(judge(200, headers, None), kind)


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        (301, Moved("/x")),
        (302, Moved("/x")),
        (303, Moved("/x")),
        (307, Moved("/x")),
        (308, Moved("/x")),
        (400, Expired(400)),
        (401, Expired(401)),
        (403, Expired(403)),
        (404, Expired(404)),
        (410, Expired(410)),
        (408, TryLater("the host answered HTTP 408", "7")),
        (429, TryLater("the host answered HTTP 429", "7")),
        (500, TryLater("the host answered HTTP 500", "7")),
        (524, TryLater("the host answered HTTP 524", "7")),
        (304, GiveUp("the host answered HTTP 304")),
        (405, GiveUp("the host answered HTTP 405")),
        (416, GiveUp("the host answered HTTP 416")),
        (204, GiveUp("the host answered HTTP 204")),
    ],
)
def test_other_statuses(status: int, verdict: object) -> None:
    """The status decides about everything else."""
    assert judge(status, {"Location": "/x", "Retry-After": "7"}, None) == verdict


def test_range_beyond_the_end() -> None:
    """416 to a rest means that the file is another one."""
    assert isinstance(judge(416, {}, RESUME), StartAgain)
    assert isinstance(judge(206, GOOD, None), TryLater)


@pytest.mark.parametrize(
    ("value", "strong"),
    [
        ('"a"', True),
        ('W/"a"', False),
        ('w/"a"', False),
        ("a", False),
        ('""', False),
        ('"a', False),
        ('"a"b"', False),
        ('"a b"', False),
        (None, False),
    ],
)
def test_strong_etag(value: str | None, strong: bool) -> None:
    """Only a well-formed strong ETag proves that bytes are the same."""
    assert strong_etag(value) == (value if strong else None)
