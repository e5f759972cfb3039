"""What Twilio says of a WhatsApp message beyond a text's parameters (twilio.md §1)."""

from __future__ import annotations

from connectors.adapters.twilio.parameters import Parameters
from connectors.messages import Sender

UNNAMED = {"", "text", "image", "audio", "video", "document", "sticker"}  # what is in them speaks for itself


def sender(address: str, parameters: Parameters) -> Sender:
    """`address` is a number, or an id that means the person to our business alone when they hide their number.

    Who shows both is known by both from then on. WhatsApp has proven the number: a text from it is the same person's.
    """
    number = address if address.startswith("+") else ""
    hidden = parameters.first("ExternalUserId")
    also = [("whatsapp", hidden)] if hidden and hidden != address else []
    also += [("phone", number)] if number else []
    return Sender(address, name=parameters.first("ProfileName"), also=tuple(also))


def text(parameters: Parameters) -> str:
    words = parameters.first("Body") or parameters.first("ButtonText")
    if not parameters.first("Latitude"):
        return words
    place = ", ".join(filter(None, (parameters.first("Label"), parameters.first("Address"))))
    where = f"{parameters.first('Latitude')}, {parameters.first('Longitude')}"
    return "\n".join(filter(None, (words, place, where)))


def remark(parameters: Parameters) -> str:
    kind = parameters.first("MessageType")
    if kind in ("button", "interactive"):
        return "Tapped a button"
    if kind == "location":
        return "Sent a place"
    if headline := parameters.first("ReferralHeadline"):
        return f"Came from an ad: {headline}"[:200]
    if parameters.first("FrequentlyForwarded") == "true":
        return "Forwarded many times"
    if parameters.first("Forwarded") == "true":
        return "Forwarded"
    if kind not in UNNAMED and not (parameters.first("Body") or parameters.first("MediaUrl0")):
        return f"Sent something Twilio does not pass on ({kind[:40]})"
    return ""
