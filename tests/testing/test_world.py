"""The pure model: slots, money, time and keys of one account."""

from decimal import Decimal
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedance_async.core.catalogue import Catalogue
from seedance_async.testing import (
    DEMO_PREFIX,
    FAILURES,
    Accepted,
    FixedDurations,
    OrderReader,
    Twist,
    World,
    WorldTask,
)
from seedance_async.testing.answers import Answer
from seedance_async.testing.tasks import SAMPLES

KEY = "test-key"


def body(prompt: str = "a lake", **inputs: Any) -> dict[str, Any]:
    return {"model": "seedance-20", "inputs": {"prompt": prompt, "outputResolution": "720p", **inputs}}


def world(**options: Any) -> World:
    return World(**{"durations": FixedDurations(100.0), "rng": Random(1), **options})


def accept(where: World, prompt: str = "a lake", *, now: float = 0.0, twist: Twist | None = None) -> WorldTask:
    found = where.create(body(prompt), key=KEY, now=now, twist=twist or Twist())
    assert isinstance(found, Accepted), found
    return found.task


def refuse(where: World, *, now: float = 0.0, key: str | None = KEY) -> Answer:
    found = where.create(body(), key=key, now=now)
    assert isinstance(found, Answer)
    return found


def record(where: World, task_id: str | None, *, now: float = 0.0, key: str | None = KEY) -> Answer:
    return where.record_info(task_id, key=key, now=now)


def test_a_task_waits_then_generates_then_ends() -> None:
    """The status is a function of time, and the record has the documented fields."""
    here = world(epoch=1000.0)
    task = accept(here)
    assert record(here, task.task_id, now=9.9).body["status"] == "waiting"
    running = record(here, task.task_id, now=10.0).body
    assert (running["status"], running["output"], running["completeTime"]) == ("generating", None, None)
    done = record(here, task.task_id, now=100.0).body
    assert list(done) == [
        "taskId",
        "model",
        "status",
        "creditsUsed",
        "output",
        "error",
        "createTime",
        "completeTime",
    ]
    assert (done["status"], done["error"], done["creditsUsed"]) == ("success", None, 200)
    assert (done["createTime"], done["completeTime"]) == (1_000_000, 1_100_000)
    (output,) = done["output"]
    assert list(output) == ["url", "width", "height", "mediaType", "seed", "lastFrameImage"]
    assert (output["width"], output["height"], output["mediaType"]) == (1280, 720, "video/mp4")


def test_over_the_limit_is_the_literal_429() -> None:
    """Nothing is reserved, and the numbers count foreign tasks."""
    here = world(limit=3, foreign=1)
    accept(here)
    accept(here)
    assert refuse(here).body == {
        "message": "Concurrency limit reached (3). You have 3 tasks in progress. Please wait for them to complete, "
        "or join our Discord for higher limits.",
        "limit": 3,
        "current": 3,
    }
    assert here.money.reserved == 400
    assert here.statistics(0).refusals == 1
    assert isinstance(here.create(body(), key=KEY, now=100.0), Accepted)


def test_the_limit_may_change_while_tasks_run() -> None:
    """A lowered limit stops no task, and a raised one lets the next in at once."""
    here = world(limit=2)
    accept(here)
    accept(here)
    here.limit = 1
    assert refuse(here).body["current"] == 2
    here.limit = 5
    accept(here)


def test_a_failed_task_is_refunded_and_still_shows_its_credits() -> None:
    """`creditsUsed` is the reservation."""
    here = world(credits=500)
    task = accept(here, "[fail:moderation]")
    assert here.money.available == 300
    failed = record(here, task.task_id, now=100.0).body
    assert (failed["status"], failed["creditsUsed"], failed["output"]) == ("fail", 200, None)
    assert failed["error"] == {
        "code": "2038",
        "message": "Your input text violates platform rules. Please modify and try again.",
    }
    assert [here.money.available, here.money.refunded] == [500, 200]


def test_too_few_credits_is_the_literal_402() -> None:
    """The body says what is needed and what is there."""
    here = world(credits=10)
    assert refuse(here) == Answer(402, {"message": "Insufficient credits", "required": 200, "available": 10})


@pytest.mark.parametrize(
    ("key", "status", "message"),
    [
        (None, 401, "Missing Authorization header"),
        ("nonsense", 401, "Invalid API Key"),
        ("inactive", 401, "API Key is inactive"),
        ("expired", 401, "API Key has expired"),
        ("not-enabled", 403, "API access not enabled for this account"),
    ],
)
def test_each_bad_key_has_its_message(key: str | None, status: int, message: str) -> None:
    """On both endpoints, in the documented words."""
    here = world()
    here.keys |= {"inactive": "inactive", "expired": "expired", "not-enabled": "not-enabled"}
    task = accept(here)
    expected = Answer(status, {"message": message})
    assert refuse(here, key=key) == expected
    assert record(here, task.task_id, key=key) == expected


@pytest.mark.parametrize(
    ("task_id", "status", "message"),
    [
        (None, 400, "Missing taskId parameter"),
        ("", 400, "Missing taskId parameter"),
        ("a/b", 400, "Invalid taskId"),
        ("x" * 256, 400, "Invalid taskId"),
        ("task_nobody", 404, "Task not found"),
        ("task_stranger", 403, "Access denied"),
    ],
)
def test_each_bad_task_id_has_its_message(task_id: str | None, status: int, message: str) -> None:
    """In the documented words."""
    here = world()
    here.strangers.add("task_stranger")
    assert record(here, task_id) == Answer(status, {"message": message})


def test_the_demo_key_reads_the_samples_and_nothing_else() -> None:
    """Five sample tasks, two of them finished, and no create."""
    here = world()
    demo = f"{DEMO_PREFIX}1"
    own = accept(here)
    statuses = [record(here, sample, key=demo).body["status"] for sample in SAMPLES]
    assert statuses == ["success", "success", "fail", "fail", "fail"]
    assert record(here, own.task_id, key=demo).status == 403
    assert refuse(here, key=demo).status == 403
    assert record(here, "demo_task_t2v_success").status == 200


@pytest.mark.parametrize("name", FAILURES)
def test_every_documented_failure_can_be_reached_by_a_mark(name: str) -> None:
    """A prompt names a row of the contract's table; the older host's errors are plain strings."""
    here = world()
    failed = record(here, accept(here, f"a lake [fail:{name}]").task_id, now=100.0).body
    failure = FAILURES[name]
    expected = failure.message if failure.code is None else {"code": failure.code, "message": failure.message}
    assert (failed["status"], failed["error"]) == ("fail", expected)


def test_a_mark_can_fail_the_first_tasks_of_a_prompt_only() -> None:
    """The next one of the same prompt succeeds, as after a passing fault of the service."""
    here = world(limit=10)
    fates = [accept(here, "x [fail:server,times=2]").failure for _ in range(3)]
    assert [fate is None for fate in fates] == [False, False, True]


def test_marks_decide_how_long_a_task_takes() -> None:
    """Seconds before the speed factor; a stuck task never ends and keeps its slot."""
    here = world(limit=3, speed=2.0)
    assert accept(here, "[takes:30]").ends_at == 15.0
    assert accept(here, "[waits:20] [takes:30]").generating_at == 10.0
    stuck = accept(here, "[stuck] [takes:nonsense]")
    assert stuck.status(10**9) == "generating"
    assert here.statistics(10**9).in_progress == 1


def test_what_is_odd_about_a_task_shows() -> None:
    """Late visibility, a slot that lingers, another price and size, and noise in the number."""
    here = world(limit=1, credits=10_000)
    twist = Twist(visible_after=5.0, slot_lingers=30.0, credits_factor=Decimal("0.7"), noise=True, size=(1284, 716))
    task = accept(here, twist=twist)
    assert record(here, task.task_id, now=4.9).status == 404
    assert record(here, task.task_id, now=5.0).status == 200
    done = record(here, task.task_id, now=110.0).body
    assert done["creditsUsed"] == pytest.approx(140)
    assert done["creditsUsed"] != 140
    assert (done["output"][0]["width"], done["output"][0]["height"]) == (1284, 716)
    assert refuse(here, now=129.9).status == 429
    accept(here, now=130.0)


def test_a_reference_video_is_settled_some_seconds_after_success() -> None:
    """First the reservation is shown, then what it came to, which is more here."""
    here = world(credits=10_000, read=OrderReader(catalogue=Catalogue.LATEST, source_seconds=20))
    request = {"model": "seedance2-5", "inputs": {"prompt": "x", "videoUrls": ["https://a/b.mp4"], "duration": 10}}
    found = here.create(request, key=KEY, now=0.0)
    assert isinstance(found, Accepted)
    assert record(here, found.task.task_id, now=104.9).body["creditsUsed"] == 350
    assert record(here, found.task.task_id, now=105.0).body["creditsUsed"] == 1050
    assert [here.money.spent, here.money.available] == [1050, 8950]


@given(
    steps=st.lists(
        st.tuples(
            st.sampled_from(["plain", "[fail:server]", "[takes:5]", "[stuck]", "poll"]),
            st.floats(0, 60, allow_nan=False),
        ),
        max_size=40,
    ),
    limit=st.integers(0, 4),
)
def test_slots_and_money_always_add_up(steps: list[tuple[str, float]], limit: int) -> None:
    """Never more tasks than the limit; what was reserved is held, spent or refunded; the rest is available."""
    here, now = world(limit=limit, credits=1500), 0.0
    for prompt, pause in steps:
        now += pause
        if prompt == "poll":
            for task_id in here.tasks:
                assert record(here, task_id, now=now).status == 200
        else:
            here.create(body(prompt), key=KEY, now=now)
        seen, money = here.statistics(now), here.money
        assert seen.in_progress <= seen.peak_in_progress <= limit
        assert seen.in_progress == sum(not task.ended for task in here.tasks.values())
        assert money.reserved == money.held + money.spent + money.refunded == 200 * seen.accepted
        assert money.available == 1500 - money.held - money.spent >= 0
        assert seen.creates == seen.accepted + sum(seen.refused.values())
        assert seen.accepted == len(here.tasks) == seen.in_progress + seen.succeeded + seen.failed


def test_statistics_are_plain_json_and_count_by_prompt_key_and_address() -> None:
    """Refused creates are counted by prompt as well; credits are strings."""
    here = world(limit=1)
    here.create({**body("one"), "callBackUrl": "http://127.0.0.1/a"}, key=KEY, now=0.0)
    here.create(body("one"), key=KEY, now=0.0)
    here.create(None, key=None, now=0.0)
    here.cut_create(body("two"), key=KEY)
    for now in (7.1, 7.2, 7.9, 9.0, 9.9):
        record(here, "task_x", now=now)
    seen = here.statistics(10.0).to_json()
    assert seen["creates_by_prompt"] == {"one": 2, "two": 1}
    assert seen["accepted_by_prompt"] == {"one": 1}
    assert seen["creates_by_key"] == {KEY: 3, "": 1}
    assert seen["creates_by_callback"] == {"http://127.0.0.1/a": 1}
    assert seen["refused"] == {"429": 1, "401": 1}
    assert (seen["creates"], seen["cut"], seen["refusals"], seen["peak_polls"]) == (4, 1, 1, 3)
    assert seen["polls_by_task"] == {"task_x": 5}
    assert seen["credits_reserved"] == "200"
