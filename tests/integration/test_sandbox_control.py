"""The control API, the page and the start: what visitors, tests and demo scripts rely on."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from connectors.sandbox.app import Sandbox
from connectors.sandbox.config import Refused, parse
from tests.integration.sandbox_stage import (
    ACCESS_TOKEN,
    APP_SECRET,
    AUTH_TOKEN,
    MAYA,
    PATIENCE,
    SUPPORT,
    SUPPORT_PASSWORD,
    Stage,
    configuration,
    on_stage,
)

WEB = Path(__file__).parents[2] / "connectors" / "sandbox" / "web"


@pytest_asyncio.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with on_stage(tmp_path) as stage:
        yield stage


def started(tmp_path: Path, values: Any) -> subprocess.CompletedProcess[str]:
    config = tmp_path / "sandbox.json"
    config.write_text(values if isinstance(values, str) else json.dumps(values))
    command = [sys.executable, "-m", "connectors.sandbox", "--config", str(config), "--data", str(tmp_path / "data")]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, cwd=WEB.parents[2])


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (configuration() | {"host": "0.0.0.0"}, "0.0.0.0 is not loopback"),
        (configuration() | {"host": "desk.example.com"}, "desk.example.com is not loopback"),
        (configuration("https://desk.example.com/"), "posts to loopback only"),
        ({"host": "127.0.0.1"}, "incomplete"),
        ("{", "is not JSON"),
    ],
)
def test_it_refuses_to_start_with_one_sentence_and_code_2(tmp_path: Path, values: Any, words: str) -> None:
    ended = started(tmp_path, values)
    assert ended.returncode == 2
    assert words in ended.stderr
    assert ended.stderr.count("\n") == 1


async def test_a_port_of_another_program_is_named(stage: Stage, tmp_path: Path) -> None:
    taken = configuration() | {"smtp_port": stage.sandbox.config.http_port}
    with pytest.raises(Refused, match=r"for SMTP on port .* another program has it"):
        await Sandbox(parse(taken), tmp_path / "other").start()


async def test_it_runs_as_a_program_without_the_product_and_stops_when_told(tmp_path: Path) -> None:
    config = tmp_path / "sandbox.json"
    config.write_text(json.dumps(configuration()))
    program = (
        "import sys, connectors.sandbox.__main__ as it;"
        "foreign = {'django', 'inbox', 'customers', 'config'} & {name.partition('.')[0] for name in sys.modules};"
        "ours = [name for name in sys.modules if name.startswith('connectors.') and '.sandbox' not in name];"
        "assert not foreign and not ours, (foreign, ours); sys.exit(it.main())"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-c", program, "--config", str(config), "--data", str(tmp_path / "data")),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=WEB.parents[2],
    )
    assert process.stdout is not None
    async with asyncio.timeout(30):
        assert b"the customer's phone is at" in await process.stdout.readline()
        process.terminate()
        _, errors = await process.communicate()
    assert (process.returncode, errors) == (0, b"")


@pytest.mark.parametrize(
    ("path", "body", "words"),
    [
        ("say", {"customer": "Nobody", "channel": "sms", "text": "x"}, "There is no customer 'Nobody'."),
        ("say", {"customer": 0, "channel": "fax", "text": "x"}, "A channel is one of"),
        ("say", {"customer": 0, "channel": "sms"}, "There is nothing to say."),
        ("say", {"customer": 0, "channel": "sms", "files": 11}, "photos can be attached"),
        ("say", {"customer": "Jon Bell", "channel": "instagram", "text": "x"}, "has no Instagram account"),
        ("say", {"customer": 0, "channel": "sms", "text": "x", "to": "+1999"}, "We have no sms address +1999."),
        ("say", {"customer": 0, "channel": "email", "letter": "poem"}, "There is no ready-made letter poem"),
        ("unsend", {"customer": 0}, "no such Instagram message"),
        ("react", {"customer": "Jon Bell", "emoji": "x"}, "no such Instagram message"),
        ("faults", {"provider": "fax", "fault": "slow"}, "There is no provider fax"),
        ("faults", {"provider": "smtp", "fault": "lost"}, "smtp has no fault lost"),
        ("story", {"customer": "Jon Bell"}, "does not have all three addresses"),
    ],
)
async def test_what_makes_no_sense_is_refused_in_a_sentence(
    stage: Stage, path: str, body: dict[str, Any], words: str
) -> None:
    assert words in (await stage.post(path, status=400, **body))["error"]


@pytest.mark.parametrize("customer", [0, "0", "maya ortiz", "maya@ortiz.example", "+14155552671", "@maya.ortz"])
async def test_a_customer_is_found_by_anything_that_names_her(stage: Stage, customer: int | str) -> None:
    assert (await stage.say("sms", customer=customer))["webhook_status"] == 200
    assert (await stage.inbox(str(customer)))["person"]["name"] == "Maya Ortiz"


async def test_another_website_cannot_steer_it(stage: Stage) -> None:
    body = {"customer": 0, "channel": "sms", "text": "x"}
    url = f"{stage.url}/control/say"
    async with stage.session.post(url, json=body, headers={"Origin": "https://evil.example"}) as foreign:
        assert foreign.status == 403
    async with stage.session.get(f"{stage.url}/control/state", headers={"Host": "rebound.example"}) as rebound:
        assert rebound.status == 403
    async with stage.session.post(url, data=json.dumps(body), headers={"Content-Type": "text/plain"}) as form:
        assert form.status == 415
    assert stage.product.calls == []


async def test_no_password_or_token_leaves_through_the_control_api(stage: Stage) -> None:
    for path in ("state", "inbox?customer=0", "log", "faults"):
        async with stage.session.get(f"{stage.url}/control/{path}") as response:
            text = await response.text()
        assert response.status == 200
        for secret in (MAYA["email_password"], SUPPORT_PASSWORD, AUTH_TOKEN, ACCESS_TOKEN, APP_SECRET):
            assert secret not in text


async def test_the_page_needs_nothing_from_elsewhere_and_nothing_inline(stage: Stage) -> None:
    async with stage.session.get(f"{stage.url}/") as page:
        html = await page.text()
        policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    for forbidden in ("style=", "onclick=", "<style", "//cdn", "https://"):
        assert forbidden not in html
    for name in ("main.js", "page.css", "phone.css", "tokens.css", "icon.svg"):
        async with stage.session.get(f"{stage.url}/web/{name}") as asset:
            assert asset.status == 200
    async with stage.session.get(f"{stage.url}/web/..%2fapp.py") as outside:
        assert outside.status == 404


def test_every_module_the_page_imports_is_there() -> None:
    for script in WEB.glob("*.js"):
        for line in script.read_text().splitlines():
            if line.startswith("import"):
                assert (WEB / line.rpartition('"./')[2].rstrip('";')).is_file(), line


async def test_the_story_moves_from_mail_to_text_to_instagram(stage: Stage) -> None:
    with stage.sandbox.wire.listen() as queue:
        state = await stage.post("story", customer=0, pause=0.01)
        told = []
        async with asyncio.timeout(PATIENCE):
            while not told or told[-1].get("playing"):
                event = await queue.get()
                if event["event"] == "story" and (event["playing"] or told):
                    told.append(event)
    assert "playing" in state
    sent = [event["channel"] for event in told if event.get("step") == "sent"]
    inbox = await stage.inbox()
    assert sent == ["email", "sms", "instagram"]
    assert [len(inbox[channel]) for channel in sent] == [1, 1, 1]
    assert len(inbox["email"][0]["files"]) == 1
    assert "48213" in stage.product.calls[0].form["Body"]


async def test_a_story_can_be_stopped(stage: Stage) -> None:
    await stage.post("story", customer=0, pause=60)
    assert await stage.post("story", stop=True) == {"playing": False}
    assert stage.product.calls == []


async def test_an_open_page_hears_of_every_change(stage: Stage) -> None:
    async with stage.session.get(f"{stage.url}/control/events") as stream:
        assert stream.content_type == "text/event-stream"
        assert (await stream.content.readline()).startswith(b"retry:")
        await stage.say("sms", "Hello")
        heard = set()
        async with asyncio.timeout(PATIENCE):
            while heard < {"log", "thread"}:
                line = await stream.content.readline()
                if line.startswith(b"data: "):
                    heard.add(json.loads(line[6:])["event"])


async def test_the_wire_tells_who_called_whom_and_how_it_went(stage: Stage) -> None:
    await stage.say("sms", "Hello")
    async with stage.session.get(f"{stage.url}/control/log", params={"after": "0"}) as response:
        (entry,) = (await response.json())["entries"]
    assert (entry["provider"], entry["toward"], entry["what"], entry["ok"]) == (
        "twilio",
        "product",
        "POST webhook",
        True,
    )
    assert entry["facts"][:2] == ["signed", "200"]


async def test_unread_counts_go_when_the_customer_looks(stage: Stage) -> None:
    def put(number: int) -> None:
        raw = f"From: {SUPPORT}\r\nTo: maya@ortiz.example\r\nSubject: {number}\r\n\r\nHello".encode()
        stage.sandbox.post_office.deliver(raw, SUPPORT, ["maya@ortiz.example"])

    async def unread() -> dict[str, int]:
        async with stage.session.get(f"{stage.url}/control/state") as response:
            return dict((await response.json())["people"][0]["unread"])

    put(1)
    put(2)
    assert await unread() == {"email": 2, "sms": 0, "instagram": 0, "whatsapp": 0}
    await stage.post("read", customer=0, channel="email")
    assert await unread() == {"email": 0, "sms": 0, "instagram": 0, "whatsapp": 0}


async def test_a_thousand_strangers_do_not_crowd_the_page(stage: Stage) -> None:
    inbox = stage.sandbox.post_office.accounts[SUPPORT].mailboxes.inbox
    for number in range(1000):
        raw = f"From: {number}@far.example\r\n\r\nHi".encode()
        assert inbox.deposit is not None
        inbox.deposit(raw)
    async with stage.session.get(f"{stage.url}/control/state") as response:
        people = (await response.json())["people"]
    assert [person["email"] for person in people[2:4]] == ["999@far.example", "998@far.example"]
    assert len(people) == 22
    assert not list((stage.folder / "mail").glob("*far.example"))
