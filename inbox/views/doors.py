"""Pages for supervisors, which admins are too. Everybody else is told whom to ask."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponseBase

from inbox.http import AgentRequest, View, signed_in
from inbox.models import Agent


def supervisors_only(view: View) -> View:
    return _only(view, lambda agent: agent.is_supervisor, "This page is for supervisors.")


def admins_only(view: View) -> View:
    return _only(view, lambda agent: agent.is_admin, "This page is for admins.")


def those_who_may(act: str) -> Callable[[View], View]:
    """`act` is a key of settings.RIGHTS."""
    words = f"Ask somebody who may {act}: your role may not."
    return lambda view: _only(view, lambda agent: agent.may(act), words)


def _only(view: View, may: Callable[[Agent], bool], words: str) -> View:
    @wraps(view)
    def guarded(request: AgentRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not may(request.user):
            raise PermissionDenied(words)
        return view(request, *args, **kwargs)

    return signed_in(guarded)


def number_or_404(text: str) -> int:
    """An id out of an address; what no row can have is a page that does not exist."""
    if not (text.isascii() and text.isdecimal() and len(text) < 19):
        raise Http404
    return int(text)
