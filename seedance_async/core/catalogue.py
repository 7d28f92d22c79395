"""Catalogues: which models there are, under which published contract."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import ClassVar, Final, Self

from attrs import Factory, evolve, field, frozen

from seedance_async.core.catalogues import classic, latest
from seedance_async.core.names import listed, shown, suggest_value
from seedance_async.core.spec import ModelSpec
from seedance_async.errors import ConfigurationError, InputError, Problem


def _by_name(models: Iterable[ModelSpec]) -> Mapping[str, ModelSpec]:
    """Return the models by id and by alias; an id wins over another model's alias."""
    everything = tuple(models)
    names = {alias: spec for spec in everything for alias in spec.aliases}
    return names | {spec.id: spec for spec in everything}


@frozen
class Catalogue:
    """The models of one published contract.

    `Catalogue.CLASSIC` is the documentation page this project was created from; `Catalogue.LATEST` the vendor's newest
    published contract. They differ in defaults, limits and prices; a session uses one of them.

    Attributes:
        name: The name for `Catalogue.named`, environment variable and command line.
        models: The models, each with its limits, prices and forms.
    """

    name: str
    models: tuple[ModelSpec, ...] = field(repr=lambda models: repr(tuple(spec.id for spec in models)))
    _index: Mapping[str, ModelSpec] = field(
        init=False,
        repr=False,
        eq=False,
        default=Factory(lambda self: _by_name(self.models), takes_self=True),
    )

    CLASSIC: ClassVar["Catalogue"]
    LATEST: ClassVar["Catalogue"]

    @classmethod
    def named(cls, name: str) -> "Catalogue":
        """Return the built-in catalogue of that name.

        Raises:
            ConfigurationError: There is none of that name.
        """
        found = BUILT_IN.get(name.strip().casefold())
        if found is None:
            raise ConfigurationError(f"no catalogue is named {shown(name)}; there are {listed(BUILT_IN, 'and')}")
        return found

    def find(self, name: object) -> ModelSpec | None:
        """Return the model of that id or alias, or None."""
        return self._index.get(name) if isinstance(name, str) else None

    def model(self, name: str) -> ModelSpec:
        """Return the model of that id or alias.

        Raises:
            InputError: The catalogue has no such model; says which it has, and which other catalogue has it.
        """
        spec = self.find(name)
        if spec is None:
            raise InputError([self.unknown_model(name)])
        return spec

    def unknown_model(self, name: object) -> Problem:
        """Return the problem of a model name that this catalogue does not have."""
        ids = [spec.id for spec in self.models]
        elsewhere = [other.constant for other in BUILT_IN.values() if other is not self and other.find(name)]
        message = f"catalogue {self.name!r} has no such model; it has {listed(ids, 'and')}"
        if elsewhere:
            return Problem("model", f"{message}; {listed(elsewhere)} has it", shown(name))
        return Problem("model", message, shown(name), suggest_value(name, self._index))

    def with_model(self, spec: ModelSpec, name: str | None = None) -> Self:
        """Return a catalogue in which `spec` is added, or takes the place of the model of the same id.

        Args:
            spec: The model, such as `attrs.evolve(catalogue.model("seedance-20"), prices=...)`.
            name: The new catalogue's name; the same as before if None.
        """
        others = tuple(other for other in self.models if other.id != spec.id)
        return evolve(self, name=self.name if name is None else name, models=(*others, spec))

    @property
    def constant(self) -> str:
        """How the catalogue is written in code, for messages."""
        return f"Catalogue.{self.name.upper()}" if BUILT_IN.get(self.name) is self else f"catalogue {self.name!r}"


Catalogue.CLASSIC = Catalogue("classic", classic.MODELS)
Catalogue.LATEST = Catalogue("latest", latest.MODELS)

BUILT_IN: Final[Mapping[str, Catalogue]] = MappingProxyType(
    {catalogue.name: catalogue for catalogue in (Catalogue.CLASSIC, Catalogue.LATEST)}
)
