"""Raw mail → entry, on one worker process and on two, against the least Python could do, all in turn in one run."""

from __future__ import annotations

import base64
import random

from tests.bench.figures import Report, at_least
from tests.bench.helper import Helper
from tests.bench.run import Run
from tests.bench.seeding import WORDS

FILE = base64.encodebytes(b"%PDF-1.7\n" + random.Random(1).randbytes(12_000)).decode()
HEADERS = """\
Return-Path: <{address}>
Received: from mx.bench.test (mx.bench.test [192.0.2.1]) by imap.bench.test with ESMTPS id {id};
 Sun, 22 Nov 2026 10:00:03 +0000
Received: from out.mail.test (out.mail.test [192.0.2.7]) by mx.bench.test with ESMTPS; Sun, 22 Nov 2026 10:00:02 +0000
Authentication-Results: mx.bench.test; dkim=pass header.d=mail.test; spf=pass smtp.mailfrom=mail.test;
 dmarc=pass header.from=mail.test
DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=mail.test; s=one; h=from:to:subject:date; bh=AAAA; b=BBBB
From: {name} <{address}>
To: Support <support@bench.test>
Subject: {subject}
Date: Sun, 22 Nov 2026 10:00:00 +0000
Message-ID: <{id}@mail.test>
MIME-Version: 1.0
User-Agent: Bench
"""
ALTERNATIVE = """\
Content-Type: multipart/alternative; boundary="b1"

--b1
{plain}
--b1
Content-Type: text/html; charset="utf-8"

<html><head><style>p {{margin:0}}</style></head><body><div>{html}</div><img src="https://mail.test/x.png"></body></html>
--b1--
"""
WITH_FILE = """\
Content-Type: multipart/mixed; boundary="b2"

--b2
{plain}
--b2
Content-Type: application/pdf; name="invoice.pdf"
Content-Disposition: attachment; filename="invoice.pdf"
Content-Transfer-Encoding: base64

{file}--b2--
"""
QUOTED = "\n\nOn Sat, 21 Nov 2026 at 09:12, Support <support@bench.test> wrote:\n> {line}\n> {line}\n> {line}\n"


def letters(count: int, first: int) -> list[str]:
    """Raw mails, base64: half plain text, three in ten with HTML and a quoted mail, two in ten with a file of 12 kB.

    Everybody writes twice: the first mail opens a case, the second one finds it.
    """
    return [base64.b64encode(_letter(number).encode()).decode() for number in range(first, first + count)]


def _letter(number: int) -> str:
    chance = random.Random(number)
    lines = [" ".join(chance.choices(WORDS, k=12)) for _ in range(8)]
    text = "\n".join([f"Hello, it is about order #{200_000 + number}.", "", *lines])
    head = HEADERS.format(
        address=f"writer{number // 2}@mail.test",
        name=f"Writer {number // 2}",
        id=f"bench.{number}",
        subject=f"Order #{200_000 + number}",
    )
    plain = f'Content-Type: text/plain; charset="utf-8"\n\n{text}'
    match number % 10:
        case 0 | 1 | 2 | 3 | 4:
            whole = f"{head}{plain}\n"
        case 5 | 6 | 7:
            html = "".join(f"<p style='color:#333'>{line}</p>" for line in lines)
            whole = head + ALTERNATIVE.format(plain=plain + QUOTED.format(line=lines[0]), html=html)
        case _:
            whole = head + WITH_FILE.format(plain=plain, file=FILE)
    return whole.replace("\n", "\r\n")


def measure(run: Run, report: Report) -> None:
    floor, alone, together, used, ratios, gains = [], [], [], 0, [], []
    environment = run.stack.environment_of(run.intake)
    with (
        Helper("within", environment, run.log("mail-1")) as one,
        Helper("within", environment, run.log("mail-2")) as two,
    ):
        for worker in (one, two):  # the parser's child starts with the first mail
            worker.ask("take_in", ids=worker.ask("receipts", mails=letters(20, used), connector=run.cast.email))
            used += 20
        probe = one.ask("receipts", mails=letters(20, used), connector=run.cast.email)
        used += 20
        count = run.as_many_as_fit(20 / one.ask("take_in", ids=probe))
        for repetition in range(run.repetitions):
            batches = [letters(count, used + count * part) for part in range(3)]
            used += 3 * count
            mine, hers, his = (one.ask("receipts", mails=batch, connector=run.cast.email) for batch in batches)
            numbered = [(repetition * count + at, mail) for at, mail in enumerate(batches[0])]
            floor.append(count / one.ask("take_in_least", mails=numbered))
            alone.append(count / one.ask("take_in", ids=mine))
            one.tell("take_in", ids=hers)
            two.tell("take_in", ids=his)
            together.append(2 * count / max(one.answer(), two.answer()))
            ratios.append(alone[-1] / floor[-1])
            gains.append(together[-1] / alone[-1])
        probe = one.ask("receipts", mails=letters(20, used), connector=run.cast.email)
        statements = one.ask("queries_of", ids=probe)
    report.add("floor: stdlib parse + five statements", floor, "/s")
    report.add("one worker process (no auto-acknowledgement)", alone, "/s", goal=at_least(150))
    report.add("  of the floor", ratios, "×", due=at_least(0.35), goal=at_least(0.55))
    report.add("two worker processes", together, "/s")
    report.add("  of one", gains, "×", goal=at_least(1.7))
    report.add("statements for one mail, of eight that came together", [statements], "")
