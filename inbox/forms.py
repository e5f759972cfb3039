"""What browsers send, checked. A form knows its fields; what may happen with them the models know."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.timezone import now

from inbox.models import Agent, Presence


class PresenceForm(forms.ModelForm[Agent]):
    off_until = forms.DateTimeField(required=False, error_messages={"invalid": "Give a day and a time."})

    class Meta:
        model = Agent
        fields = ["presence", "off_until"]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("presence") != Presence.OFF:
            cleaned["off_until"] = None
        elif cleaned.get("off_until") and cleaned["off_until"] <= now():
            self.add_error("off_until", "That time has passed already.")
        return cleaned


class LooksForm(forms.ModelForm[Agent]):
    theme = forms.ChoiceField(choices=[("", ""), ("light", ""), ("dark", "")], required=False)
    density = forms.ChoiceField(choices=[("", ""), ("compact", "")], required=False)
    single_keys = forms.BooleanField(required=False)

    class Meta:
        model = Agent
        fields = ["theme", "density", "single_keys"]
