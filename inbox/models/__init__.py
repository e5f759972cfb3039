from inbox.models.agent import Agent, Presence, Role, Team
from inbox.models.alert import Alert, AlertSeen
from inbox.models.attachment import Attachment, FileState
from inbox.models.audit import Act, Audit
from inbox.models.case import AnotherIsLive, Case, Sensitive
from inbox.models.cases import Status
from inbox.models.delivery import Delivery, ProviderMessage, State
from inbox.models.draft import Draft
from inbox.models.entry import Entry, EntryKind
from inbox.models.erasing import Erasing
from inbox.models.fact import Fact, FactKind, Mention
from inbox.models.file_import import FileImport, ImportState
from inbox.models.invitation import Invitation, WrongCode
from inbox.models.merge import Merge
from inbox.models.participant import Participant, ParticipantRole
from inbox.models.privacy_request import PrivacyRequest, Wish
from inbox.models.proposal import Evidence, Proposal, ProposalState, Strength
from inbox.models.reading import Reading
from inbox.models.regrouping import Regrouping, RegroupingKind
from inbox.models.retention import RetentionRule
from inbox.models.sign_in import SignInAttempt
from inbox.models.switch import Loudness, Switch
from inbox.models.trace import Considered, Trace, TraceKind, Upto
from inbox.models.unheard import Unheard

__all__ = [
    "Act",
    "Agent",
    "Alert",
    "AlertSeen",
    "AnotherIsLive",
    "Attachment",
    "Audit",
    "Case",
    "Considered",
    "Delivery",
    "Draft",
    "Entry",
    "EntryKind",
    "Erasing",
    "Evidence",
    "Fact",
    "FactKind",
    "FileImport",
    "FileState",
    "ImportState",
    "Invitation",
    "Loudness",
    "Mention",
    "Merge",
    "Participant",
    "ParticipantRole",
    "Presence",
    "PrivacyRequest",
    "Proposal",
    "ProposalState",
    "ProviderMessage",
    "Reading",
    "Regrouping",
    "RegroupingKind",
    "RetentionRule",
    "Role",
    "Sensitive",
    "SignInAttempt",
    "State",
    "Status",
    "Strength",
    "Switch",
    "Team",
    "Trace",
    "TraceKind",
    "Unheard",
    "Upto",
    "Wish",
    "WrongCode",
]
