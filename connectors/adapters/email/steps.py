"""What is asked when a mailbox is connected."""

from __future__ import annotations

from connectors.adapters.email.authenticity import UNNAMED, a_name
from connectors.adapters.steps import FIRST_ANSWER, Field, Step

TICK = (("yes", ""),)
SECURE = (("ssl", "TLS from the first byte"), ("starttls", "STARTTLS"))

STEPS = (
    Step(
        "sign-in",
        "Sign-in",
        "Most mailboxes are opened with a user name and a password: go on. At Google and Microsoft the mailbox's "
        "owner signs in there instead: register an app with them once, with this redirect address, and save its id "
        "and secret here; then this page has a button for signing in.",
        (
            Field(
                "oauth_provider",
                "Sign in with",
                choices=(
                    ("", "User name and password"),
                    ("google", "Google (Gmail, Workspace)"),
                    ("microsoft", "Microsoft 365"),
                ),
                is_needed=False,
            ),
            Field("oauth_client_id", "App's client ID", is_needed=False),
            Field("oauth_client_secret", "App's client secret", is_secret=True, is_needed=False),
            Field("oauth_tenant", "Tenant", hint="At Microsoft: your directory's id or domain.", is_needed=False),
        ),
        signs_in=True,
    ),
    Step(
        "receiving",
        "Receiving",
        "How we read the mailbox. Nothing in it is changed or deleted unless you say so under Rules.",
        (
            Field("imap_host", "IMAP server", hint="mail.example.com"),
            Field("imap_port", "IMAP port", default="993"),
            Field("imap_security", "IMAP security", default="ssl", choices=SECURE),
            Field("imap_username", "IMAP user name", like="address"),
            Field(
                "imap_password",
                "IMAP password",
                hint="Where two-step sign-in is on: an app password.",
                is_secret=True,
                unless="oauth_provider",
            ),
        ),
    ),
    Step(
        "sending",
        "Sending",
        "How replies leave. Most servers take the same user name and password.",
        (
            Field("smtp_host", "SMTP server", like="imap_host"),
            Field("smtp_port", "SMTP port", default="587"),
            Field("smtp_security", "SMTP security", default="starttls", choices=SECURE),
            Field("smtp_username", "SMTP user name", like="imap_username"),
            Field("smtp_password", "SMTP password", is_secret=True, like="imap_password", unless="oauth_provider"),
            Field("from_name", "Name customers see", is_option=True, like="name"),
            Field(
                "signature",
                "Signature",
                hint="Stands below every answer from this mailbox.",
                is_option=True,
                is_needed=False,
                is_long=True,
            ),
            Field(
                "no_plus",
                "Mail to plus addresses (name+anything@…) does not arrive here",
                choices=TICK,
                is_option=True,
                is_needed=False,
            ),
        ),
    ),
    Step(
        "rules",
        "Rules",
        "What counts as proof of a sender, and what is read.",
        (
            Field(
                "authserv_id",
                "Name your server writes into Authentication-Results",
                hint="Without it no sender counts as proven. It is the first word of that header in any mail you got. "
                f"Microsoft 365 writes none there, only results like spf=pass: enter {UNNAMED}.",
                is_option=True,
                is_needed=False,
                check=a_name,
            ),
            *FIRST_ANSWER,
            Field(
                "forms",
                "Senders behind whom the person stands in Reply-To",
                hint="Contact forms, marketplaces: their addresses, or *@their-domain.example.",
                is_option=True,
                is_needed=False,
            ),
            Field(
                "start",
                "Begin with",
                choices=(
                    ("", "mail that comes from now on"),
                    ("7", "the last 7 days"),
                    ("30", "the last 30 days"),
                    ("all", "everything in the folder"),
                ),
                hint="Counts when a folder is read for the first time. Nobody is written to because of old mail.",
                is_option=True,
                is_needed=False,
            ),
            Field(
                "folder",
                "Folders to read",
                hint="INBOX when left empty. Several: with semicolons between.",
                is_option=True,
                is_needed=False,
            ),
            Field(
                "sent_folder",
                "Folder of sent mail",
                hint="What colleagues send with a mail program shows up in the case. Found by itself when left empty; "
                "none: not read.",
                is_option=True,
                is_needed=False,
            ),
            Field("read_junk", "Read the junk folder too, as spam", choices=TICK, is_option=True, is_needed=False),
            Field(
                "after_import",
                "Mail that was taken in",
                choices=(
                    ("", "stays as it is"),
                    ("flag", "is marked as read and flagged"),
                    ("move", "is moved to another folder"),
                ),
                is_option=True,
                is_needed=False,
            ),
            Field(
                "done_folder",
                "Folder to move it to",
                hint="Throughline when left empty.",
                is_option=True,
                is_needed=False,
            ),
        ),
    ),
)
