"""What an answer costs: tokens counted, priced where the price is known, held under a cap.

Prices come from genai-prices, whose data is part of the package: nothing is fetched. A model
that it does not know, and every server of one's own, has no price: the cost is None.
"""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass
from functools import lru_cache

from assistant.endpoint.target import OPENAI, Target
from assistant.errors import ConfigurationError, CostCapReached
from assistant.results import Usage

__all__ = ["Ledger", "Price", "count_tokens", "price_of"]

LEAST = 64
"""Tokens of a reply below which a call is not worth making."""
# measured with cl100k: 4.6 to 5.4 letters of abstracts a token, 0.8 to 1.2 tokens a character of
# Japanese, Chinese and Arabic; on the safe side of both
_LETTERS_PER_TOKEN = 3.9
_TOKENS_PER_WIDE = 1.15
_A_MILLION = 1_000_000


def count_tokens(text: str) -> int:
    """About as many tokens as a model sees in ``text``, rather too many than too few."""
    wide = 0 if text.isascii() else sum(not c.isascii() for c in text)
    return math.ceil((len(text) - wide) / _LETTERS_PER_TOKEN + wide * _TOKENS_PER_WIDE)


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars a token, and the context window where that is known too."""

    prompt: float
    completion: float
    context_window: int | None = None

    def cost(self, prompt_tokens: int, completion_tokens: int) -> float:
        """US dollars of one call."""
        return prompt_tokens * self.prompt + completion_tokens * self.completion


@lru_cache(maxsize=64)
def price_of(target: Target) -> Price | None:
    """The price of a model at its provider; None where it is not known, or costs nothing."""
    if target.local:
        return None
    from genai_prices import Usage as Tokens  # noqa: PLC0415
    from genai_prices import calc_price  # noqa: PLC0415

    try:
        if target.base_url == OPENAI:
            known = calc_price(
                Tokens(input_tokens=_A_MILLION, output_tokens=_A_MILLION),
                model_ref=target.model,
                provider_id="openai",
            )
        else:
            known = calc_price(
                Tokens(input_tokens=_A_MILLION, output_tokens=_A_MILLION),
                model_ref=target.model,
                provider_api_url=target.base_url,
            )
    except (LookupError, ValueError):
        return None
    return Price(
        float(known.input_price) / _A_MILLION,
        float(known.output_price) / _A_MILLION,
        known.model.context_window,
    )


class Ledger:
    """The tokens and the money of one question; may be written to from several threads.

    Args:
        cap: US dollars that must not be crossed; None for no cap.
    """

    def __init__(self, cap: float | None = None) -> None:
        self.cap = cap
        self._usage = Usage()
        self._lock = threading.Lock()

    @property
    def usage(self) -> Usage:
        """The sum so far."""
        with self._lock:
            return self._usage

    def add(self, usage: Usage) -> None:
        """Counts one call."""
        with self._lock:
            self._usage = self._usage + usage

    def afford(self, price: Price | None, prompt_tokens: int, wanted: int, target: Target) -> int:
        """Tokens that a reply may have, so that even the longest stays under the cap.

        Raises:
            CostCapReached: not even a short reply can be paid for.
            ConfigurationError: there is a cap, and no price to hold against it.
        """
        if self.cap is None:
            return wanted
        if price is None:
            if target.local:
                return wanted
            raise ConfigurationError(
                f"A cost cap is set, and the price of {target} is not known.",
                "Bound the answer by --max-tokens instead, and unset the cap.",
            )
        left = self.cap - (self.usage.cost_usd or 0.0) - prompt_tokens * price.prompt
        most = wanted if price.completion <= 0 else int(left / price.completion)
        if left < 0 or most < min(LEAST, wanted):
            error = CostCapReached(
                f"The next call of {target} could cross the cap of ${self.cap:g} a question "
                f"(spent so far: ${self.usage.cost_usd or 0.0:.4f}).",
                "Raise --max-cost (ASSISTANT_GENERATION__MAX_COST), or take a lower --effort.",
            )
            error.usage = self.usage
            raise error
        return min(wanted, most)
