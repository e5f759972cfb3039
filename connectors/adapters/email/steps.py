"""What is asked when a mailbox is connected."""

from __future__ import annotations

from connectors.adapters.steps import Field, Step

SECURE = (("ssl", "TLS from the first byte"), ("starttls", "STARTTLS"))

STEPS = (
    Step(
        "receiving",
        "Receiving",
        "How we read the mailbox. Nothing in it is changed or deleted.",
        (
            Field("imap_host", "IMAP server", hint="mail.example.com"),
            Field("imap_port", "IMAP port", default="993"),
            Field("imap_security", "IMAP security", default="ssl", choices=SECURE),
            Field("imap_username", "IMAP user name", like="address"),
            Field(
                "imap_password", "IMAP password", hint="Where two-step sign-in is on: an app password.", is_secret=True
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
            Field("smtp_password", "SMTP password", is_secret=True, like="imap_password"),
            Field("from_name", "Name customers see", is_option=True, like="name"),
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
                hint="Without it no sender counts as proven. It is the first word of that header in any mail you got.",
                is_option=True,
                is_needed=False,
            ),
            Field("folder", "Folder to read", hint="INBOX when left empty.", is_option=True, is_needed=False),
        ),
    ),
)
