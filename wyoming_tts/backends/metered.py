"""A backend around one that costs money: counts it, and stops at the budget."""

from __future__ import annotations

import contextlib
import datetime
from collections.abc import AsyncGenerator, Iterator, Mapping
from typing import Any

from wyoming_tts.backends.base import Backend, BackendAround, closable
from wyoming_tts.errors import BackendQuotaError
from wyoming_tts.ledger import Ledger
from wyoming_tts.prices import Cost, Price
from wyoming_tts.types import AudioChunk, SynthesisRequest


class MeteredBackend(BackendAround):
    """Has the face of the backend inside."""

    def __init__(
        self,
        inner: Backend,
        price: Price,
        ledger: Ledger,
        *,
        model: str,
        daily: float | None = None,
        monthly: float | None = None,
    ) -> None:
        """`daily` and `monthly` are the budgets in the price's currency. The ledger is opened and closed
        with the backend.
        """
        super().__init__(inner)
        self._price, self._ledger, self._model = price, ledger, model
        self._budgets = {"daily": daily, "monthly": monthly}
        self._reserved = 0.0

    async def start(self) -> None:
        """See `Backend.start`."""
        await self._ledger.open()
        self._check(0.0)
        await super().start()

    async def stop(self) -> None:
        """See `Backend.stop`. What is still to be counted is waited for."""
        await super().stop()
        await self._ledger.close()

    async def probe(self) -> None:
        """See `Backend.probe`. Raises BackendQuotaError while the budget is used up."""
        self._check(0.0)
        await super().probe()

    def spent(self) -> Mapping[str, Any]:
        """What it has cost, as JSON: today, this month, and the budgets."""
        return {
            "backend": self.name,
            "model": self._model,
            "currency": self._price.currency,
            "today": round(self._ledger.day(self.name), 6),
            "month": round(self._ledger.month(self.name), 6),
            "daily_budget": self._budgets["daily"],
            "monthly_budget": self._budgets["monthly"],
        }

    def estimate_cost(self, text: str) -> Cost:
        """What a text will cost, about."""
        return self._price.estimate(text)

    async def synthesize(self, request: SynthesisRequest) -> AsyncGenerator[AudioChunk, None]:
        """See `Backend.synthesize`. Raises BackendQuotaError where the budget has no room for a sentence."""
        seconds = 0.0
        with self._reserve(self.estimate_cost(request.text).amount):
            try:
                async with contextlib.aclosing(closable(self._inner.synthesize(request))) as chunks:
                    async for chunk in chunks:
                        seconds += chunk.seconds
                        yield chunk
            finally:
                if seconds:  # a listener who leaves does not get the money back
                    self._count(request, seconds)

    def _count(self, request: SynthesisRequest, seconds: float) -> None:
        cost = self._price.of(len(request.text), seconds)
        self._ledger.add(self.name, self._model, cost, len(request.text), seconds)

    @contextlib.contextmanager
    def _reserve(self, amount: float) -> Iterator[None]:
        """Several that are on their way together must not pass the budget that each alone would keep."""
        self._check(amount)
        self._reserved += amount
        try:
            yield
        finally:
            self._reserved -= amount

    def _check(self, amount: float) -> None:
        """Raise BackendQuotaError when so much more would be too much."""
        spent = {"daily": self._ledger.day(self.name), "monthly": self._ledger.month(self.name)}
        for name, budget in self._budgets.items():
            if budget is not None and spent[name] + self._reserved + amount > budget - 1e-12:
                currency = self._price.currency
                raise BackendQuotaError(
                    f"the {name} budget of {self.name}, {budget:.2f} {currency}, is used up: "
                    f"{spent[name]:.4f} {currency} are spent",
                    retry_after=self._until_tomorrow(),
                )

    def _until_tomorrow(self) -> float:
        """Seconds until another day begins."""
        now = datetime.datetime.now()
        tomorrow = datetime.datetime.combine(self._ledger.today() + datetime.timedelta(1), datetime.time())
        return max(0.0, (tomorrow - now).total_seconds())
