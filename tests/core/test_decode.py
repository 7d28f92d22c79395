"""Records are read tolerantly: what is odd is kept, or is no answer, and is never an exception."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedance_async.core.decode import decode_credits, decode_record, decode_task_id
from seedance_async.core.results import Output, TaskFault, TaskSnapshot, result_of

SIGNATURE = "planted-signature-7d1c"
URL = f"https://files.example/clip.mp4?X-Amz-Signature={SIGNATURE}"

#: What `json.loads` may return, NaN and infinities included.
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
FIELDS = [
    "taskId", "model", "status", "state", "creditsUsed", "output", "error", "createTime", "completeTime", "url",
    "width", "height", "mediaType", "seed", "lastFrameImage", "code", "message",
]  # fmt: skip
recordlike = st.dictionaries(st.sampled_from(FIELDS), json_values, max_size=len(FIELDS))
records = recordlike | st.fixed_dictionaries(
    {"status": st.sampled_from(["success", "fail", "waiting", "other"])},
    optional={
        "output": st.lists(json_values | recordlike, max_size=2),
        "error": json_values | recordlike,
        "creditsUsed": json_values,
        "createTime": json_values,
        "completeTime": json_values,
        "model": json_values,
    },
)


def decoded(**fields: Any) -> TaskSnapshot:
    """The snapshot of a record with these fields."""
    snapshot = decode_record({"taskId": "task_1", "status": "waiting", **fields}, "task_1")
    assert snapshot is not None
    return snapshot


@pytest.mark.parametrize("status", ["queued", "processing", "SUCCESS", "failed", "cancelled", "läuft"])
def test_unknown_statuses_are_kept(status: str) -> None:
    """A word that nobody has documented is kept and means that the task runs."""
    snapshot = decoded(status=status)
    assert snapshot.status == status
    assert not snapshot.terminal


def test_unknown_fields_are_kept() -> None:
    """What this version does not know is in `raw`."""
    assert decoded(queuePosition={"a": 1}).raw["queuePosition"] == {"a": 1}


@pytest.mark.parametrize(
    ("error", "fault"),
    [
        ({"code": "1001", "message": "No."}, TaskFault("1001", "No.")),
        ({"code": 1001, "message": "No."}, TaskFault("1001", "No.")),
        ({"code": None, "message": "No."}, TaskFault(None, "No.")),
        ({"message": "No."}, TaskFault(None, "No.")),
        ({"code": "1001"}, TaskFault("1001", "the service gave no reason")),
        ({"code": "1001", "message": ""}, TaskFault("1001", "the service gave no reason")),
        ({"code": "1001", "message": {"en": "No."}}, TaskFault("1001", "the service gave no reason")),
        ("No.", TaskFault(None, "No.")),
        (None, TaskFault(None, "the service gave no reason")),
        (17, TaskFault(None, "the service gave no reason")),
    ],
)
def test_forms_of_an_error(error: object, fault: TaskFault) -> None:
    """The error of a failed task is an object, or a plain string, or anything."""
    assert decoded(status="fail", error=error).error == fault


def test_only_a_failed_task_has_an_error() -> None:
    """What stands in `error` of a task that runs is no failure."""
    assert decoded(status="generating", error="retrying").error is None


def test_outputs_as_strings() -> None:
    """A file may be a plain URL; what is no file is left out."""
    outputs = decoded(status="success", output=["", URL, None, 5, {"width": 3}, {"url": ""}, {"url": URL}]).outputs
    assert outputs == (Output(URL), Output(URL))


def test_odd_numbers_of_an_output() -> None:
    """What is no whole number is none."""
    item = {"url": URL, "width": "1280", "height": 720.0, "seed": True, "mediaType": 5, "lastFrameImage": ""}
    assert decoded(status="success", output=[item]).outputs == (Output(URL),)


@pytest.mark.parametrize(
    "body",
    [
        None,
        "success",
        [],
        [{"taskId": "task_1", "status": "success"}],
        {},
        {"taskId": "task_1"},
        {"taskId": "task_1", "status": ""},
        {"taskId": "task_1", "status": 200},
        {"taskId": "task_1", "status": None},
        {"taskId": "task_2", "status": "waiting"},
    ],
)
def test_what_is_no_record(body: object) -> None:
    """A body without a status, or about another task, says nothing."""
    assert decode_record(body, "task_1") is None


@pytest.mark.parametrize("output", [None, [], {}, "", [None], [{"width": 1280}], URL])
def test_success_without_a_file(output: object) -> None:
    """A success without a file is no answer: the file is what was paid for."""
    assert decode_record({"taskId": "task_1", "status": "success", "output": output}, "task_1") is None


def test_record_without_an_id() -> None:
    """An older answer leaves the id out; it is of the task that was asked for."""
    snapshot = decode_record({"status": "waiting"}, "task_1")
    assert snapshot is not None
    assert snapshot.task_id == "task_1"


@given(json_values | records)
def test_any_body_is_decoded_or_refused(body: object) -> None:
    """Whatever a body is, it is a snapshot or nothing, and a successful one makes a result."""
    snapshot = decode_record(body, "task_1")
    if snapshot is not None:
        assert snapshot.task_id == "task_1"
        assert snapshot.credits_used is None or snapshot.credits_used.is_finite()
        assert (snapshot.error is not None) == (snapshot.status == "fail")
        if snapshot.status == "success":
            assert result_of(snapshot).url


@given(json_values)
def test_any_create_answer(body: object) -> None:
    """Whatever a create's answer is, it has an id or none."""
    assert decode_task_id(body) is None


@pytest.mark.parametrize(
    "task_id", ["task_d5ibgnwdlw8fe3zpptx9mp0f", "demo_task_t2v_success", "x", "é:1-a.b_c", "a" * 255]
)
def test_ids_are_opaque(task_id: str) -> None:
    """An id is any printable word."""
    assert decode_task_id({"taskId": task_id, "more": 1}) == task_id


@pytest.mark.parametrize(
    "task_id", ["", " ", "a b", "a\n", "a\x00", "a" * 256, 17, None, True, ["task_1"], {"id": "x"}]
)
def test_what_is_no_id(task_id: object) -> None:
    """What is no printable word is no id, so the create's outcome is unknown and not a task of that name."""
    assert decode_task_id({"taskId": task_id}) is None


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (200, "200"),
        (200.0, "200"),
        (2.17, "2.17"),
        (99.80000000000001, "99.8"),
        (0.1 + 0.2, "0.3"),
        (0, "0"),
        ("12.5", "12.5"),
        (Decimal("85.68"), "85.68"),
        (1_000_000, "1000000"),
    ],
)
def test_credits_are_exact(value: object, text: str) -> None:
    """Credits have no float noise and read as people write them."""
    assert str(decode_credits(value)) == text


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        False,
        "",
        "many",
        [],
        {},
        float("nan"),
        float("inf"),
        float("-inf"),
        "NaN",
        "sNaN",
        "Infinity",
        1e40,
        -1,
        -0.5,
        "-100",
    ],
)
def test_what_is_no_amount(value: object) -> None:
    """What is no finite number of credits from 0 on is none: a budget counts with what comes out here."""
    assert decode_credits(value) is None


@given(st.decimals(min_value=0, max_value=10**9, places=4))
def test_credits_survive_json(amount: Decimal) -> None:
    """An amount that goes through a float comes out as it was."""
    assert decode_credits(float(amount)) == amount


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        (0, datetime(1970, 1, 1, tzinfo=UTC)),
        (1789985778346, datetime(2026, 9, 21, 10, 16, 18, 346000, UTC)),
        (1789985778346.0, datetime(2026, 9, 21, 10, 16, 18, 346000, UTC)),
        (None, None),
        (True, None),
        ("1789985778346", None),
        (10**400, None),
        (float("nan"), None),
        (float("inf"), None),
    ],
)
def test_moments(value: object, moment: datetime | None) -> None:
    """Times are Unix milliseconds in UTC; anything else is none."""
    assert decoded(createTime=value, completeTime=value).created_at == moment
    assert decoded(createTime=value, completeTime=value).completed_at == moment


def test_signed_links_are_not_shown() -> None:
    """The query of a file's link is in no repr, and in the field for those who fetch it."""
    item = {"url": URL, "lastFrameImage": URL}
    snapshot = decoded(status="success", output=[item])
    result = result_of(snapshot)
    assert result.url == URL
    assert result.outputs[0].last_frame_url == URL
    for shown in (repr(snapshot), repr(result), str(result), repr(result.outputs), f"{snapshot}"):
        assert "files.example" in shown
        assert SIGNATURE not in shown
