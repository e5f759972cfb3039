"""What browsers send, checked. A form knows its fields; what may happen with them the models know."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import puremagic
from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.db.models import QuerySet
from django.utils.timezone import now

from connectors.messages import Channel
from connectors.models import Connector, Receipt, ReceiptQuerySet
from customers.models import Identity
from customers.models.consent import ConsentState, Purpose
from inbox.models import Agent, Case, Presence, Team

CHANNELS = [channel.value for channel in Channel]


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


class Checked(forms.Form):
    """A form whose first complaint is one sentence for the agent."""

    @property
    def words(self) -> str:
        return next((str(errors[0]) for errors in self.errors.values()), "")


class NumbersField(forms.Field):
    """Ids, from repeated fields and from '12,13' alike."""

    widget = forms.MultipleHiddenInput

    def clean(self, value: Any) -> list[int]:
        parts = [part.strip() for each in value or [] for part in str(each).split(",")]
        return [int(part) for part in parts if part.isdecimal() and len(part) < 19][:200]


class PickedForm(Checked):
    """Messages picked on a timeline, and who wrote them if somebody else did."""

    entries = NumbersField(error_messages={"required": "Pick at least one message."})
    q = forms.CharField(required=False, max_length=200)
    person = forms.IntegerField(required=False, min_value=1, max_value=2**62)
    name = forms.CharField(required=False, max_length=200)
    with_address = forms.BooleanField(required=False)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        for name in ("q", "name"):
            cleaned[name] = " ".join(cleaned.get(name, "").split())
        return cleaned


TOO_MANY = "These are too many addresses for one mail. Take some out."


class ReplyForm(Checked):
    option = forms.CharField(max_length=60, error_messages={"required": "There is no way to write to this person now."})
    text = forms.CharField(required=False, strip=False)
    subject = forms.CharField(required=False, max_length=300)
    copied = NumbersField(required=False)
    cc = forms.CharField(required=False, max_length=2000, error_messages={"max_length": TOO_MANY})
    bcc = forms.CharField(required=False, max_length=2000, error_messages={"max_length": TOO_MANY})
    sent_to = forms.CharField(required=False, max_length=320)
    also_answers = NumbersField(required=False)
    files = NumbersField(required=False)  # type: ignore[assignment]  # the uploads of a draft; a form has no files here
    seen = forms.IntegerField(required=False, min_value=0)
    send_anyway = forms.BooleanField(required=False)
    confirmed = forms.BooleanField(required=False)
    disclose = forms.BooleanField(required=False)
    resolve = forms.BooleanField(required=False)
    form = forms.UUIDField(required=False)

    def clean(self) -> dict[str, Any]:
        """Named as `outbox.reply` names them."""
        cleaned = super().clean() or {}
        cleaned["option_key"] = cleaned.pop("option", "")
        cleaned["seen_entry"] = cleaned.pop("seen", 0) or 0
        return cleaned


class DraftForm(Checked):
    channel = forms.ChoiceField(choices=[(name, name) for name in (*CHANNELS, "note")])
    text = forms.CharField(required=False, strip=False, max_length=100_000)
    subject = forms.CharField(required=False, max_length=300)
    cc = forms.CharField(required=False, max_length=2000)
    bcc = forms.CharField(required=False, max_length=2000)
    sent_to = forms.CharField(required=False, max_length=320)


MOST_UPLOADED = 20 * 1024 * 1024


class UploadForm(Checked):
    """`content_type` is what the bytes are, not what the browser called them."""

    channel = forms.ChoiceField(choices=[(name, name) for name in CHANNELS])
    file = forms.FileField(
        max_length=255, error_messages={"required": "Choose a file.", "empty": "That file is empty."}
    )
    content_type = "application/octet-stream"

    def clean_file(self) -> UploadedFile[Any]:
        upload: UploadedFile[Any] = self.cleaned_data["file"]
        if (upload.size or 0) > MOST_UPLOADED:
            raise forms.ValidationError(f"{upload.name} is too large: 20 MB is the most.")
        start = upload.read(4096)
        upload.seek(0)
        try:
            self.content_type = puremagic.from_string(start, mime=True, filename=upload.name) or self.content_type
        except puremagic.PureError:
            self.content_type = "text/plain" if _is_text(start) else self.content_type
        return upload


def _is_text(start: bytes) -> bool:
    return b"\x00" not in start and bool(start.decode("utf-8", "ignore"))


class AssignForm(Checked):
    """Somebody of the case's teams, nobody, or another team."""

    agent = forms.CharField(required=False)
    team = forms.ModelChoiceField(
        Team.objects.all(), required=False, error_messages={"invalid_choice": "No such team."}
    )

    def __init__(self, *args: Any, case: Case, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.case = case

    def clean_agent(self) -> Agent | None:
        pk = self.cleaned_data["agent"]
        if not pk:
            return None
        team_mates = self.case.those_who_may_have_it()
        found: Agent | None = team_mates.filter(pk=pk).first() if pk.isdecimal() else None
        if found is None:
            raise forms.ValidationError("They are not in a team of this case.")
        return found


class SnoozeForm(Checked):
    until = forms.DateTimeField(error_messages={"required": "Choose until when.", "invalid": "Give a day and a time."})

    def clean_until(self) -> datetime:
        until: datetime = self.cleaned_data["until"]
        if until <= now():
            raise forms.ValidationError("That time has passed already.")
        if until > now() + timedelta(days=366):
            raise forms.ValidationError("A year is the longest.")
        return until


class FactForm(Checked):
    entry = forms.IntegerField(min_value=1, error_messages={"required": "Choose a message."})
    value = forms.CharField(max_length=200, error_messages={"required": "Select what to keep, then pin it."})


AGES = {"hour": "Within an hour", "day": "Within a day", "week": "Within a week", "older": "Older than a week"}
SPANS = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(weeks=1)}


class NarrowForm(Checked):
    """Which receipts of the quarantine are meant: all, or those of one connection, cause and age."""

    kept_as = forms.ChoiceField(choices=[("", ""), ("let-go", "")], required=False)
    connector = forms.IntegerField(min_value=1, max_value=2**62, required=False)
    cause = forms.CharField(max_length=500, strip=False, required=False)
    age = forms.ChoiceField(choices=[("", ""), *AGES.items()], required=False)

    def kept(self) -> ReceiptQuerySet:
        receipts = Receipt.objects.all()
        return receipts.discarded() if self.cleaned_data["kept_as"] else receipts.quarantined()

    def rows(self) -> ReceiptQuerySet:
        asked, rows = self.cleaned_data, self.kept()
        if asked["connector"]:
            rows = rows.filter(connector=asked["connector"])
        if asked["cause"]:
            rows = rows.of_cause(asked["cause"])
        if asked["age"]:
            is_older = asked["age"] == "older"
            since = now() - SPANS["week" if is_older else asked["age"]]
            rows = rows.filter(received_at__lt=since) if is_older else rows.filter(received_at__gte=since)
        return rows

    @property
    def query(self) -> str:
        return urlencode({name: value for name, value in self.cleaned_data.items() if value})


class ConsentForm(Checked):
    """What somebody said, to one of their addresses and for one purpose."""

    STATES = [(state.value, state.label) for state in ConsentState if state != ConsentState.OPTED_IN]

    identity = forms.ModelChoiceField(
        Identity.objects.none(), error_messages={"required": "Choose an address.", "invalid_choice": "Not theirs."}
    )
    purpose = forms.ChoiceField(choices=Purpose.choices, error_messages={"required": "Say for what."})
    state = forms.ChoiceField(choices=STATES, error_messages={"required": "Say what they agreed to."})
    said = forms.CharField(max_length=200, error_messages={"required": "Say how you know: in what words, and where."})

    def __init__(self, *args: Any, identities: QuerySet[Identity], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["identity"].queryset = identities.filter(erased_at=None)  # type: ignore[attr-defined]


class KeepingForm(Checked):
    """`whose`: "team-3", "connector-7" or empty for all; cleaned, (team, connector)."""

    whose = forms.CharField(max_length=40, required=False)
    days = forms.IntegerField(
        min_value=1,
        max_value=36_500,
        error_messages={"required": "Say for how many days.", "invalid": "Give a number."},
    )
    sure = forms.BooleanField(error_messages={"required": "Tick that you are sure. What is older is erased for good."})

    def clean_whose(self) -> tuple[Team | None, Connector | None]:
        kind, _, pk = self.cleaned_data["whose"].partition("-")
        known = pk.isdecimal() and len(pk) < 19
        team = Team.objects.filter(pk=pk).first() if kind == "team" and known else None
        connector = Connector.objects.filter(pk=pk).first() if kind == "connector" and known else None
        if kind and not (team or connector):
            raise forms.ValidationError("There is no such team or connection.")
        return team, connector
