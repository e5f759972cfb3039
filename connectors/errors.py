"""What goes wrong between us and a provider. Each error carries the one fact its catcher needs."""

from __future__ import annotations


class ConnectorError(Exception):
    """`reason` is a sentence an agent can read."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Forged(ConnectorError):
    """The signature is missing or wrong: answer 403, store nothing."""


class SendFailed(ConnectorError):
    """The provider did not take the message. Not `permanent`: it may be tried again after `retry_after` seconds.

    `reconnect`: the credentials are dead, so the connector needs a person, not another try.
    `refused`: signing in was refused just now; too often in a row, and it needs a person as well.
    `spent`: the access token that was refused, which a new one may be had for.
    `opted_out`: the provider says the person has opted out.
    `holds_all`: it is not about this message (unreachable, asked too much): the whole account waits until then.
    """

    def __init__(
        self,
        reason: str,
        *,
        permanent: bool,
        code: str = "",
        retry_after: int | None = None,
        reconnect: bool = False,
        opted_out: bool = False,
        holds_all: bool = False,
        refused: bool = False,
        spent: str = "",
    ) -> None:
        super().__init__(reason)
        self.permanent = permanent
        self.code = code
        self.retry_after = retry_after
        self.reconnect = reconnect
        self.opted_out = opted_out
        self.holds_all = holds_all
        self.refused = refused
        self.spent = spent


class SendUnknown(ConnectorError):
    """The provider may have taken the message. Never sent again by itself; `look_up` may find out."""


class FetchFailed(ConnectorError):
    """A file could not be fetched. Not `permanent`: worth another try later."""

    def __init__(self, reason: str, *, permanent: bool) -> None:
        super().__init__(reason)
        self.permanent = permanent


class ConnectionLost(ConnectorError):
    """A mailbox or account cannot be reached now. `reconnect`, `refused` and `spent` as in `SendFailed`."""

    def __init__(self, reason: str, *, reconnect: bool = False, refused: bool = False, spent: str = "") -> None:
        super().__init__(reason)
        self.reconnect = reconnect
        self.refused = refused
        self.spent = spent
