"""What is asked when an Instagram account is connected."""

from __future__ import annotations

from connectors.adapters.steps import FILED_WORDS, FIRST_ANSWER, Field, Step

STEPS = (
    Step(
        "app",
        "App at Meta",
        "Make an app in Meta's dashboard once; it needs the product Instagram. Copy its id and secret from there.",
        (
            Field(
                "flavour",
                "Sign in with",
                default="instagram",
                choices=(("instagram", "Instagram (no Facebook page needed)"), ("page", "Facebook, for a linked page")),
                is_option=True,
            ),
            Field(
                "app_id",
                "App ID",
                hint="For signing in with Instagram: the Instagram app ID, not the Meta app's.",
                is_option=True,
                is_needed=False,
            ),
            Field(
                "app_secret",
                "App secret",
                hint="Where two may sign (the Instagram app's, the Meta app's): both, with a space between.",
                is_secret=True,
            ),
        ),
    ),
    Step(
        "webhook",
        "Webhook",
        "In the app's dashboard, under Webhooks, enter this address and this verify token, and tick messages, "
        "message_reactions, messaging_postbacks, messaging_referral, messaging_seen, message_edit and standby.",
        (Field("verify_token", "Verify token", is_secret=True, is_made=True),),
        shows_webhook=True,
        shows_beside=(("Deauthorise callback", "deauthorised/"), ("Data deletion request", "deletion/")),
    ),
    Step(
        "sign-in",
        "Sign in",
        "The owner of the account signs in at Meta and allows us to read and answer its messages. First, in the "
        "Instagram app, switch on “Allow access to messages”.",
        (
            Field(
                "access_token",
                "Access token",
                hint="Only where you have one from Meta's dashboard; signing in fills it.",
                is_secret=True,
            ),
        ),
        signs_in=True,
    ),
    Step(
        "rules",
        "Rules",
        "After 24 hours Instagram takes answers only where Meta has approved this app for human agents, up to 7 days.",
        (
            Field(
                "human_agent",
                "Meta has approved the Human Agent feature for this app",
                choices=(("yes", ""),),
                is_option=True,
                is_needed=False,
            ),
            *FIRST_ANSWER,
            FILED_WORDS,
        ),
    ),
)
