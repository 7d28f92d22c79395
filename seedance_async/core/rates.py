"""What one request costs, exactly."""

from decimal import Decimal

from seedance_async.core.inputs import Inputs
from seedance_async.core.spec import ModelSpec


def credits_for(inputs: Inputs, spec: ModelSpec, resolution: str | None = None) -> Decimal | None:
    """Return the credits that are reserved at submit for checked inputs, or None where no price is published.

    Args:
        inputs: Checked inputs.
        spec: The model's facts.
        resolution: The resolution that is sent; by default the inputs' own, or the model's default.
    """
    sent = resolution or inputs.output_resolution or spec.limits.default_resolution
    rate = spec.prices.rates.get(sent)
    if rate is None:
        return None
    per_second = rate.with_video if getattr(inputs, "videos", ()) else rate.plain
    if per_second is None:
        return None
    upscale: str | None = getattr(inputs, "upscale_resolution", None)
    if upscale is not None:
        surcharge = spec.prices.upscale.get(upscale)
        if surcharge is None:
            return None
        per_second += surcharge
    seconds: int | None = spec.prices.reserved_seconds
    if seconds is None:
        seconds = getattr(inputs, "duration", None)
    return None if seconds is None else per_second * seconds


def why_unpriced(inputs: Inputs, spec: ModelSpec, resolution: str) -> str:
    """Say which price is missing where `credits_for` returned None."""
    upscale = getattr(inputs, "upscale_resolution", None)
    rate = spec.prices.rates.get(resolution)
    if rate is not None and upscale is not None and upscale not in spec.prices.upscale:
        return f"no price is known for upscaling {spec.id} to {upscale}"
    with_video = " with a reference video" if getattr(inputs, "videos", ()) else ""
    return f"no price is known for {spec.id} at {resolution}{with_video}"


def settles_later(inputs: Inputs, spec: ModelSpec) -> bool:
    """Tell whether the final price follows the length of a given video and is known only after the end."""
    return spec.prices.settles_with_video and bool(getattr(inputs, "videos", ()))


def credits_text(credits: Decimal, *, grouped: bool = False) -> str:
    """Return credits as people write them: no exponent, no trailing zeros; `grouped` parts thousands by commas."""
    text = format(credits, ",f" if grouped else "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
