"""What is asked when a number is connected."""

from __future__ import annotations

from connectors.adapters.steps import FILED_WORDS, FIRST_ANSWER, Field, Step

STEPS = (
    Step(
        "credentials",
        "Twilio account",
        "Both are on the first page of Twilio's console.",
        (
            Field("account_sid", "Account SID", hint="It begins with AC."),
            Field("auth_token", "Auth token", is_secret=True),
            Field("messaging_service_sid", "Messaging service SID", is_option=True, is_needed=False),
            Field(
                "from_name",
                "Name customers know you by",
                hint="The first text in a case begins with it.",
                is_option=True,
                is_needed=False,
            ),
            Field(
                "other_programs",
                "Other programs send from this number too",
                hint="What they send then never counts as an answer.",
                is_option=True,
                is_needed=False,
                choices=(("yes", "Yes"),),
            ),
        ),
    ),
    Step(
        "webhook",
        "Webhook",
        "In Twilio's console open the number (or the messaging service) and enter this address for incoming messages, "
        "with POST. With #rc=3&rp=ct,rt,5xx behind it Twilio tries again when we do not answer; without, we find such "
        "messages a few minutes later.",
        shows_webhook=True,
    ),
    Step("rules", "Rules", "What is done without anybody's doing.", (*FIRST_ANSWER, FILED_WORDS)),
)
