"""The catalogues hold the published numbers, and users can make their own."""

from decimal import Decimal

import pytest
from attrs import evolve

from seedance_async.core.catalogue import BUILT_IN, Catalogue
from seedance_async.core.inputs import TextToVideo
from seedance_async.core.request import prepare
from seedance_async.core.spec import ModelSpec, Rate
from seedance_async.errors import ConfigurationError, InputError

EVERY_MODEL = [
    pytest.param(catalogue, spec, id=f"{catalogue.name}-{spec.id}")
    for catalogue in BUILT_IN.values()
    for spec in catalogue.models
]


def test_models() -> None:
    """CLASSIC is pro and fast of the seed page; LATEST is every model of the newest contract."""
    assert [spec.id for spec in Catalogue.CLASSIC.models] == ["seedance-20", "seedance2-fast"]
    assert [spec.id for spec in Catalogue.LATEST.models] == [
        "seedance-20",
        "seedance2-fast",
        "seedance2.0-mini",
        "seedance2-5",
        "seedance2-5-edit",
        "seedance2-5-extend",
    ]


@pytest.mark.parametrize(
    ("name", "default", "prompt", "durations", "form"),
    [
        ("classic seedance-20", "1080p", 4000, (4, 15), "string"),
        ("classic seedance2-fast", "720p", 4000, (4, 15), "string"),
        ("latest seedance-20", "720p", 10_000, (4, 15), "integer"),
        ("latest seedance2-fast", "720p", 10_000, (4, 15), "integer"),
        ("latest seedance2.0-mini", "720p", 10_000, (4, 15), "integer"),
        ("latest seedance2-5", "720p", 30_000, (4, 30), "integer"),
        ("latest seedance2-5-edit", "720p", 30_000, None, "integer"),
        ("latest seedance2-5-extend", "720p", 30_000, (4, 30), "integer"),
    ],
)
def test_limits(name: str, default: str, prompt: int, durations: tuple[int, int] | None, form: str) -> None:
    """Defaults, prompt lengths, durations and the form of durations are those of the two contracts."""
    catalogue, _, model = name.partition(" ")
    spec = Catalogue.named(catalogue).model(model)
    assert spec.limits.default_resolution == default
    assert spec.limits.prompt == prompt
    assert spec.limits.durations == durations
    assert spec.wire.duration == form


@pytest.mark.parametrize(("catalogue", "spec"), EVERY_MODEL)
def test_every_fact_has_a_source(catalogue: Catalogue, spec: ModelSpec) -> None:
    """Every group of facts says where it was read and when."""
    for group in (spec.limits, spec.options, spec.prices, spec.wire, spec.timing, spec.sizes):
        assert group.source.page
        assert group.source.read == "2026-11"


@pytest.mark.parametrize(("catalogue", "spec"), EVERY_MODEL)
def test_facts_fit_together(catalogue: Catalogue, spec: ModelSpec) -> None:
    """Each resolution has a price and a usual time, and nothing else has."""
    assert spec.limits.default_resolution in spec.limits.resolutions
    assert set(spec.prices.rates) == set(spec.limits.resolutions)
    assert set(spec.timing.typical) == set(spec.limits.resolutions)
    assert set(spec.prices.upscale) == set(spec.options.upscale_resolutions)
    for resolution, ratio in spec.sizes.pixels:
        assert resolution in spec.limits.resolutions
        assert ratio in spec.limits.aspect_ratios


def test_fast_has_no_1080p() -> None:
    """The fast models end at 720p in both catalogues."""
    for catalogue in BUILT_IN.values():
        assert catalogue.model("seedance2-fast").limits.resolutions == ("480p", "720p")


def test_4k_belongs_to_one_model() -> None:
    """Native 4k exists only for seedance-20 of LATEST; upscaling to 4k only in CLASSIC."""
    native = [
        (catalogue.name, spec.id)
        for catalogue in BUILT_IN.values()
        for spec in catalogue.models
        if "4k" in spec.limits.resolutions
    ]
    assert native == [("latest", "seedance-20")]
    assert all(spec.options.upscale_resolutions == ("4k",) for spec in Catalogue.CLASSIC.models)
    assert not any(spec.options.upscale_resolutions for spec in Catalogue.LATEST.models)


@pytest.mark.parametrize("catalogue", BUILT_IN.values(), ids=BUILT_IN)
@pytest.mark.parametrize(
    ("alias", "sent"), [("seedance2.0-pro", "seedance-20"), ("seedance2.0-fast", "seedance2-fast")]
)
def test_aliases(catalogue: Catalogue, alias: str, sent: str) -> None:
    """The names in brackets on the seed page are accepted and stand for the ids that are sent."""
    assert catalogue.model(alias).id == sent


def test_named() -> None:
    """A catalogue is found by its name, as it may be written in an environment variable."""
    assert Catalogue.named("classic") is Catalogue.CLASSIC
    assert Catalogue.named(" Latest ") is Catalogue.LATEST
    with pytest.raises(ConfigurationError, match="there are classic and latest"):
        Catalogue.named("newest")


def test_unknown_model_has_a_suggestion() -> None:
    """A slip in a model's name is answered with the name that was meant."""
    with pytest.raises(InputError) as caught:
        Catalogue.CLASSIC.model("seedance-2.0")
    (problem,) = caught.value.problems
    assert problem.path == "model"
    assert problem.suggestion == "seedance-20"


def test_model_of_the_other_catalogue() -> None:
    """A model that only the other catalogue has is said to be there."""
    with pytest.raises(InputError, match=r"Catalogue\.LATEST has it"):
        Catalogue.CLASSIC.model("seedance2.0-mini")


def test_own_model() -> None:
    """A user's own price takes the place of the published one, and the built-in catalogue stays as it was."""
    spec = Catalogue.LATEST.model("seedance-20")
    cheap = evolve(spec, prices=evolve(spec.prices, rates={"720p": Rate(Decimal(10), None)}))
    mine = Catalogue.LATEST.with_model(cheap, "mine")
    assert prepare(TextToVideo("a lake"), mine).credits == 50
    assert prepare(TextToVideo("a lake"), Catalogue.LATEST).credits == 200
    assert len(mine.models) == len(Catalogue.LATEST.models)
    assert mine.model("seedance2.0-pro") is cheap


def test_added_model() -> None:
    """A model of one's own is added beside the published ones."""
    spec = evolve(Catalogue.CLASSIC.model("seedance-20"), id="seedance-30", aliases=())
    mine = Catalogue.CLASSIC.with_model(spec)
    assert prepare(TextToVideo("a lake", model="seedance-30"), mine).spec.id == "seedance-30"
    assert Catalogue.CLASSIC.find("seedance-30") is None
