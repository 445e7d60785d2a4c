"""Waiting for what happens by itself: by asking again, until a deadline."""

import time
from collections.abc import Callable
from typing import TypeVar

Value = TypeVar("Value")


def until(what: str, probe: Callable[[], Value | None], seconds: float = 180, last: Callable[[], object] = str) -> Value:
    """Asks `probe` until it gives something true, which it returns.

    Fails when `seconds` are over, with what `last` says of how things stand then.
    """
    deadline = time.monotonic() + seconds
    pause = 0.02
    while True:
        value = probe()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"after {seconds:.0f} s, not yet: {what}. {last()}")
        time.sleep(pause)
        pause = min(pause * 1.5, 0.5)
