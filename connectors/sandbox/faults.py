"""What can go wrong at a provider, switched on from outside, for ever or for a number of times.

The words are the ones the phone page shows. `hang_after_accept` does the work, then breaks the connection before
answering: the caller cannot know whether it was done.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

WORDS: dict[str, dict[str, str]] = {
    "twilio": {
        "slow": "answers slowly",
        "500": "is in trouble",
        "429": "says we ask too often",
        "hang_after_accept": "hangs up after accepting",
        "bad_token": "refuses our password",
        "undelivered": "accepts, then cannot deliver",
        "duplicate_webhook": "tells everything twice",
        "out_of_order_status": "reports delivered before sent",
    },
    "graph": {
        "slow": "answers slowly",
        "500": "is in trouble",
        "429": "says we ask too often",
        "hang_after_accept": "hangs up after accepting",
        "bad_token": "says our sign-in has ended",
        "window_closed": "says the 24 hours are over",
        "duplicate_webhook": "tells everything twice",
    },
    "smtp": {
        "slow": "answers slowly",
        "500": "is in trouble",
        "429": "says come back later",
        "refuse": "says no to the mail",
        "hang_after_accept": "hangs up after accepting",
    },
    "imap": {
        "slow": "answers slowly",
        "500": "closes the connection",
        "429": "says too many connections",
        "refuse": "refuses our password",
        "hang_after_accept": "answers nothing at all",
    },
    "webhooks": {
        "slow": "come late",
        "lost": "never come",
        "duplicate_webhook": "come twice",
        "out_of_order_status": "come in the wrong order",
    },
}


@dataclass(slots=True)
class Fault:
    """`times` left, None for ever. `seconds` is how slow; `copies` how many webhooks for one."""

    name: str
    seconds: float = 4.0
    times: int | None = None
    copies: int = 2


class Faults:
    def __init__(self) -> None:
        self.current: dict[str, Fault] = {}

    def set(self, provider: str, name: str, *, seconds: float = 4.0, times: int | None = None, copies: int = 2) -> None:
        """Raises ValueError for a fault this provider cannot have."""
        if provider not in WORDS:
            raise ValueError(f"There is no provider {provider}; there are {', '.join(WORDS)}.")
        if name == "none":
            self.current.pop(provider, None)
        elif name in WORDS[provider]:
            self.current[provider] = Fault(name, seconds, times, copies)
        else:
            raise ValueError(f"{provider} has no fault {name}; it has {', '.join(WORDS[provider])} and none.")

    def take(self, provider: str, *names: str) -> Fault | None:
        """The fault that is on, if it is one of these; counts as one use."""
        fault = self.current.get(provider)
        if fault is None or fault.name not in names:
            return None
        if fault.times is not None:
            fault.times -= 1
            if fault.times <= 0:
                self.current.pop(provider, None)
        return fault

    def shown(self) -> dict[str, Any]:
        return {provider: asdict(fault) for provider, fault in self.current.items()}
