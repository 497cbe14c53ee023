"""Amounts of money for people."""

from __future__ import annotations

import math

_CENTS, _DECIMALS, _SIGNIFICANT = 2, 4, 2


def dollars(amount: float) -> str:
    """Return US dollars as text: cents from one dollar up (`$1.20`), below that two significant digits (`$0.0034`)."""
    if amount >= 1 or not amount:
        return f"${amount:,.{_CENTS}f}"
    decimals = max(_DECIMALS, _SIGNIFICANT - 1 - math.floor(math.log10(amount)))
    whole, _, fraction = f"{amount:.{decimals}f}".partition(".")
    return f"${whole}.{fraction.rstrip('0'):0<{_DECIMALS}}"
