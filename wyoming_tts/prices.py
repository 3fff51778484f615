"""What speech costs: a dated table that a user can add to."""

from __future__ import annotations

import datetime
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from wyoming_tts.errors import ConfigError
from wyoming_tts.types import CHARACTERS_PER_SECOND

FILE_NAME = "prices.toml"
SHIPPED = Path(__file__).parent / FILE_NAME


@dataclass(frozen=True, slots=True)
class Cost:
    """What a sentence costs."""

    amount: float
    """In units of the currency."""

    currency: str
    """Three letters, such as `USD`."""


class Price(BaseModel):
    """What one model costs."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    type: str
    """Type of backend."""

    model: str = ""
    """Beginning of the models it is for."""

    currency: str = Field(pattern="^[A-Z]{3}$")
    """Three letters, such as `USD`."""

    per_million_characters: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    """For text that is sent."""

    per_minute: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    """For speech that comes."""

    as_of: datetime.date
    """When that was so."""

    note: str = ""
    """What else is to be known."""

    def of(self, characters: int, seconds: float) -> Cost:
        """The cost of so much text and speech."""
        amount = characters * self.per_million_characters / 1e6 + seconds / 60 * self.per_minute
        return Cost(amount, self.currency)

    def estimate(self, text: str) -> Cost:
        """What a text will cost, about."""
        return self.of(len(text), len(text) / CHARACTERS_PER_SECOND)


@dataclass(frozen=True, slots=True)
class PriceTable:
    """All prices, those of the user first."""

    prices: tuple[Price, ...]

    @classmethod
    def load(cls, data_dir: Path) -> PriceTable:
        """The shipped ones and those in the data directory. Raises ConfigError, naming the file."""
        own = data_dir / FILE_NAME
        return cls((*(_read(own) if own.is_file() else ()), *_read(SHIPPED)))

    def find(self, kind: str, model: str) -> Price | None:
        """The price for a model of a type of backend; None where nobody said."""
        fits = [price for price in self.prices if price.type == kind and model.startswith(price.model)]
        return max(fits, key=lambda price: len(price.model), default=None)  # the first of equals


_ENTRIES = TypeAdapter(list[Price])


def _read(path: Path) -> Sequence[Price]:
    try:
        return _ENTRIES.validate_python(tomllib.loads(path.read_text(encoding="utf-8")).get("price", []))
    except ValidationError as error:
        faults = (f"price {'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
        raise ConfigError(f"{path}: {'; '.join(faults)}") from None
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path} cannot be read: {error}") from error
