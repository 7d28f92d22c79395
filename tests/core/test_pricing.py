"""Credits are exact, what is unknown is said, and a budget pays for the first so many requests."""

from decimal import Decimal
from typing import Any

import pytest
from attrs import evolve

from seedance_async.core.catalogue import Catalogue
from seedance_async.core.inputs import (
    ImageToVideo,
    Inputs,
    OmniReference,
    TextToVideo,
    VideoEdit,
    VideoExtend,
)
from seedance_async.core.pricing import credits_for, credits_text, quote
from seedance_async.core.spec import Rate
from seedance_async.errors import InputError

CLASSIC, LATEST = Catalogue.CLASSIC, Catalogue.LATEST
URL = "https://cdn.example/cat.png"
CLIP = "https://cdn.example/cat.mp4"
PRO, FAST, MINI, V25 = "seedance-20", "seedance2-fast", "seedance2.0-mini", "seedance2-5"


def omni(**fields: Any) -> OmniReference:
    return OmniReference("a lake", videos=[CLIP], **fields)


def text(**fields: Any) -> TextToVideo:
    return TextToVideo("a lake", **fields)


@pytest.mark.parametrize(
    ("catalogue", "inputs", "credits"),
    [
        (CLASSIC, text(), "415"),
        (CLASSIC, text(duration=4, output_resolution="720p"), "160"),
        (CLASSIC, text(output_resolution="480p"), "75"),
        (CLASSIC, text(upscale_resolution="4k"), "555"),
        (CLASSIC, text(output_resolution="720p", upscale_resolution="4k"), "340"),
        (CLASSIC, text(model=FAST), "140"),
        (CLASSIC, text(model=FAST, output_resolution="480p"), "50"),
        (CLASSIC, text(model=FAST, upscale_resolution="4k"), "280"),
        (CLASSIC, omni(output_resolution="720p"), "240"),
        (CLASSIC, omni(), "500"),
        (CLASSIC, omni(output_resolution="480p"), "95"),
        (CLASSIC, omni(model=FAST), "170"),
        (CLASSIC, omni(model=FAST, output_resolution="480p"), "65"),
        (CLASSIC, omni(upscale_resolution="4k"), "640"),
        (CLASSIC, ImageToVideo("a lake", first_frame=URL), "415"),
        (CLASSIC, OmniReference("a lake", images=[URL] * 9), "415"),
        (LATEST, text(), "200"),
        (LATEST, text(output_resolution="1080p"), "450"),
        (LATEST, text(output_resolution="4k", duration=15), "3000"),
        (LATEST, text(output_resolution="480p"), "75"),
        (LATEST, text(model=FAST), "140"),
        (LATEST, text(model=FAST, output_resolution="480p"), "70"),
        (LATEST, text(model=MINI), "100"),
        (LATEST, text(model=MINI, output_resolution="480p"), "37.5"),
        (LATEST, text(model=V25), "295"),
        (LATEST, text(model=V25, output_resolution="1080p"), "717"),
        (LATEST, text(model=V25, output_resolution="480p"), "130"),
        (LATEST, omni(), "240"),
        (LATEST, omni(output_resolution="480p"), "95"),
        (LATEST, omni(output_resolution="1080p"), "540"),
        (LATEST, omni(output_resolution="4k"), "1200"),
        (LATEST, omni(model=FAST), "170"),
        (LATEST, omni(model=FAST, output_resolution="480p"), "90"),
        (LATEST, omni(model=MINI), "120"),
        (LATEST, omni(model=MINI, output_resolution="480p"), "47.5"),
        (LATEST, omni(model=V25, output_resolution="1080p"), "428.4"),
        (LATEST, omni(model=V25, output_resolution="480p"), "80"),
        (LATEST, VideoEdit("a lake", videos=[CLIP]), "525"),
        (LATEST, VideoEdit("a lake", videos=[CLIP], output_resolution="1080p"), "1285.2"),
        (LATEST, VideoExtend("a lake", videos=[CLIP], duration=10), "350"),
        (LATEST, VideoExtend("a lake", videos=[CLIP], duration=10, output_resolution="480p"), "160"),
    ],
)
def test_published_prices(catalogue: Catalogue, inputs: Inputs, credits: str) -> None:
    """Credits are seconds times the published rate, without rounding."""
    total = quote(inputs, catalogue)
    assert total.credits == Decimal(credits)
    assert total.lines == (Decimal(credits),)
    assert total.unpriced == ()


@pytest.mark.parametrize(
    ("inputs", "later"),
    [
        (text(model=V25), False),
        (omni(), False),
        (omni(model=V25), True),
        (VideoEdit("a lake", videos=[CLIP]), True),
        (VideoExtend("a lake", videos=[CLIP], duration=5), True),
    ],
)
def test_what_settles_later(inputs: Inputs, later: bool) -> None:
    """Where the final price follows the length of a given video, the quote is the reservation and says so."""
    assert quote(inputs, LATEST).settles_later == ((0,) if later else ())
    assert ("settled on the source's length" in str(quote(inputs, LATEST))) is later


def unpriced_catalogue() -> Catalogue:
    spec = CLASSIC.model(PRO)
    rates = {"720p": Rate(Decimal(40), None), "1080p": Rate(Decimal(83), Decimal(100))}
    return CLASSIC.with_model(evolve(spec, prices=evolve(spec.prices, rates=rates, upscale={})))


@pytest.mark.parametrize(
    ("inputs", "reason"),
    [
        (text(output_resolution="480p"), "no price is known for seedance-20 at 480p"),
        (omni(output_resolution="720p"), "no price is known for seedance-20 at 720p with a reference video"),
        (text(upscale_resolution="4k"), "no price is known for upscaling seedance-20 to 4k"),
    ],
)
def test_what_has_no_price(inputs: Inputs, reason: str) -> None:
    """A missing price is None with its reason, and never a guess."""
    total = quote([text(), inputs], unpriced_catalogue())
    assert total.lines == (Decimal(415), None)
    assert total.credits == 415
    assert total.unpriced == (1,)
    assert total.unpriced_reasons == {1: reason}
    assert str(total) == "415 credits for 2 requests, 1 of them without a known price"


def test_default_resolution_of_the_price() -> None:
    """Without a resolution, the price is that of the model's default."""
    assert credits_for(text(), CLASSIC.model(PRO)) == 415
    assert credits_for(text(), CLASSIC.model(PRO), "720p") == 200


def test_many() -> None:
    """A quote adds up, counts, and takes plain prompts."""
    total = quote(["a lake", text(duration=10), ImageToVideo("a sea", first_frame=URL)], LATEST)
    assert total.requests == 3
    assert total.lines == (Decimal(200), Decimal(400), Decimal(200))
    assert total.credits == 800
    assert str(total) == "800 credits for 3 requests"
    assert str(quote("a lake", LATEST)) == "200 credits for 1 request"


def test_nothing() -> None:
    """No requests cost nothing."""
    assert quote([], LATEST).credits == 0
    assert quote([], LATEST).fitting(0) == 0


@pytest.mark.parametrize(
    ("budget", "fitting"), [(0, 0), (199, 0), (200, 1), (599, 1), (600, 2), (Decimal("799.5"), 2), (800, 3), (10**9, 3)]
)
def test_fitting(budget: Decimal | int, fitting: int) -> None:
    """A budget pays for the first requests in order; a later, cheaper one does not jump the queue."""
    assert quote([text(), text(duration=10), text()], LATEST).fitting(budget) == fitting


def test_unpriced_ends_what_fits() -> None:
    """A request without a price cannot be held within a budget."""
    assert quote([text(), text(output_resolution="480p"), text()], unpriced_catalogue()).fitting(10**6) == 1


def test_problems_of_all() -> None:
    """The problems of all inputs come together, each with the index of its inputs."""
    with pytest.raises(InputError) as caught:
        quote(["a lake", "", text(duration=3)], LATEST)
    assert [problem.path for problem in caught.value.problems] == ["inputs[1].prompt", "inputs[2].duration"]


def test_problem_of_one() -> None:
    """The path of single inputs has no index."""
    with pytest.raises(InputError) as caught:
        quote("", LATEST)
    assert caught.value.problems[0].path == "prompt"


def test_what_only_one_catalogue_knows() -> None:
    """Fields, values and models of one contract alone are listed with that contract."""
    requests = [
        text(generate_audio=True, seed=1, bitrate_mode="high"),
        text(output_resolution="4k"),
        text(model=MINI, extra={"real_person": True}),
    ]
    assert quote(requests, LATEST).only_in == {
        "generate_audio": "latest",
        "bitrate_mode": "latest",
        "seed": "latest",
        "output_resolution": "latest",
        "model": "latest",
    }
    assert quote(requests, LATEST).extra == ("real_person",)
    assert quote(text(upscale_resolution="4k"), CLASSIC).only_in == {"upscale_resolution": "classic"}
    assert quote(text(), CLASSIC).only_in == {}


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("200", "200"),
        ("2E+3", "2000"),
        ("717.0", "717"),
        ("37.50", "37.5"),
        ("0", "0"),
        ("1E-7", "0.0000001"),
        ("1000.00", "1000"),
    ],
)
def test_credits_text(value: str, shown: str) -> None:
    """Credits are written without an exponent and without trailing zeros."""
    assert credits_text(Decimal(value)) == shown
