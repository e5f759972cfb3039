"""Reads the environment loudly: a missing or bad setting ends the process with one sentence that names it."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")


class BadSetting(SystemExit):
    """Ends the process with a sentence on stderr and exit code 1."""

    def __init__(self, sentence: str) -> None:
        super().__init__(f"Throughline cannot start: {sentence}")


def text(name: str, default: str | None = None) -> str:
    value = os.environ.get(name, default)
    if value is None or (default is None and not value):
        raise BadSetting(f"the environment variable {name} is not set. docs/operations.md lists all settings.")
    return value


def number(name: str, default: int) -> int:
    return _read(name, str(default), int, "a whole number")


def yes(name: str, default: bool = False) -> bool:
    def parse(value: str) -> bool:
        return {"1": True, "yes": True, "true": True, "0": False, "no": False, "false": False, "": False}[value.lower()]

    return _read(name, "1" if default else "0", parse, "1 or 0")


def choice(name: str, default: str, choices: tuple[str, ...]) -> str:
    value = os.environ.get(name, default)
    if value not in choices:
        raise BadSetting(f"{name} must be one of {', '.join(choices)}, not {value!r}.")
    return value


def words(name: str, default: str = "") -> list[str]:
    return [word for word in re.split(r"[,\s]+", os.environ.get(name, default)) if word]


def url(name: str, default: str | None = None, schemes: tuple[str, ...] = ("http", "https")) -> str:
    value = text(name, default)
    if value.split("://")[0] not in schemes or "://" not in value:
        raise BadSetting(f"{name} must be an address that starts with {' or '.join(f'{s}://' for s in schemes)}.")
    return value.rstrip("/")


def options(name: str) -> dict[str, Any]:
    def parse(value: str) -> dict[str, Any]:
        found = json.loads(value)
        if not isinstance(found, dict):
            raise ValueError
        return found

    return _read(name, "{}", parse, "a JSON object")


def _read(name: str, default: str, parse: Callable[[str], T], kind: str) -> T:
    value = os.environ.get(name, default)
    try:
        return parse(value)
    except (ValueError, KeyError):
        raise BadSetting(f"{name} must be {kind}, not {value!r}.") from None
