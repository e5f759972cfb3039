from inbox.models.agent import Agent, Presence, Role, Team
from inbox.models.alert import Alert, AlertSeen
from inbox.models.attachment import Attachment, FileState
from inbox.models.case import AnotherIsLive, Case, Status
from inbox.models.delivery import Delivery, ProviderMessage, State
from inbox.models.draft import Draft
from inbox.models.entry import Entry, EntryKind
from inbox.models.fact import Fact, FactKind, Mention
from inbox.models.invitation import Invitation, WrongCode
from inbox.models.merge import Merge
from inbox.models.participant import Participant, ParticipantRole
from inbox.models.reading import Reading
from inbox.models.sign_in import SignInAttempt
from inbox.models.switch import Loudness, Switch

__all__ = [
    "Agent",
    "Alert",
    "AlertSeen",
    "AnotherIsLive",
    "Attachment",
    "Case",
    "Delivery",
    "Draft",
    "Entry",
    "EntryKind",
    "Fact",
    "FactKind",
    "FileState",
    "Invitation",
    "Loudness",
    "Mention",
    "Merge",
    "Participant",
    "ParticipantRole",
    "Presence",
    "ProviderMessage",
    "Reading",
    "Role",
    "SignInAttempt",
    "State",
    "Status",
    "Switch",
    "Team",
    "WrongCode",
]
