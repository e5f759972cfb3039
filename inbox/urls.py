"""The map. One address, one verb, one function."""

from __future__ import annotations

from django.urls import path

from inbox.views import agent

urlpatterns = [
    # ---- board, alerts, health, quarantine, customers, filed mail, sign-in, start (the other pages) ----
    # ---- end of the other pages ----
    path("me/presence/", agent.presence),
    path("me/looks/", agent.looks),
    path("me/alerts/", agent.alerts),
]
