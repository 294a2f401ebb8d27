"""What is known of a function or method that templates may call."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Signature:
    """A function, the Go types of its parameters and that of any number of further arguments.

    The first argument of a method's ``call`` is what it belongs to; it is no parameter.
    """

    call: Callable[..., object]
    parameters: tuple[str, ...] = ()
    variadic: str = ""
