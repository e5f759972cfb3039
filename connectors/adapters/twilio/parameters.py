"""The form a webhook posts. Names may repeat and new ones appear without notice (twilio.md §1)."""

from __future__ import annotations

from urllib.parse import parse_qsl

from connectors.adapters.text import storable

MAX_PARAMETERS = 1_000


class Parameters(dict[str, list[str]]):
    """Every value of every name, decoded and untrimmed, as the signature wants them."""

    @classmethod
    def of(cls, form: str | bytes) -> Parameters:
        """Raises ValueError for more than `MAX_PARAMETERS`."""
        if isinstance(form, bytes):
            form = form.decode("utf-8", "replace")
        parameters = cls()
        # Empty values are part of the signature.
        for name, value in parse_qsl(form, keep_blank_values=True, max_num_fields=MAX_PARAMETERS):
            parameters.setdefault(name, []).append(value)
        return parameters

    def getall(self, name: str) -> list[str]:
        """By this method Twilio's validator recognises a mapping with repeated names."""
        return self[name]

    def first(self, name: str) -> str:
        """The first value, fit to be stored; empty when there is none."""
        return storable(self.get(name, [""])[0])
