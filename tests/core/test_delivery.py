"""What comes to a callback URL is read or refused, and never anything else."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from seedance_async.core.delivery import MAX_BODY, Delivery, parse_delivery
from seedance_async.errors import DeliveryError

CONTRACT = Path(__file__).parents[1] / "contract"
JSON = {"Content-Type": "application/json"}


def read(body: object, headers: Mapping[str, str] = JSON) -> Delivery:
    """Read what JSON makes of a body."""
    return parse_delivery(json.dumps(body).encode(), headers)


def refused(raw: Any, headers: Mapping[str, str] = JSON) -> str:
    """Return why something is no delivery."""
    with pytest.raises(DeliveryError) as caught:
        parse_delivery(raw, headers)
    return str(caught.value)


def body(**data: object) -> bytes:
    """A delivery with these fields."""
    return json.dumps({"data": {"taskId": "task_1", "status": "success", **data}}).encode()


@pytest.mark.parametrize(
    ("file", "task_id", "status"),
    [
        ("webhook_success_status", "task_d5ibgnwdlw8fe3zpptx9mp0f", "success"),
        ("webhook_success_state", "task_clxxxxxx", "success"),
        ("webhook_fail_state", "task_clxxxxxx", "fail"),
    ],
)
def test_both_forms_of_the_contract_are_read(file: str, task_id: str, status: str) -> None:
    """The older form and the newer one, with all their fields in `raw`."""
    raw = (CONTRACT / f"{file}.json").read_bytes()
    delivery = parse_delivery(raw, JSON)
    assert (delivery.task_id, delivery.status, delivery.ended) == (task_id, status, True)
    assert delivery.raw["data"]["model"] == "seedance-20"
    assert delivery.raw["data"]["createTime"] == json.loads(raw)["data"]["createTime"]


def test_a_delivery_is_frozen_and_shows_no_links() -> None:
    """What may be signed is in `raw` alone, which cannot be changed."""
    delivery = read({"data": {"taskId": "task_1", "status": "success", "output": [{"url": "https://x/y?sig=s3cret"}]}})
    assert "s3cret" not in repr(delivery)
    assert "s3cret" not in str(delivery)
    assert repr(delivery) == "Delivery(task_id='task_1', status='success')"
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        delivery.status = "fail"  # type: ignore[misc]
    with pytest.raises(TypeError):
        delivery.raw["data"]["status"] = "fail"
    assert hash(delivery) == hash(read({"data": {"taskId": "task_1", "status": "success"}}))


@pytest.mark.parametrize("given", ['{"data": {}}', {"data": {"taskId": "task_1"}}, None, bytearray(b"{}"), 1])
def test_only_bytes_are_taken(given: object) -> None:
    """A string or a decoded body is refused, and the message says what to give."""
    assert "bytes of the request's body" in refused(given)


def test_unknown_fields_are_tolerated() -> None:
    """Fields that nobody knows, in the envelope, the record and below; an odd envelope, too."""
    assert (
        read({"code": "odd", "new": 1, "data": {"taskId": "a", "state": "fail", "more": [{"x": None}]}}).task_id == "a"
    )
    assert (
        read({"data": {"taskId": "a", "status": "rendering", "output": 3, "error": [], "createTime": "?"}}).ended
        is False
    )
    assert read({"data": {"taskId": "a", "status": None, "state": "success"}}).status == "success"
    assert read({"data": {"taskId": "a", "status": "success", "state": "fail"}}).status == "success"


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"", "no JSON"),
        (b"{", "no JSON"),
        (b"\xef\xbb\xbf{}", "no JSON"),
        (b"\xff\xfe{\x00}\x00", "no UTF-8"),
        (b'{"data": {"taskId": "\xc3\x28"}}', "no UTF-8"),
        (b"[]", "no JSON object"),
        (b"null", "no JSON object"),
        (b'"text"', "no JSON object"),
        (b"{}", "no object under"),
        (b'{"data": []}', "no object under"),
        (b'{"data": "task_1"}', "no object under"),
        (b'{"data": {}}', "no task id"),
        (b'{"data": {"taskId": 17, "status": "success"}}', "no task id"),
        (b'{"data": {"taskId": "", "status": "success"}}', "no task id"),
        (b'{"data": {"taskId": "a b", "status": "success"}}', "no task id"),
        (b'{"data": {"taskId": "a\\nb", "status": "success"}}', "no task id"),
        (b'{"data": {"taskId": "a\\u0000b", "status": "success"}}', "no task id"),
        (b'{"data": {"taskId": "\\ud800", "status": "success"}}', "no task id"),
        (b'{"data": {"taskId": "task_1"}}', "no status"),
        (body(status=True), "no status"),
        (body(status=""), "no status"),
        (body(status="success\r\nX: y"), "no status"),
        (body(status="s" * 65), "no status"),
        (body(taskId="t" * 256), "no task id"),
        (b'{"data": {"taskId": "a", "taskId": "b", "status": "success"}}', "twice"),
        (b'{"data": {}, "data": {"taskId": "b", "status": "success"}}', "twice"),
        (b'{"data": {"taskId": "a", "status": "success", "x": NaN}}', "NaN"),
        (b'{"data": {"taskId": "a", "status": "success", "x": -Infinity}}', "NaN"),
        (b'{"data": {"taskId": "a", "status": "success", "x": 1e999}}', "too large"),
        (b'{"data": {"taskId": "a", "status": "success", "x": 1' + b"0" * 5000 + b"}}", "too long"),
        (b'{"data": {"taskId": "a", "status": "success", "x": 0.' + b"1" * 5000 + b"}}", "too long"),
        (b"[" * 60_000, "too deeply"),
        (b'{"a":' * 10_000 + b"1" + b"}" * 10_000, "too deeply"),
        (b'{"x": "' + b"\\" * 40_000 + b"[" * 20_000, "no JSON"),
        (b"[" * 30 + b'"' + b'\\"' * 32_000, "too deeply"),
        (b" " * MAX_BODY + b"{}", "more than 65536 bytes"),
    ],
    ids=lambda value: repr(value)[:60],
)  # fmt: skip
def test_what_is_no_delivery_is_refused(raw: bytes, why: str) -> None:
    """With a sentence that says what is wrong."""
    assert why in refused(raw)


def test_brackets_in_strings_are_no_nesting() -> None:
    """A message full of brackets is read; so is what is as deep as a record may be."""
    assert read({"data": {"taskId": "a", "status": "fail", "error": '"[{' * 100}}).task_id == "a"


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json", "application/json; charset=utf-8", "APPLICATION/JSON;charset=UTF-8", "text/json", "",
        "application/vnd.kinovi+json", "text/plain;charset=utf-8", "application/octet-stream", " application/json ",
    ],
)  # fmt: skip
def test_types_that_may_be_json(content_type: str) -> None:
    """What the service says is not published: whatever a sender of JSON may say is taken, nothing included."""
    assert parse_delivery(body(), {"content-TYPE": content_type}).task_id == "task_1"
    assert parse_delivery(body(), {}).task_id == "task_1"


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"content-type": "multipart/form-data; boundary=x"},
        {"content-type": "text/html"},
        {"content-type": "application/json, text/html"},
        {"content-type": "application/jsonx"},
        {"Content-Encoding": "gzip"},
        {"content-encoding": "identity, br"},
    ],
)
def test_other_types_and_encodings_are_refused(headers: dict[str, str]) -> None:
    """A form is somebody else's, and nothing is ever decompressed."""
    assert refused(body(), headers).startswith(("the body has a content type", "the body is compressed"))


SECRET = "s3cret-\x1b[31m\r\nforged line"


@pytest.mark.parametrize(
    "raw",
    [
        SECRET.encode(),
        json.dumps({SECRET: SECRET}).encode(),
        json.dumps({"data": {"taskId": SECRET, "status": SECRET}}).encode(),
        json.dumps({"data": {"taskId": "a", "status": SECRET}}).encode(),
    ],
)
def test_no_message_repeats_what_was_sent(raw: bytes) -> None:
    """Nobody writes lines into a log, or reads secrets out of it, by way of an error."""
    for text in (
        refused(raw),
        refused(body(), {"content-type": SECRET}),
        refused(body(), {"content-encoding": SECRET}),
    ):
        assert "s3cret" not in text
        assert "\n" not in text
        assert "\x1b" not in text


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=20,
)
records = st.dictionaries(st.sampled_from(["taskId", "status", "state", "output", "error", "x"]), values, max_size=6)
bodies = st.one_of(
    st.binary(max_size=300),
    values.map(lambda value: json.dumps(value).encode()),
    records.map(lambda record: json.dumps({"code": 200, "data": record}).encode()),
    st.builds(lambda start, end: start + end, st.just(body()[:-20]), st.binary(max_size=60)),
)


@given(bodies, st.dictionaries(st.sampled_from(["content-type", "Content-Encoding", "x"]), st.text(max_size=40)))
@example(b'{"data":' * 400, {})
def test_whatever_comes_is_read_or_refused(raw: bytes, headers: dict[str, str]) -> None:
    """Nothing but a `DeliveryError`; what is read has one printable id and status, and repeats to the same."""
    try:
        delivery = parse_delivery(raw, headers)
    except DeliveryError:
        return
    assert delivery.task_id.isprintable()
    assert 0 < len(delivery.task_id) <= 255
    assert 0 < len(delivery.status) <= 64
    assert delivery == parse_delivery(raw, {})
