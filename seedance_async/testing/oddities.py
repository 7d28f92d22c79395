"""What faults of the stage `change` make of a task and of an answer."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, cast

from attrs import evolve

from seedance_async.testing.answers import Answer
from seedance_async.testing.faults import Strike
from seedance_async.testing.orders import OrderReader
from seedance_async.testing.tasks import Twist


def odd_task(strike: Strike) -> Twist:
    """Return what is odd about the task that this request makes."""
    hidden, lingering = strike.find("late-visibility"), strike.find("slots-freed-late")
    drift, size = strike.find("credits-drift"), strike.find("size-drift")
    width, _, height = size.meaning.partition("x") if size is not None else ("", "", "")
    return Twist(
        visible_after=0.0 if hidden is None else hidden.lasting,
        slot_lingers=0.0 if lingering is None else lingering.lasting,
        credits_factor=Decimal(1) if drift is None else Decimal(drift.meaning),
        noise=strike.find("credits-noise") is not None,
        size=(int(width), int(height)) if width else None,
    )


def odd_reader(reader: OrderReader, strike: Strike) -> OrderReader:
    """Return how this create request is understood."""
    fault = strike.find("duration-type")
    if fault is None:
        return reader
    return evolve(reader, duration="string" if fault.meaning == "string" else "integer")


def odd_record(answer: Answer, strike: Strike) -> Answer:
    """Return what `recordInfo` says instead."""
    if answer.status != 200 or not strike.at("change"):
        return answer
    body = dict(answer.body)
    unknown = strike.find("unknown-status")
    if unknown is not None and body["status"] in {"waiting", "generating"}:
        body["status"] = unknown.meaning
    if strike.find("string-error") is not None and body["error"] is not None:
        body["error"] = _text(body["error"])
    if strike.find("older-answer") is not None:
        body = _older(body)
    return Answer(200, body)


def _older(body: dict[str, Any]) -> dict[str, Any]:
    """Return a record with the fields of older days: no media type, seed or picture; a failure is its text."""
    if body["status"] == "fail":
        return {"taskId": body["taskId"], "status": "fail", "error": _text(body["error"])}
    if not body["output"]:
        return body
    items = cast("list[dict[str, Any]]", body["output"])
    return {**body, "output": [{name: item[name] for name in ("url", "width", "height")} for item in items]}


def _text(error: object) -> str:
    if isinstance(error, Mapping):
        return str(cast("Mapping[str, Any]", error)["message"])
    return str(error)
