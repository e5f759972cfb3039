"""E-mail: IMAP in, SMTP out. See `adapter.py` for the page, `imap.Mailbox` for the fetching side."""

from __future__ import annotations

from connectors.adapters.email.adapter import EmailAdapter

__all__ = ["EmailAdapter"]
