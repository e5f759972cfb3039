"""A live test of a number: Twilio takes our credentials, the number is ours and can text, its webhook reaches us."""

from __future__ import annotations

import secrets
from urllib.parse import urlencode

import requests
from twilio.request_validator import RequestValidator
from twilio.rest.api.v2010.account.incoming_phone_number import IncomingPhoneNumberInstance

from connectors.adapters.checks import checked
from connectors.adapters.twilio import send
from connectors.adapters.twilio.client import NO_ANSWER, REFUSED, TIMEOUT_SECONDS, client_of, refusal
from connectors.errors import ConnectionLost
from connectors.messages import Account, Check

SIGN_IN = "Copy the account SID and the auth token from the first page of Twilio's console."
NUMBER = "Correct the number here, or buy one that can text in Twilio's console."
WEBHOOK = "In Twilio's console open the number and enter our webhook address for incoming messages, with POST."
REACH = "PUBLIC_URL must be the https address under which the Internet reaches us."


def checks(account: Account, *, is_number: bool = True) -> list[Check]:
    """`is_number`: it is bought at Twilio as a number. A WhatsApp sender may be at home elsewhere."""
    found = [checked("Sign-in", lambda: _sign_in(account), fix=SIGN_IN)]
    if found[0].ok and is_number:
        found.append(checked("Number", lambda: _number(account), fix=NUMBER))
        found.append(checked("Webhook at Twilio", lambda: _webhook(account), fix=WEBHOOK))
    found.append(checked("Webhook here", lambda: _takes_a_webhook(account), fix=REACH))
    return found


def _sign_in(account: Account) -> str:
    return f"Twilio knows the account “{send.account_name(account)}”."


def _number(account: Account) -> str:
    numbers = [_bought(account, address) for address in account.addresses]
    dumb = [each.phone_number for each in numbers if not (each.capabilities or {}).get("sms")]
    if dumb:
        raise ConnectionLost(f"{dumb[0]} cannot send texts.")
    pictures = all((each.capabilities or {}).get("mms") for each in numbers)
    return f"{' and '.join(account.addresses)} can send texts{' and pictures' if pictures else ', no pictures'}."


def _webhook(account: Account) -> str:
    if account.options.get("messaging_service_sid"):
        return "The messaging service says where messages go; look there."
    for address in account.addresses:
        given = (_bought(account, address).sms_url or "").partition("#")[0]
        if given != account.webhook_url:
            raise ConnectionLost(f"Twilio tells {given or 'nobody'} of messages to {address}, not us.")
    return "Twilio tells us of messages."


def _bought(account: Account, address: str) -> IncomingPhoneNumberInstance:
    try:
        found = client_of(account).api.v2010.account.incoming_phone_numbers.list(phone_number=address, limit=1)
    except REFUSED as error:
        raise refusal(error, None) from error
    except NO_ANSWER as error:
        raise ConnectionLost("Twilio could not be asked about the number.") from error
    if not found:
        raise ConnectionLost(f"{address} is not a number of this Twilio account.")
    return found[0]


def _takes_a_webhook(account: Account) -> str:
    """The whole way from the Internet to our answer, with a report about a message that nobody has sent."""
    fields = {
        "AccountSid": account.secrets.get("account_sid", ""),
        "MessageSid": f"SM{secrets.token_hex(16)}",
        "MessageStatus": "queued",
        "To": "",
        "From": "",
    }
    signature = RequestValidator(account.secrets.get("auth_token", "")).compute_signature(account.webhook_url, fields)
    headers = {"X-Twilio-Signature": signature, "Content-Type": "application/x-www-form-urlencoded"}
    try:
        answer = requests.post(
            account.webhook_url, urlencode(fields), headers=headers, timeout=TIMEOUT_SECONDS, allow_redirects=False
        )
    except requests.RequestException as error:
        raise ConnectionLost("Our own webhook address does not answer.") from error
    if answer.status_code == 403:
        raise ConnectionLost("Our own webhook address refused a message signed as Twilio signs: a proxy changes it.")
    if answer.status_code != 200 or not answer.headers.get("Content-Type", "").startswith("text/xml"):
        raise ConnectionLost(f"Something else answers at our webhook address ({answer.status_code}).")
    return "A signed message reached us and was answered as Twilio wants it."
