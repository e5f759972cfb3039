"""What a command needs and was not told: asked for on a terminal, named in one sentence elsewhere."""

from __future__ import annotations

import sys
from getpass import getpass
from pathlib import Path

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import CommandError

from inbox.models import Agent


def value(given: str, question: str, flag: str, default: str = "") -> str:
    """The flag's value, or the answer typed; `default` is what Enter means."""
    if given:
        return given.strip()
    if not sys.stdin.isatty():
        if default:
            return default
        raise CommandError(f"{flag} is missing.")
    answer = input(f"{question}{f' [{default}]' if default else ''}: ").strip() or default
    if not answer:
        raise CommandError(f"{flag} is missing.")
    return answer


def secret(file: str, question: str, flag: str) -> str:
    """Never from the command line itself: others on the machine can read that. A file of one line, or typed unseen."""
    if file:
        try:
            text = Path(file).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(f"{file} cannot be read: {error}.") from error
    elif sys.stdin.isatty():
        text = getpass(f"{question}: ").strip()
    else:
        raise CommandError(f"{flag} is missing.")
    if not text:
        raise CommandError(f"{question} is empty.")
    return text


def password(file: str, agent: Agent) -> str:
    """A password that is good enough for this agent; typed twice when typed."""
    chosen = secret(file, "Password", "--password-file")
    if not file and getpass("Password again: ").strip() != chosen:
        raise CommandError("The two passwords differ.")
    try:
        validate_password(chosen, agent)
    except ValidationError as error:
        raise CommandError(" ".join(error.messages)) from error
    return chosen
