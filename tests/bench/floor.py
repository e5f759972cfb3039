"""The least Python can do for a mail: the standard library's parser, and one transaction of five statements."""

from __future__ import annotations

import email
import hashlib
from email import policy
from email.message import EmailMessage
from typing import Any, cast

import psycopg

TABLES = """
CREATE TABLE floor_person (id bigserial PRIMARY KEY, address text UNIQUE);
CREATE TABLE floor_case (id bigserial PRIMARY KEY, person bigint UNIQUE REFERENCES floor_person, subject text,
    last bigint, preview text);
CREATE TABLE floor_entry (id bigserial PRIMARY KEY, of_case bigint REFERENCES floor_case, key text UNIQUE, author text,
    subject text, text text, html text, at timestamptz);
CREATE INDEX ON floor_entry (of_case, id);
CREATE TABLE floor_receipt (id bigint PRIMARY KEY, done timestamptz);
"""


def take_in(connection: psycopg.Connection[Any], number: int, raw: bytes) -> None:
    mail = cast("EmailMessage", email.message_from_bytes(raw, policy=policy.default))
    sender = mail["from"].addresses[0]
    subject, key, at = str(mail["subject"]), str(mail["message-id"]), mail["date"].datetime
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    words = text.get_content() if text else ""
    markup = html.get_content() if html else ""
    for file in mail.iter_attachments():
        hashlib.sha256(cast("EmailMessage", file).get_content()).hexdigest()
    with connection.transaction():
        person = connection.execute(
            "INSERT INTO floor_person (address) VALUES (%s) "
            "ON CONFLICT (address) DO UPDATE SET address = excluded.address RETURNING id",
            [sender.addr_spec],
        ).fetchone()
        assert person
        case = connection.execute(
            "INSERT INTO floor_case (person, subject) VALUES (%s, %s) ON CONFLICT (person) DO UPDATE SET subject = "
            "floor_case.subject RETURNING id",
            [person[0], subject],
        ).fetchone()
        assert case
        entry = connection.execute(
            "INSERT INTO floor_entry (of_case, key, author, subject, text, html, at) "
            "VALUES (%s, %s, %s, %s, %s, %s, %s) RETURNING id",
            [case[0], key, sender.display_name, subject, words, markup, at],
        ).fetchone()
        assert entry
        connection.execute(
            "UPDATE floor_case SET last = %s, preview = %s WHERE id = %s", [entry[0], words[:200], case[0]]
        )
        connection.execute("INSERT INTO floor_receipt (id, done) VALUES (%s, now())", [number])
