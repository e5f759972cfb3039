"""The HTTP face of the Twilio REST API: paths, basic authentication, JSON shapes."""

from __future__ import annotations

import asyncio
import base64
import hmac
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

from aiohttp import web

from connectors.sandbox.twilio_api import E164, Text, Twilio, number_sid, segments
from connectors.sandbox.twilio_errors import TwilioError

ACCOUNT = "/2010-04-01/Accounts/{account}"
Handler = Callable[[web.Request, str], Awaitable[web.StreamResponse]]


class TwilioRest:
    def __init__(self, twilio: Twilio) -> None:
        self.twilio = twilio

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get(f"{ACCOUNT}.json", self.guarded(self.account)),
            web.get(f"{ACCOUNT}/IncomingPhoneNumbers.json", self.guarded(self.numbers)),
            web.post(f"{ACCOUNT}/IncomingPhoneNumbers/{{sid}}.json", self.guarded(self.change_number)),
            web.post(f"{ACCOUNT}/Messages.json", self.guarded(self.create)),
            web.get(f"{ACCOUNT}/Messages.json", self.guarded(self.list)),
            web.get(f"{ACCOUNT}/Messages/{{sid}}.json", self.guarded(self.one)),
            web.get(f"{ACCOUNT}/Messages/{{sid}}/Media.json", self.guarded(self.media_list)),
            web.get(f"{ACCOUNT}/Messages/{{sid}}/Media/{{media}}.json", self.guarded(self.media_one)),
            web.get(f"{ACCOUNT}/Messages/{{sid}}/Media/{{media}}", self.guarded(self.media)),
            web.delete(f"{ACCOUNT}/Messages/{{sid}}/Media/{{media}}.json", self.guarded(self.forget_media)),
            web.route("*", "/2010-04-01/{rest:.*}", self.guarded(self.missing)),
        ]

    def guarded(self, handler: Handler) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        """Authentication, the faults that are on, errors in Twilio's shape, a line on the wire."""

        async def guard(request: web.Request) -> web.StreamResponse:
            faults, began = self.twilio.faults, asyncio.get_running_loop().time()
            try:
                account = self.authenticate(request)
                slow = faults.take("twilio", "slow")
                if slow is not None:
                    await asyncio.sleep(slow.seconds)
                if faults.take("twilio", "429") is not None:
                    raise TwilioError(20429)
                if faults.take("twilio", "500") is not None:
                    raise TwilioError(20500)
                response = await handler(request, account)
            except TwilioError as error:
                more = f"https://www.twilio.com/docs/errors/{error.code}"
                body = {"code": error.code, "message": error.message, "more_info": more, "status": error.status}
                response = web.json_response(body, status=error.status)
                self.log(request, began, f"{error.status} · {error.code}", error.message, ok=False)
                return response
            if request.method == "POST" and faults.take("twilio", "hang_after_accept") is not None:
                self.log(request, began, "accepted, then hung up", ok=False)
                if request.transport is not None:
                    request.transport.abort()
                return response
            self.log(request, began, str(response.status))
            return response

        return guard

    def log(self, request: web.Request, began: float, result: str, detail: str = "", *, ok: bool = True) -> None:
        ms = round((asyncio.get_running_loop().time() - began) * 1000)
        what = f"{request.method} {request.path.rpartition('/')[2]}"
        self.twilio.wire.log("twilio", "provider", what, result, f"{ms} ms", detail=detail or request.path, ok=ok)

    def authenticate(self, request: web.Request) -> str:
        """The account of the path, if its token signed in."""
        scheme, _, encoded = request.headers.get("Authorization", "").partition(" ")
        account = request.match_info.get("account", "")
        try:
            user, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
        except ValueError:
            raise TwilioError(20003) from None
        expected = self.twilio.token(user)
        if scheme.lower() != "basic" or expected is None:
            raise TwilioError(20003)
        if not hmac.compare_digest(expected.encode(), password.encode()):
            raise TwilioError(20003)
        if self.twilio.faults.take("twilio", "bad_token") is not None:
            raise TwilioError(20003)
        if account and account != user:
            raise TwilioError(20404, request.path)
        return user

    async def create(self, request: web.Request, account: str) -> web.StreamResponse:
        form = await request.post()
        values: dict[str, list[str]] = {}
        for name, value in form.items():
            values.setdefault(name, []).append(str(value))
        text = self.twilio.accept(account, values)
        return web.json_response(self.shape(text), status=201)

    async def list(self, request: web.Request, account: str) -> web.StreamResponse:
        """Newest first, filtered like the real one: To, From, DateSent with its comparisons in the name."""
        query = request.query
        found = [text for text in self.twilio.texts.values() if text.account_sid == account]
        if query.get("To"):
            found = [text for text in found if text.recipient == query["To"]]
        if query.get("From"):
            found = [text for text in found if text.sender == query["From"]]
        if query.get("DateSent>"):
            found = [text for text in found if text.created >= _when(query["DateSent>"])]
        if query.get("DateSent<"):
            found = [text for text in found if text.created <= _when(query["DateSent<"])]
        if query.get("DateSent"):
            day = query["DateSent"][:10]
            found = [text for text in found if datetime.fromtimestamp(text.created, UTC).isoformat()[:10] == day]
        found.sort(key=lambda text: text.created, reverse=True)
        size, page = min(int(query.get("PageSize", 50)), 1000), int(query.get("Page", 0))
        shown = found[page * size : (page + 1) * size]
        path = request.path
        following = f"{path}?{_paged(request, page + 1)}" if len(found) > (page + 1) * size else None
        return web.json_response(
            {
                "messages": [self.shape(text) for text in shown],
                "page": page,
                "page_size": size,
                "start": page * size,
                "end": page * size + max(len(shown) - 1, 0),
                "uri": request.path_qs,
                "first_page_uri": f"{path}?{_paged(request, 0)}",
                "next_page_uri": following,
                "previous_page_uri": f"{path}?{_paged(request, page - 1)}" if page else None,
            }
        )

    async def one(self, request: web.Request, account: str) -> web.StreamResponse:
        return web.json_response(self.shape(self.find(request, account)))

    async def media_list(self, request: web.Request, account: str) -> web.StreamResponse:
        text = self.find(request, account)
        shown = [self.media_shape(text, media) for media in text.media]
        page = {"page": 0, "page_size": 50, "start": 0, "end": max(len(shown) - 1, 0), "uri": request.path_qs}
        return web.json_response({"media_list": shown, "next_page_uri": None} | page)

    async def media_one(self, request: web.Request, account: str) -> web.StreamResponse:
        text, media = self.find_media(request, account)
        return web.json_response(self.media_shape(text, media))

    async def media(self, request: web.Request, account: str) -> web.StreamResponse:
        """The bytes: like the real one, a redirect to a host that wants no password."""
        _, media = self.find_media(request, account)
        location = f"{self.twilio.config.base_url}/files/{media['file']}"
        return web.Response(status=307, headers={"Location": location})

    async def forget_media(self, request: web.Request, account: str) -> web.StreamResponse:
        text, media = self.find_media(request, account)
        text.media.remove(media)
        self.twilio.keep(text)
        return web.Response(status=204)

    async def account(self, request: web.Request, account: str) -> web.StreamResponse:
        return web.json_response({"sid": account, "friendly_name": "Sandbox", "status": "active", "type": "Full"})

    async def numbers(self, request: web.Request, account: str) -> web.StreamResponse:
        wanted = request.query.get("PhoneNumber", "")
        shown = [
            {
                "sid": number_sid(number),
                "account_sid": account,
                "phone_number": number,
                "friendly_name": connector.name,
                "sms_url": connector.webhook_url,
                "capabilities": {"sms": True, "mms": True, "voice": False, "fax": False},
            }
            for number, connector in self.twilio.connectors.items()
            if connector.kind == "sms"
            and connector.account_sid == account
            and (not E164.fullmatch(wanted) or number == wanted)
        ]
        return web.json_response({"incoming_phone_numbers": shown, "next_page_uri": None, "page": 0, "page_size": 50})

    async def change_number(self, request: web.Request, account: str) -> web.StreamResponse:
        sid, url = request.match_info["sid"], str((await request.post()).get("SmsUrl", ""))
        number = self.twilio.call_at(account, sid, url)
        return web.json_response({"sid": sid, "account_sid": account, "phone_number": number, "sms_url": url})

    async def missing(self, request: web.Request, account: str) -> web.StreamResponse:
        raise TwilioError(20404, request.path)

    def find(self, request: web.Request, account: str) -> Text:
        text = self.twilio.texts.get(request.match_info["sid"])
        if text is None or text.account_sid != account:
            raise TwilioError(20404, request.path)
        return text

    def find_media(self, request: web.Request, account: str) -> tuple[Text, dict[str, str]]:
        text = self.find(request, account)
        media = next((one for one in text.media if one["sid"] == request.match_info["media"] and one["file"]), None)
        if media is None:
            raise TwilioError(20404, request.path)
        return text, media

    def media_shape(self, text: Text, media: dict[str, str]) -> dict[str, Any]:
        path = f"/2010-04-01/Accounts/{text.account_sid}/Messages/{text.sid}/Media/{media['sid']}.json"
        return {
            "sid": media["sid"],
            "account_sid": text.account_sid,
            "parent_sid": text.sid,
            "content_type": media["type"],
            "date_created": _rfc2822(text.created),
            "date_updated": _rfc2822(text.created),
            "uri": path,
        }

    def shape(self, text: Text) -> dict[str, Any]:
        path = f"/2010-04-01/Accounts/{text.account_sid}/Messages/{text.sid}"
        return {
            "sid": text.sid,
            "account_sid": text.account_sid,
            "messaging_service_sid": None,
            "from": text.sender,
            "to": text.recipient,
            "body": text.body,
            "status": text.status,
            "direction": text.direction,
            "num_segments": str(segments(text.body)),
            "num_media": str(len(text.media)),
            "price": None,
            "price_unit": "USD",
            "error_code": text.error_code if text.status in ("failed", "undelivered") else None,
            "error_message": text.error_message if text.status in ("failed", "undelivered") else None,
            "api_version": "2010-04-01",
            "date_created": _rfc2822(text.created),
            "date_updated": _rfc2822(text.created),
            "date_sent": None if text.status == "queued" else _rfc2822(text.created),
            "uri": f"{path}.json",
            "subresource_uris": {"media": f"{path}/Media.json"},
        }


def _rfc2822(seconds: float) -> str:
    return format_datetime(datetime.fromtimestamp(seconds, UTC))


def _when(value: str) -> float:
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise TwilioError(20404, value) from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _paged(request: web.Request, page: int) -> str:
    return str(request.rel_url.update_query(Page=str(page)).raw_query_string)
