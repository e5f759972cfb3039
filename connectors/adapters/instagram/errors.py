"""Meta's error codes in an agent's words, each with what to do (instagram.md §11).

Decided on code and sub-code alone: the message is translated and changes.
"""

from __future__ import annotations

from dataclasses import dataclass

from connectors.adapters.instagram.fields import part, text
from connectors.adapters.instagram.graph import Answer
from connectors.errors import ConnectionLost, SendFailed, SendUnknown


@dataclass(frozen=True, slots=True)
class Trouble:
    reason: str
    permanent: bool = True
    reconnect: bool = False
    retry_after: int | None = None
    holds_all: bool = False


_ADMIN = "An administrator must reconnect the account."
WINDOW_CLOSED = Trouble(
    "They last wrote on Instagram too long ago, so Instagram takes no answer. Use another channel, or wait until they "
    "write there again."
)
TOKEN_DEAD = Trouble(f"Instagram no longer accepts our sign-in. {_ADMIN}", reconnect=True)
THROTTLED = Trouble(
    "Instagram takes no more messages from us right now.", permanent=False, retry_after=60, holds_all=True
)
UNUSUAL = Trouble(
    "Instagram finds our sending unusual. We send slower.", permanent=False, retry_after=900, holds_all=True
)
CANNOT_RECEIVE = Trouble("This person cannot receive messages on Instagram now. Use another channel.")
NO_SUCH_PERSON = Trouble(
    "Instagram does not know this person, or they never wrote to this account. Use another channel."
)
OTHER_APP = Trouble("Another app is in charge of this conversation. Answer from there, or take the conversation over.")
BAD_FILE = Trouble("Instagram could not use the file. Send it as JPEG, PNG, MP4 or PDF, or send the text alone.")
RESTRICTED = Trouble("Instagram has restricted our account from sending. An administrator must look into it.")
UNAPPROVED = Trouble(f"Our app may not write to this person yet: it is not approved or not live. {_ADMIN}")
OUR_MISTAKE = Trouble("Instagram did not accept the form of this message. Please report this.")

# (code, sub-code); sub-code None: any other one of this code
TROUBLES: dict[tuple[int, int | None], Trouble] = {
    (2, None): Trouble("Instagram has a passing failure.", permanent=False, retry_after=30),
    (4, None): THROTTLED,
    (17, None): THROTTLED,
    (32, None): THROTTLED,
    (80002, None): THROTTLED,
    (613, None): THROTTLED,
    (613, 1996): UNUSUAL,
    (613, 2018338): UNUSUAL,
    (10, None): Trouble(f"Instagram took away our permission to send. {_ADMIN}", reconnect=True),
    (10, 2534022): WINDOW_CLOSED,
    (10, 2018278): WINDOW_CLOSED,
    (10, 2018065): WINDOW_CLOSED,
    (10, 2534077): Trouble(f"The link between our Instagram account and its page is broken. {_ADMIN}", reconnect=True),
    (10, 1893063): RESTRICTED,
    (10, 2018108): CANNOT_RECEIVE,
    (100, 33): Trouble("Instagram does not know this conversation, or does not let us into it. Use another channel."),
    (100, 2018001): NO_SUCH_PERSON,
    (100, 2534014): NO_SUCH_PERSON,
    (100, 2534013): Trouble(f"Our page has no Instagram account any more. {_ADMIN}", reconnect=True),
    (100, 2534015): OUR_MISTAKE,
    (100, 2018014): OUR_MISTAKE,
    (100, 2534029): RESTRICTED,
    (100, 2534037): OTHER_APP,
    (100, 2018008): BAD_FILE,
    (100, 2018047): BAD_FILE,
    (100, 2018074): BAD_FILE,
    (100, 2018109): Trouble("The file is too large for Instagram: pictures up to 8 MB, anything else up to 25 MB."),
    (100, 2018294): Trouble("Instagram took too long to fetch the video. Send a shorter one."),
    (190, None): TOKEN_DEAD,
    (200, 2018027): UNAPPROVED,
    (200, 2018028): UNAPPROVED,
    (200, 2534041): Trouble(
        "The owner of the Instagram account switched off “Allow access to messages” in its settings. An administrator "
        "must switch it on again.",
        reconnect=True,
    ),
    (200, 1545041): CANNOT_RECEIVE,
    (551, None): CANNOT_RECEIVE,
    (230, None): NO_SUCH_PERSON,
    (9010, None): NO_SUCH_PERSON,
    (36103, None): Trouble("Our Instagram account may not use messaging. An administrator must look into it."),
    (2018300, None): OTHER_APP,
    (9000001, None): Trouble("That message was deleted on Instagram."),
    (2534068, None): Trouble("Instagram takes only one picture at a time from us. Send them one by one."),
}


def failure(answer: Answer) -> SendFailed | SendUnknown:
    """What an answer that is no success means for the message."""
    trouble = TROUBLES.get((answer.code, answer.subcode)) or TROUBLES.get((answer.code, None))
    if trouble is not THROTTLED and answer.status >= 500:
        return SendUnknown(f"Instagram had a failure of its own ({answer.status}); the message may have gone out.")
    if answer.code == 1:  # with sub-code 1357046 it is known to have gone out although an error came back
        return SendUnknown("Instagram reported an unknown error; the message may have gone out.")
    if trouble is None and answer.status == 429:
        trouble = THROTTLED
    if trouble is None and answer.status == 401:
        trouble = TOKEN_DEAD
    if trouble is None:
        said = text(part(answer.body, "error"), "message")[:200].rstrip(".")
        trouble = Trouble(
            f"Instagram refused the message: {said or f'it answered {answer.status}'} (error {_code(answer)})."
        )
    return SendFailed(
        trouble.reason,
        permanent=trouble.permanent,
        code=_code(answer),
        retry_after=None if trouble.permanent else answer.retry_after or trouble.retry_after,
        reconnect=trouble.reconnect,
        holds_all=trouble.holds_all,
    )


def lost(answer: Answer) -> ConnectionLost:
    """What an answer that is no success means for anything but a message."""
    trouble = TROUBLES.get((answer.code, answer.subcode)) or TROUBLES.get((answer.code, None))
    if trouble is None and answer.status == 401:
        trouble = TOKEN_DEAD
    if trouble is not None:
        return ConnectionLost(trouble.reason, reconnect=trouble.reconnect)
    said = text(part(answer.body, "error"), "message")[:200].rstrip(".")
    return ConnectionLost(f"Instagram refused: {said or f'it answered {answer.status}'} (error {_code(answer)}).")


def _code(answer: Answer) -> str:
    """Such as `10/2534022`; the HTTP status when Meta gave no code."""
    if not answer.code:
        return str(answer.status)
    return f"{answer.code}/{answer.subcode}" if answer.subcode else str(answer.code)
