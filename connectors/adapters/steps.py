"""What a person is asked when an account is connected: by the set-up pages, and by `manage.py add_connector`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from connectors.adapters import keywords
from connectors.adapters.hours import hours


@dataclass(frozen=True, slots=True)
class Field:
    """One thing an adapter needs. `like` names the field whose value is meant when nothing else is said.

    It is kept among the account's options if `is_option`, else, encrypted, among its secrets. What `is_secret` is
    never shown again; what `is_made` we make up ourselves, to be entered at the provider. `choices` are values with
    their words; a value of "yes" alone is a tick box. It is not needed when the field `unless` has a value.
    """

    name: str
    question: str
    hint: str = ""
    is_secret: bool = False
    default: str = ""
    like: str = ""
    is_option: bool = False
    is_needed: bool = True
    is_made: bool = False
    choices: tuple[tuple[str, str], ...] = ()
    unless: str = ""
    is_long: bool = False  # several lines
    check: Callable[[str], object] | None = None  # raises ValueError with the words for whoever typed it


@dataclass(frozen=True, slots=True)
class Step:
    """One page of the set-up. `words` say what to do there. `signs_in`: it offers the provider's own sign-in."""

    name: str
    title: str
    words: str
    fields: tuple[Field, ...] = ()
    signs_in: bool = False
    shows_webhook: bool = False  # the address, and the verify token if there is one, to enter at the provider
    shows_beside: tuple[tuple[str, str], ...] = ()  # more to enter there: words, and what follows the webhook


def fields(steps: Iterable[Step]) -> dict[str, Field]:
    return {field.name: field for step in steps for field in step.fields}


def missing(step: Step, values: Mapping[str, str]) -> list[Field]:
    """What is still to be said. `values`: secrets and options together."""
    needed = (field for field in step.fields if field.is_needed and not values.get(field.unless))
    return [field for field in needed if not values.get(field.name)]


FIRST_ANSWER = (
    Field(
        "acknowledgement",
        "Automatic first answer",
        hint="To a person who writes and whom nobody has answered yet. Nothing is sent when left empty.",
        is_option=True,
        is_needed=False,
        is_long=True,
    ),
    Field(
        "open_hours",
        "Hours in which no automatic answer is needed",
        hint="Mon-Fri 9:00-17:30, Sat 10:00-14:00, not 2026-12-25. Outside them everybody gets it once until you are "
        "back; when left empty, once a day.",
        is_option=True,
        is_needed=False,
        check=hours,
    ),
)

FILED_WORDS = Field(
    "filed_words",
    "Whole messages to file",
    hint="What people send to answer a campaign, with commas between: Y, WIN. Nobody is alerted, unless an agent has "
    "answered this customer in a case that is open or was resolved within a day.",
    is_option=True,
    is_needed=False,
    check=keywords.check,
)
