"""Builds the chain of backends that the settings describe."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from types import MappingProxyType
from typing import Any

from pydantic import ValidationError

from wyoming_tts.backends.base import Backend, BackendOptions, Surroundings
from wyoming_tts.backends.cache import CachedBackend
from wyoming_tts.backends.cache_disk import DiskStore
from wyoming_tts.backends.cache_memory import MemoryStore
from wyoming_tts.backends.fallback import FallbackBackend
from wyoming_tts.backends.members import Member
from wyoming_tts.backends.metered import MeteredBackend
from wyoming_tts.config import Settings
from wyoming_tts.config_load import did_you_mean, environment_key
from wyoming_tts.errors import ConfigError
from wyoming_tts.ledger import FILE_NAME as LEDGER_FILE
from wyoming_tts.ledger import Ledger
from wyoming_tts.prices import FILE_NAME as PRICES_FILE
from wyoming_tts.prices import PriceTable
from wyoming_tts.scheduler import ScheduledBackend, SchedulerSettings
from wyoming_tts.types import Voice

_LOGGER = logging.getLogger(__name__)

GROUP = "wyoming_tts.backends"
"""Entry points: a package that names a class here brings a backend."""

MEGABYTE = 2**20
CACHE_FILE = "cache.sqlite"
"""Name of the cache in the data directory."""


@dataclass(frozen=True, slots=True)
class Stores:
    """Where sentences are kept that were spoken; all backends share them."""

    memory: MemoryStore
    disk: DiskStore | None

    @classmethod
    def of(cls, settings: Settings) -> Stores | None:
        """None where nothing shall be kept."""
        memory, disk = settings.cache_memory * MEGABYTE, settings.cache_disk * MEGABYTE
        if not memory and not disk:
            return None
        store = DiskStore(settings.data_dir / CACHE_FILE, disk) if disk else None
        return cls(MemoryStore(memory), store)


@dataclass(frozen=True, slots=True)
class Books:
    """What backends cost, and what was spent; all backends share them."""

    prices: PriceTable
    ledger: Ledger

    @classmethod
    def of(cls, settings: Settings) -> Books:
        """Raises ConfigError for prices that cannot be read."""
        return cls(PriceTable.load(settings.data_dir), Ledger(settings.data_dir / LEDGER_FILE))

    def metered(self, backend: Backend, kind: str, options: BackendOptions) -> Backend:
        """The backend, counted where its price is known. Raises ConfigError for a budget without a price."""
        model = str(getattr(options, "model", ""))
        price = self.prices.find(kind, model)
        daily, monthly = options.daily_budget, options.monthly_budget
        if price is None and (daily, monthly) != (None, None):
            raise ConfigError(
                f"backends.{backend.name} has a budget, and no price is known for {kind} {model}".rstrip()
                + f"; add one to {PRICES_FILE} in the data directory"
            )
        if price is None or not (getattr(options, "paid", False) or (daily, monthly) != (None, None)):
            return backend
        return MeteredBackend(backend, price, self.ledger, model=model, daily=daily, monthly=monthly)


def backend_types() -> Mapping[str, EntryPoint]:
    """The types of backends that are installed, by name; none is loaded."""
    return {entry.name: entry for entry in entry_points(group=GROUP)}


def build_chain(
    settings: Settings, catalogue: Sequence[Voice], types: Mapping[str, Any] = MappingProxyType({})
) -> FallbackBackend:
    """All backends of the chain, each scheduled and cached. Raises ConfigError, naming the key.

    `types` are backends beside those that are installed.
    """
    for name in settings.backends:
        if name not in settings.chain:
            _LOGGER.warning("backends.%s is not in the chain (%s)", name, ", ".join(settings.chain))
    stores, books = Stores.of(settings), Books.of(settings)
    kinds = {name: _load(name, _type_of(name, settings), types) for name in settings.chain}
    members = [_member(name, kind, settings, catalogue, stores, books) for name, kind in kinds.items()]
    return FallbackBackend(members, hedge_after=settings.hedge_after or None)


def chain_of(backend: Backend, settings: Settings) -> FallbackBackend:
    """A chain of one backend that somebody else made."""
    return FallbackBackend([Member(_in_turns(backend, settings), BackendOptions())], level=False)


def _in_turns(backend: Backend, settings: Settings) -> Backend:
    """The backend, with the scheduler in front where it does not share itself out."""
    if getattr(backend, "own_turns", False):
        return backend
    return ScheduledBackend(backend, SchedulerSettings(look_ahead=settings.look_ahead, busy=settings.busy))


def _type_of(name: str, settings: Settings) -> str:
    return str(settings.backends.get(name, {}).get("type") or name)


def _member(
    name: str, kind: Any, settings: Settings, catalogue: Sequence[Voice], stores: Stores | None, books: Books
) -> Member:
    options = _options(name, kind, dict(settings.backends.get(name, {})), settings)
    surroundings = Surroundings(
        name=name,
        data_dir=settings.data_dir,
        download_dir=settings.download_dir,
        voices_dir=settings.voices_dir,
        offline=settings.offline,
        catalogue=tuple(catalogue),
    )
    backend = _in_turns(kind(options, surroundings), settings)
    backend = books.metered(backend, _type_of(name, settings), options)
    return Member(_cached(backend, stores), options)


def _cached(backend: Backend, stores: Stores | None) -> Backend:
    return backend if stores is None else CachedBackend(backend, stores.memory, stores.disk)


def _load(name: str, kind: str, types: Mapping[str, Any]) -> Any:
    installed = backend_types()
    known = sorted({*installed, *types})
    if kind not in known:
        raise ConfigError(f"backends.{name}: there is no backend {kind!r}{did_you_mean(kind, known)}; "
                          f"there are {', '.join(known)}")  # fmt: skip
    if kind not in installed:
        return types[kind]
    try:
        return installed[kind].load()
    except Exception as error:  # whatever a stranger's module raises, its name belongs to it
        raise ConfigError(f"backends.{name}: {installed[kind].value} cannot be loaded: {error!r}") from error


def _options(name: str, kind: Any, table: Mapping[str, Any], settings: Settings) -> BackendOptions:
    taken = {key: getattr(settings, key) for key in getattr(kind.Options, "SETTINGS", ())}
    values: dict[str, Any] = {**taken, **table}
    variable = getattr(kind.Options, "KEY_VARIABLE", "")
    if variable and not {"api_key", "api_key_file"} & set(values) and (key := environment_key(variable)):
        values["api_key"] = key
    try:
        return kind.Options(**values)
    except ValidationError as error:
        raise ConfigError(_explained(name, kind.Options, error)) from None


def _explained(name: str, options: type[BackendOptions], error: ValidationError) -> str:
    """What is wrong with a table, without its values: one may be a key."""
    lines = []
    for fault in error.errors(include_input=False):
        key = ".".join(map(str, fault["loc"]))
        if fault["type"] == "extra_forbidden":
            known = options.model_fields
            lines.append(f"backends.{name}.{key} is no option{did_you_mean(key, known)}")
        else:
            lines.append(f"backends.{name}.{key}: {fault['msg']}")
    return "\n".join(lines)
