"""Read a create request as the emulated service does: by its own rules, from the bytes that arrive."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final, cast
from urllib.parse import urlsplit

from attrs import frozen

from seedance_async.testing import answers
from seedance_async.testing.answers import Answer

_PRICES: Final[Mapping[str, Mapping[str, Decimal]]] = {
    "seedance-20": {"480p": Decimal(15), "720p": Decimal(40), "1080p": Decimal(83), "4k": Decimal(200)},
    "seedance2-fast": {"480p": Decimal(10), "720p": Decimal(28)},
}


@frozen(kw_only=True)
class Order:
    """What a create request asks for, as understood.

    Attributes:
        model: The model's id.
        prompt: The prompt.
        resolution: Such as `"720p"`; the default where none was sent.
        width: Pixels of the video.
        height: Pixels of the video.
        seconds: Length of the video.
        with_video: Whether a reference video was sent, which has a price of its own.
        audio: Whether the video has a sound track.
        container: `"mp4"` or `"mov"`.
        seed: The seed asked for; None lets the service choose.
        callback_url: Where the webhook goes, or None.
        credits: What is reserved.
        settled: What it costs in the end if that is known only after the task.
        doomed: A name of `failures.FAILURES` if the task will fail for what it asks; known after the create.
    """

    model: str
    prompt: str
    resolution: str
    width: int
    height: int
    seconds: int
    with_video: bool
    audio: bool
    container: str
    seed: int | None
    callback_url: str | None
    credits: Decimal
    settled: Decimal | None = None
    doomed: str | None = None


def read_order(body: object) -> Order | Answer:
    """Return the order, or the 400 that refuses it."""
    if not isinstance(body, dict):
        return answers.INVALID_REQUEST
    envelope = cast("dict[str, Any]", body)
    model, inputs, callback = envelope.get("model"), envelope.get("inputs"), envelope.get("callBackUrl")
    if not isinstance(model, str) or not isinstance(inputs, dict):
        return answers.INVALID_REQUEST
    if callback is not None and not (isinstance(callback, str) and urlsplit(callback).scheme in {"http", "https"}):
        return answers.INVALID_REQUEST
    prices = _PRICES.get(model)
    if prices is None:
        return answers.UNKNOWN_MODEL
    fields = cast("dict[str, Any]", inputs)
    resolution = str(fields.get("outputResolution", "720p"))
    seconds = int(fields.get("duration", 5))
    if resolution not in prices or not 4 <= seconds <= 15:
        return answers.invalid_inputs([{"code": "custom", "message": "Invalid", "path": ["duration"]}])
    return Order(
        model=model,
        prompt=str(fields.get("prompt", "")),
        resolution=resolution,
        width=1280,
        height=720,
        seconds=seconds,
        with_video=bool(fields.get("videoUrls")),
        audio=fields.get("generate_audio") is not False,
        container="mp4",
        seed=None,
        callback_url=callback,
        credits=prices[resolution] * seconds,
    )
