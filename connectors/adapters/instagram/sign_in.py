"""Being allowed to speak for an account: Meta's two sign-ins, and renewing one in time (instagram.md §2)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import requests
from django.conf import settings

from connectors.adapters.instagram.errors import lost
from connectors.adapters.instagram.fields import Fields, part, parts, text
from connectors.adapters.instagram.graph import Answer, ask, is_page
from connectors.errors import ConnectionLost
from connectors.messages import Account, Grant, Renewal

INSTAGRAM_SCOPES = ("instagram_business_basic", "instagram_business_manage_messages")
PAGE_SCOPES = (
    "instagram_basic",
    "instagram_manage_messages",
    "pages_manage_metadata",
    "pages_show_list",
    "pages_messaging",
    "pages_read_engagement",
)
RENEW_BEFORE = timedelta(days=10)
YOUNGEST = timedelta(hours=24)  # Meta renews nothing younger
DEAD = 190
LIFE = 60 * 24 * 3600  # seconds, where Meta does not say


def address(account: Account, redirect: str, state: str) -> str:
    """Where to send the browser of the person who owns the account; empty while the app is not known."""
    if not account.options.get("app_id"):
        return ""
    query = {
        "client_id": account.options["app_id"],
        "redirect_uri": redirect,
        "response_type": "code",
        "scope": ",".join(PAGE_SCOPES if is_page(account) else INSTAGRAM_SCOPES),
        "state": state,
    }
    if is_page(account):
        return f"{settings.FACEBOOK_SIGN_IN_URL}/{settings.GRAPH_API_VERSION}/dialog/oauth?{urlencode(query)}"
    return f"{settings.INSTAGRAM_SIGN_IN_URL}/oauth/authorize?{urlencode(query)}"


def grants(account: Account, code: str, redirect: str) -> list[Grant]:
    """One account with Instagram's sign-in, one per page with Facebook's. Raises `ConnectionLost`.

    The code is good once and for an hour; `redirect` must be the very one the browser was sent with.
    """
    code = code.removesuffix("#_")  # Meta's addition, no part of it
    try:
        return _page_grants(account, code, redirect) if is_page(account) else [_grant(account, code, redirect)]
    except requests.RequestException as error:
        raise ConnectionLost("Instagram did not answer while we signed in. Try again.") from error


def renew(account: Account) -> Renewal | None:
    """A token with another 60 days. A page's token does not end, and one that is younger than a day is left alone."""
    token = account.secrets.get("access_token", "")
    if is_page(account) or not token:
        return None
    at, ends, since = datetime.now(UTC), _moment(account, "access_token_expires_at"), _moment(account, "signed_in_at")
    if (ends and ends - at > RENEW_BEFORE) or (since and at - since < YOUNGEST):
        return None
    query = {"grant_type": "ig_refresh_token", "access_token": token}
    try:
        answer = ask("GET", f"{settings.GRAPH_API_URL}/refresh_access_token", query=query)
    except requests.RequestException as error:
        raise ConnectionLost("Instagram did not answer when the sign-in was to be renewed.") from error
    if not answer.is_ok:
        refused = lost(answer)  # a token younger than a day is refused too, and is not dead
        raise ConnectionLost(refused.reason, reconnect=answer.code == DEAD)
    body = answer.body
    return Renewal(secrets={"access_token": _token(body)}, options={"access_token_expires_at": _end(body)})


def _grant(account: Account, code: str, redirect: str) -> Grant:
    form = {
        **_app(account),
        "grant_type": "authorization_code",
        "redirect_uri": redirect,
        "code": code,
    }
    body = _checked(ask("POST", f"{settings.INSTAGRAM_CODE_URL}/oauth/access_token", form=form))
    first = next(iter(parts(body.get("data"))), body)  # documented wrapped in a list, seen bare
    allowed = _permissions(first)
    _require(INSTAGRAM_SCOPES, allowed)
    query = {"grant_type": "ig_exchange_token", "access_token": _token(first)}
    query["client_secret"] = form["client_secret"]
    long = _checked(ask("GET", f"{settings.GRAPH_API_URL}/access_token", query=query))
    me = _me(settings.GRAPH_API_URL, _token(long), "user_id,username,name,account_type")
    account_id = text(me, "user_id")
    if not account_id:
        raise ConnectionLost("Instagram did not say which account this is. It must be a business or creator account.")
    options = {
        "flavour": "instagram",
        "app_user_id": text(me, "id") or text(first, "user_id"),
        "username": text(me, "username"),
        "permissions": " ".join(sorted(allowed)),
        "access_token_expires_at": _end(long),
        "signed_in_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    return Grant(account_id, text(me, "username") or text(me, "name"), {"access_token": _token(long)}, options)


def _page_grants(account: Account, code: str, redirect: str) -> list[Grant]:
    """Tokens of pages that come from a 60-day sign-in have no end; from a short one they live an hour."""
    token_address = f"{settings.FACEBOOK_API_URL}/{settings.GRAPH_API_VERSION}/oauth/access_token"
    who = _app(account)
    short = _token(_checked(ask("GET", token_address, query=who | {"redirect_uri": redirect, "code": code})))
    exchange = {"grant_type": "fb_exchange_token", "fb_exchange_token": short}
    long = _token(_checked(ask("GET", token_address, query=who | exchange)))
    api = f"{settings.FACEBOOK_API_URL}/{settings.GRAPH_API_VERSION}"
    permissions = _checked(ask("GET", f"{api}/me/permissions", token=long))
    allowed = {text(each, "permission") for each in parts(permissions.get("data")) if text(each, "status") == "granted"}
    _require(PAGE_SCOPES, allowed)
    person = _me(settings.FACEBOOK_API_URL, long, "id")
    fields = "id,name,access_token,tasks,instagram_business_account{id,username}"
    pages = _checked(ask("GET", f"{api}/me/accounts", token=long, query={"fields": fields, "limit": "100"}))
    found = []
    for page in parts(pages.get("data")):
        linked = part(page, "instagram_business_account")
        if not text(linked, "id") or not text(page, "access_token"):
            continue
        options = {
            "flavour": "page",
            "page_id": text(page, "id"),
            "app_user_id": text(person, "id"),
            "username": text(linked, "username"),
            "permissions": " ".join(sorted(allowed)),
            "signed_in_at": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        name = text(linked, "username") or text(page, "name")
        found.append(Grant(text(linked, "id"), name, {"access_token": text(page, "access_token")}, options))
    if not found:
        raise ConnectionLost(
            "None of your Facebook pages has an Instagram professional account. Link one in the page's settings, then "
            "sign in again."
        )
    return found


def _app(account: Account) -> dict[str, str]:
    """Where several secrets may sign, the first is the one of the app that signs people in."""
    secret = next(iter(account.secrets.get("app_secret", "").split()), "")
    return {"client_id": account.options.get("app_id", ""), "client_secret": secret}


def _me(api: str, token: str, fields: str) -> Fields:
    answer = ask("GET", f"{api}/{settings.GRAPH_API_VERSION}/me", token=token, query={"fields": fields})
    body = _checked(answer)
    return next(iter(parts(body.get("data"))), body)


def _checked(answer: Answer) -> Fields:
    """The body of a good answer. The code exchange has an error shape of its own."""
    if answer.is_ok and not text(answer.body, "error_type"):
        return answer.body
    if said := text(answer.body, "error_message")[:200].rstrip("."):
        raise ConnectionLost(f"Instagram refused the sign-in: {said}. Sign in again.", reconnect=True)
    raise lost(answer)


def _token(body: Fields) -> str:
    token = text(body, "access_token")
    if not token:
        raise ConnectionLost("Instagram answered without a token. Try again.")
    return token


def _end(body: Fields) -> str:
    seconds = text(body, "expires_in")
    life = int(seconds) if seconds.isdecimal() and len(seconds) < 12 else LIFE
    return (datetime.now(UTC) + timedelta(seconds=life)).isoformat(timespec="seconds")


def _permissions(body: Fields) -> set[str]:
    """Documented as one string with commas, seen as a list."""
    given = body.get("permissions")
    names = given if isinstance(given, list) else text(body, "permissions").split(",")
    return {str(name).strip() for name in names if str(name).strip()}


def _require(scopes: tuple[str, ...], allowed: set[str]) -> None:
    """A person can untick permissions; one that is missing shows only weeks later, so it is asked for now."""
    missing = [scope for scope in scopes if scope not in allowed]
    if missing and allowed:
        raise ConnectionLost(
            f"You did not allow everything we need: {', '.join(missing)} is missing. Sign in again and leave all "
            "permissions ticked."
        )


def _moment(account: Account, name: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(account.options.get(name, ""))
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)
