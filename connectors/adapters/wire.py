"""What a broken HTTP request tells about its fate."""

from __future__ import annotations

import ssl

import requests
from urllib3.exceptions import NewConnectionError


def never_left(error: requests.RequestException) -> bool:
    """Whether it failed before a byte of the request was written, so that the far end cannot have acted on it.

    False also means "nobody knows": a read that timed out, a connection hung up, a proxy in between.
    """
    if isinstance(error, requests.ConnectTimeout):
        return True
    cause = getattr(error.args[0], "reason", None) if error.args else None  # urllib3's MaxRetryError has a reason
    if isinstance(cause, NewConnectionError):
        return True
    return isinstance(error, requests.exceptions.SSLError) and isinstance(
        getattr(cause, "args", (None,))[0], ssl.SSLCertVerificationError
    )
