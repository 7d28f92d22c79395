"""The emulator says what the literal bodies of the contract say."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from seedance_async.core.catalogue import Catalogue
from seedance_async.testing import Accepted, FixedDurations, OrderReader, Twist, World
from seedance_async.testing import answers as said
from seedance_async.testing.answers import Answer
from seedance_async.testing.tasks import webhook

BODIES = Path(__file__).parents[1] / "contract"
KEY = "test-key"
#: World time 0 and the end of the contract's own example.
CREATED, COMPLETED = 1789985778.346, 1789985975.235


def literal(name: str) -> Any:
    return json.loads((BODIES / f"{name}.json").read_text(encoding="utf-8"))


def world(**options: Any) -> World:
    durations = FixedDurations(COMPLETED - CREATED)
    reader = OrderReader(catalogue=Catalogue.LATEST)
    return World(**{"durations": durations, "epoch": CREATED, "read": reader, **options})


def accept(here: World, prompt: str = "a lake", model: str = "seedance-20", **twist: Any) -> Accepted:
    body = {"model": model, "inputs": {"prompt": prompt, "outputResolution": "720p"}}
    found = here.create(body, key=KEY, now=0.0, twist=Twist(**twist))
    assert isinstance(found, Accepted)
    return found


def same_shape(ours: Any, theirs: Any) -> bool:
    """Whether the keys are the same, in the same order, and the values of the same types."""
    if isinstance(theirs, dict):
        return list(ours) == list(theirs) and all(same_shape(ours[name], theirs[name]) for name in theirs)
    if isinstance(theirs, list):
        return len(ours) == len(theirs) and all(map(same_shape, ours, theirs))
    return type(ours) is type(theirs)


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("400_invalid_request", said.INVALID_REQUEST),
        ("400_unknown_model", said.UNKNOWN_MODEL),
        ("400_missing_task_id", said.MISSING_TASK_ID),
        ("400_invalid_task_id", said.INVALID_TASK_ID),
        ("401_missing_header", said.MISSING_HEADER),
        ("401_invalid_key", said.INVALID_KEY),
        ("401_inactive", said.INACTIVE_KEY),
        ("401_expired", said.EXPIRED_KEY),
        ("402_insufficient_credits", said.insufficient_credits(Decimal(200), Decimal(10))),
        ("403_not_enabled", said.NOT_ENABLED),
        ("403_access_denied", said.ACCESS_DENIED),
        ("404_task_not_found", said.TASK_NOT_FOUND),
        ("429_concurrency", said.over_the_limit(3, 3)),
        ("500_internal", said.INTERNAL_ERROR),
    ],
)
def test_an_error_is_the_literal_one(name: str, answer: Answer) -> None:
    """Body and status."""
    assert json.loads(said.encode(answer.body)) == literal(name)
    assert answer.status == int(name.partition("_")[0])


def test_the_page_of_the_proxy_is_the_literal_one() -> None:
    """It is no JSON."""
    assert (BODIES / "502_cloudflare.html").read_text(encoding="utf-8").strip() == said.CLOUDFLARE_502.strip()


def test_refused_inputs_are_the_literal_issues() -> None:
    """For a range, and for a closed list of a model with these two resolutions."""
    here = world()
    inputs: dict[str, Any] = {"prompt": "a lake", "duration": 16}
    refused = here.create({"model": "seedance-20", "inputs": inputs}, key=KEY, now=0.0)
    assert isinstance(refused, Answer)
    assert refused.body == literal("400_invalid_inputs")
    spec = Catalogue.LATEST.model("seedance-20")
    own = Catalogue.LATEST.with_model(evolve(spec, limits=evolve(spec.limits, resolutions=("720p", "1080p"))))
    inputs = {"prompt": "a lake", "outputResolution": "480p"}
    read = OrderReader(catalogue=own)({"model": "seedance-20", "inputs": inputs})
    assert isinstance(read, Answer)
    assert read.body == literal("400_invalid_enum")


def test_a_create_says_the_id_and_nothing_else() -> None:
    """Of the length and alphabet that have been seen."""
    ours = dict(accept(world()).answer.body)
    theirs = literal("create_200")
    assert same_shape(ours, theirs)
    assert len(ours["taskId"]) == len(theirs["taskId"])


@pytest.mark.parametrize(
    ("name", "prompt", "now"),
    [
        ("record_waiting", "a lake", 1.0),
        ("record_generating", "a lake", 100.0),
        ("record_success", "a lake", 200.0),
        ("record_fail", "[fail:moderation]", 200.0),
    ],
)
def test_a_record_is_the_literal_one(name: str, prompt: str, now: float) -> None:
    """Everything but the id, the seed and the links."""
    here, theirs = world(), literal(name)
    task = accept(here, prompt).task
    ours = json.loads(said.encode(here.record_info(task.task_id, key=KEY, now=now).body))
    assert same_shape(ours, theirs)
    chance = {"taskId": None, "output": None}
    assert ours | chance == theirs | chance


def test_credits_carry_the_literal_noise() -> None:
    """99.8 is written as the next number that a binary fraction can hold."""
    here = world()
    task = accept(here, credits_factor=Decimal("0.499"), noise=True).task
    record = here.record_info(task.task_id, key=KEY, now=0.0).body
    assert record["creditsUsed"] == literal("record_success_fractional_credits")["creditsUsed"]


@pytest.mark.parametrize(
    ("name", "prompt", "form"),
    [
        ("webhook_success_status", "a lake", "status"),
        ("webhook_success_state", "a lake", "state"),
        ("webhook_fail_state", "[fail:moderation]", "state"),
    ],
)
def test_a_webhook_has_the_literal_form(name: str, prompt: str, form: Any) -> None:
    """The same keys in the envelope and in the data; only the older example's output has fewer fields."""
    here, theirs = world(), literal(name)
    task = accept(here, prompt).task
    ours = webhook(here.record(task, 200.0), form)
    assert set(ours) == set(theirs)
    assert set(ours["data"]) == set(theirs["data"])
    assert (ours["code"], ours["message"]) == (theirs["code"], theirs["message"])
    assert ours["data"].get(form) == theirs["data"].get(form)
