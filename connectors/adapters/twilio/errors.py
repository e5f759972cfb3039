"""Twilio's error codes in an agent's words, each with what to do (twilio.md §5)."""

from __future__ import annotations

from dataclasses import dataclass

from connectors.errors import SendFailed

RETRY_SECONDS = 5  # when Twilio says "too many" without saying until when


@dataclass(frozen=True, slots=True)
class Trouble:
    reason: str
    permanent: bool = True
    reconnect: bool = False
    opted_out: bool = False
    retry_after: int | None = None


_TWILIO_ADMIN = "An administrator can change that in Twilio."
_NOT_REACHED = "Check the number, or use another channel."

TROUBLES: dict[int, Trouble] = {
    # when a message is handed over
    20003: Trouble("Twilio refused our credentials. An administrator must reconnect this number.", reconnect=True),
    20404: Trouble("Twilio does not know this account. An administrator must reconnect this number.", reconnect=True),
    20429: Trouble("Twilio takes no more requests right now.", permanent=False, retry_after=RETRY_SECONDS),
    21211: Trouble("This is not a phone number Twilio can send to. Check the number."),
    21212: Trouble("Twilio does not accept our number as a sender. An administrator must check the connector."),
    21408: Trouble(f"Texts to this country are switched off in our Twilio account. {_TWILIO_ADMIN}"),
    21606: Trouble("Our number cannot send texts, or is not ours. An administrator must check the connector."),
    21608: Trouble(f"Our Twilio account is on trial and may write to verified numbers only. {_TWILIO_ADMIN}"),
    21609: Trouble("Twilio cannot use our status address. An administrator must check PUBLIC_URL."),
    21610: Trouble(
        "They opted out of texts from this number. Use another channel; a text from them saying START allows it again.",
        opted_out=True,
    ),
    21611: Trouble(
        "More texts are waiting at Twilio than our number sends in ten hours.", permanent=False, retry_after=600
    ),
    21612: Trouble("Twilio cannot reach this number from ours. Use another channel."),
    21614: Trouble("This number cannot receive texts. Use another channel."),
    21617: Trouble("The text is longer than 1,600 characters. Shorten it."),
    21619: Trouble("There is nothing to send. Write a text or add a file."),
    21620: Trouble("Twilio could not use the file's address. Send the text without the file."),
    21623: Trouble("A text message carries at most 10 files. Take some out."),
    21635: Trouble("This is a landline, which cannot receive texts. Use another channel."),
    21659: Trouble("Our number is not a Twilio number of this account. An administrator must check the connector."),
    21660: Trouble("Our number belongs to another Twilio account. An administrator must check the connector."),
    21703: Trouble(f"The messaging service has no number that can send. {_TWILIO_ADMIN}"),
    21704: Trouble(f"The messaging service has no number at all. {_TWILIO_ADMIN}"),
    # on the way to the handset
    30001: Trouble("Twilio's queue overflowed before this text was sent. Try again."),
    30002: Trouble(f"Our Twilio account is suspended. {_TWILIO_ADMIN}", reconnect=True),
    30003: Trouble("The phone is switched off, out of reach, or a landline. Try again later."),
    30004: Trouble("The carrier or the person blocks texts from us. Use another channel."),
    30005: Trouble(f"The number is unknown or no longer in use. {_NOT_REACHED}"),
    30006: Trouble("This is a landline or a carrier that takes no texts. Use another channel."),
    30007: Trouble("The carrier filtered the text as spam. Reword it, or use another channel."),
    30008: Trouble(f"The carrier did not deliver the text and gave no reason. {_NOT_REACHED}"),
    30022: Trouble("Our number sent more texts than US carriers allow at once. Try again later."),
    30023: Trouble("Our number reached its daily limit with US carriers. Try again tomorrow."),
    30032: Trouble(f"Our toll-free number is not verified. {_TWILIO_ADMIN}"),
    30034: Trouble(f"Our number is not registered for business texts in the US. {_TWILIO_ADMIN}"),
    30036: Trouble("The text could not be sent in time and was dropped. Try again."),
    30410: Trouble("The carrier did not answer in time. Try again later."),
    # WhatsApp
    63003: Trouble(f"This number has no WhatsApp. {_NOT_REACHED}"),
    63005: Trouble("WhatsApp refused what is in this message. Reword it, or use another channel."),
    63007: Trouble("Our WhatsApp number is not set up at Twilio. An administrator must check the connector."),
    63012: Trouble("WhatsApp had a failure of its own. Try again later."),
    63013: Trouble("WhatsApp says that this message breaks its rules. Reword it, or use another channel."),
    63015: Trouble("This person has not joined Twilio's WhatsApp sandbox. They have to send its join words first."),
    63016: Trouble(
        "They last wrote more than 24 hours ago, and WhatsApp allows no answer after that. Use another channel."
    ),
    63018: Trouble("We send more than WhatsApp allows at once. Try again later."),
    63019: Trouble("WhatsApp could not fetch the file. Try again, or send it by email."),
    63021: Trouble("WhatsApp cannot take this message as it is. Shorten it or take the file out."),
    63024: Trouble(f"WhatsApp cannot reach this person. {_NOT_REACHED}"),
    63032: Trouble("WhatsApp lets nobody write to this person just now. Use another channel."),
}


def explain(code: str, message: str = "") -> str:
    """A sentence for an error code of a status callback, with Twilio's own words when the code is new to us."""
    if code.isdecimal() and (trouble := TROUBLES.get(int(code))):
        return trouble.reason
    said = message.strip()[:200] or "The carrier did not deliver the text"
    return f"{said.rstrip('.')}{f' (Twilio error {code})' if code else ''}. {_NOT_REACHED}"


def has_opted_out(code: str) -> bool:
    return code.isdecimal() and int(code) in TROUBLES and TROUBLES[int(code)].opted_out


def failure(status: int, code: int, message: str, retry_after: int | None) -> SendFailed:
    """What a refusal (HTTP 4xx) of Twilio's means. `retry_after`: seconds its answer asked for, if it did."""
    if (trouble := TROUBLES.get(code)) is None:
        if status == 429:
            trouble = TROUBLES[20429]
        elif status == 401:
            trouble = TROUBLES[20003]
        else:
            said = message.removeprefix("Unable to create record: ").strip()[:200] or f"It answered {status}"
            trouble = Trouble(f"Twilio refused the text: {said.rstrip('.')} (error {code}).")
    return SendFailed(
        trouble.reason,
        permanent=trouble.permanent,
        code=str(code),
        retry_after=None if trouble.permanent else retry_after or trouble.retry_after,
        reconnect=trouble.reconnect,
        opted_out=trouble.opted_out,
        holds_all=trouble is TROUBLES[20429],
    )
