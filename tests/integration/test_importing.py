"""What other systems tell of people: by a file, all of it or nothing; and one by one, with a token."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from connectors.messages import Sender
from connectors.models import Connector
from customers.models import Attribute, Customer, CustomerKind, Event, ExternalId, Identity, IdentityLink, Order, Source
from inbox import detaching, importing, merging, privacy, proposing
from inbox.importing import Unreadable, read_table
from inbox.locking import Moved, lock
from inbox.models import FileImport, Proposal, Trace
from tests import make

pytestmark = pytest.mark.django_db

CUSTOMERS = """external_id,name,email,phone,time_zone,Plan
1001,Maya Ortiz,maya@ortiz.test,+1 415 555 2671,Europe/Lisbon,gold
1002,"Bell, Jon",jon@bell.test,(415) 555-0123; +1 415 555 0124,,
"""


@pytest.fixture
def client() -> Client:
    return Client(enforce_csrf_checks=True)


@pytest.fixture
def token() -> str:
    return Source.objects.issue("shop")[1]


def take(text: str, what: str = "customers", source: str = "shop") -> FileImport:
    return importing.take_file(text.encode(), what, source=source, by=None)


def put(client: Client, token: str, name: str, told: object, *, method: str = "put", more: str = "") -> Any:
    send = getattr(client, method)
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    body = told if isinstance(told, str) else json.dumps(told)
    return send(f"/api/customers/{name}/{more}", body, content_type="application/json", headers=headers)


# Files


def test_a_file_of_customers_is_taken_with_addresses_and_attributes() -> None:
    assert take(CUSTOMERS).made == 2
    maya = ExternalId.objects.get(source="shop", value="1001").customer
    assert (maya.name, maya.time_zone, maya.has_written) == ("Maya Ortiz", "Europe/Lisbon", True)
    assert set(maya.identities.values_list("value", flat=True)) == {"maya@ortiz.test", "+14155552671"}
    assert maya.attributes.get().value == "gold"
    link = IdentityLink.objects.active().filter(identity__customer=maya).first()
    assert link
    assert (link.reason, link.assurance) == ("imported", "claimed")
    assert ExternalId.objects.get(value="1002").customer.identities.count() == 3


def test_a_file_taken_again_changes_what_changed_and_doubles_nothing() -> None:
    take(CUSTOMERS)
    again = take(CUSTOMERS.replace("gold", "silver").replace("Maya Ortiz", "Maya Lund"))
    assert (again.made, again.known) == (0, 2)
    assert (Customer.objects.count(), Identity.objects.count(), ExternalId.objects.count()) == (2, 5, 2)
    assert Attribute.objects.get(name="Plan").value == "silver"
    assert Customer.objects.filter(name="Maya Lund").exists()


def test_a_file_told_again_asks_the_database_no_more_for_many_people_than_for_few() -> None:
    def asked(people: int) -> int:
        lines = "".join(f"{each},P{each},p{each}@mail.test; shared{each}@mail.test\n" for each in range(people))
        for source in ("shop", "crm"):
            take("external_id,name,email\n" + lines, source=source)
        with CaptureQueriesContext(connection) as told:
            take("external_id,name,email\n" + lines, source="crm")
        assert not [each for each in told if each["sql"].startswith('UPDATE "customers_customer"')]
        return len(told)

    assert asked(3) == asked(12)


def test_every_bad_line_is_named_and_nothing_is_half_taken() -> None:
    text = CUSTOMERS + (
        "1003,Kim,not an address,,,\n"
        "1004,Lee,lee@wong.test\n"
        '1005,"two\nlines",lee@wong.test,,,\n'
        "1001,Again,,,,\n"
        "1006,Zoe,,,Mars/Base,\n"
        ",Nobody,,,,\n"
        "1007,Jo,maya@ortiz.test,,,\n"
    )
    with pytest.raises(Unreadable) as wrong:
        take(text)
    assert [(each.line, each.words[:4]) for each in wrong.value.problems] == [
        (4, "'not"),
        (5, "It h"),
        (8, "The "),
        (9, "Ther"),
        (10, "exte"),
        (11, "The "),
    ]
    assert not Customer.objects.exists()
    assert not ExternalId.objects.exists()


@pytest.mark.parametrize(
    ("content", "line", "words"),
    [
        (b"", 1, "external_id is missing"),
        (b"name,email\nMaya,maya@ortiz.test\n", 1, "external_id is missing"),
        (b"external_id,name\n", 0, "nothing in it"),
        (b"external_id,name,name\n1,a,b\n", 1, "twice"),
        (b"external_id,name\n1,caf\xe9\n", 2, "UTF-8"),
        (b'external_id,name\n1,"Maya\n', 2, "cannot be read"),
        (b"external_id,name\n1,Ma\x00ya\n", 2, "cannot be"),
        (b"x" * (importing.MOST_OCTETS + 1), 0, "larger than"),
    ],
)
def test_what_is_no_table_is_refused_in_words(content: bytes, line: int, words: str) -> None:
    with pytest.raises(Unreadable) as wrong:
        read_table(content, "customers")
    assert wrong.value.problems[0].line == line
    assert words in str(wrong.value)


def test_a_file_of_a_spreadsheet_with_semicolons_and_a_mark_at_its_start_is_read() -> None:
    table = read_table("\ufeffExternal ID;Name\r\n7;Müller\r\n".encode(), "customers")
    assert [(each.external_id, each.name) for each in table.told] == [("7", "Müller")]  # type: ignore[union-attr]


def test_orders_belong_to_customers_told_before() -> None:
    take(CUSTOMERS)
    orders = "external_id,number,title,status,amount,currency,placed_at\n1001,#48213,Mug,sent,12.5,eur,2026-10-14\n"
    assert take(orders, "orders").made == 1
    assert take(orders.replace("sent", "returned"), "orders").known == 1
    order = Order.objects.get()
    assert (order.number, order.status, str(order.amount), order.currency) == ("48213", "returned", "12.50", "EUR")
    with pytest.raises(Unreadable, match="Line 3: Nobody is called 9"):
        take(orders + "9,77,,,,,\n", "orders")
    with pytest.raises(Unreadable, match="no amount"):
        take("external_id,number,amount\n1001,1,many\n", "orders")
    assert Order.objects.count() == 1


def test_events_with_a_reference_are_told_once() -> None:
    take(CUSTOMERS)
    events = "external_id,name,at,reference\n1001,Subscription paused,2026-11-01T10:00:00Z,e-1\n"
    take(events, "events")
    assert take(events, "events").known == 1
    assert Event.objects.get().name == "Subscription paused"


def test_an_event_told_again_word_for_word_is_the_same_unless_nobody_said_when_it_was() -> None:
    take(CUSTOMERS)
    events = "external_id,name,at\n1001,Subscription paused,2026-11-01T10:00:00Z\n1001,Called,\n"
    assert take(events, "events").made == 2
    assert take(events.replace("10:00:00Z", "11:00:00+01:00"), "events").known == 1
    assert sorted(Event.objects.values_list("name", flat=True)) == ["Called", "Called", "Subscription paused"]


def test_who_wrote_from_an_address_is_met_by_it(mailbox: Connector) -> None:
    mail = make.says(Sender("jon@bell.test", "", "Jon"), mailbox, "hi")
    take("external_id,name,email\n1002,Jon Bell,jon@bell.test\n")
    assert ExternalId.objects.get(value="1002").customer == mail.case.customer


def test_an_address_that_nobody_wrote_from_makes_nobody_the_same_person(maya: Customer) -> None:
    taken = take("external_id,name,email\n1001,Somebody,maya@ortiz.test\n")
    assert taken.made == 1
    assert taken.left == ["maya@ortiz.test of 1001 was left with Maya Ortiz (customer " + f"{maya.pk})."]
    assert Identity.objects.get(value="maya@ortiz.test").customer == maya


def test_two_records_with_one_address_are_proposed_to_the_agents(client: Client, token: str, maya: Customer) -> None:
    addresses = [{"kind": "email", "value": "maya@ortiz.test"}, {"kind": "phone", "value": "+14155550188"}]
    told = put(client, token, "1001", {"name": "M. Ortiz", "identities": addresses}).json()
    assert told["left"]
    proposal = Proposal.objects.get()
    assert {proposal.one_id, proposal.other_id} == {maya.pk, told["customer"]}
    assert proposal.is_undecided
    assert "maya@ortiz.test" in {line.value for line in proposal.evidence.all()}


def test_a_shared_line_is_nobodys_by_an_import(ana: Any, number: Connector) -> None:
    text = make.says(Sender("+14155550133"), number, "hi")
    detaching.share(text.identity, kind=CustomerKind.HOUSEHOLD, by=ana)
    taken = take("external_id,name,phone\n1001,Maya,+14155550133\n")
    assert taken.left == ["+14155550133 of 1001 was left with a shared line."]


def test_what_is_told_of_somebody_who_was_joined_stays_with_whom_it_was_told_of(
    ana: Any, mailbox: Connector, browser_of: Any
) -> None:
    take(CUSTOMERS)
    maya, jon = (ExternalId.objects.get(value=each).customer for each in ("1001", "1002"))
    make.says(Sender("maya@ortiz.test"), mailbox, "hi")
    merge = merging.join(maya, jon, by=ana)
    take("external_id,number\n1002,555\n", "orders")
    take("external_id,name,email\n1002,,new@bell.test\n")
    page = browser_of(ana).get(f"/customers/{maya.pk}/").content.decode()
    assert "#555" in page
    assert "new@bell.test" in page
    merging.undo(merge, by=ana)
    assert "#555" not in browser_of(ana).get(f"/customers/{maya.pk}/").content.decode()
    assert jon.orders.get().number == "555"


def test_supervisors_import_in_the_browser_and_see_the_lines(sue: Any, ana: Any, browser_of: Any) -> None:
    browser = browser_of(sue)
    assert browser_of(ana).get("/customers/import/").status_code == 403
    assert "/customers/import/" in browser.get("/customers/").content.decode()
    bad = SimpleUploadedFile("people.csv", (CUSTOMERS + "1003,Kim,nothing,,,\n").encode())
    answer = browser.post("/customers/import/", {"what": "customers", "source": "shop", "file": bad})
    assert answer.status_code == 422
    assert "Line 4" in answer.content.decode()
    good = SimpleUploadedFile("people.csv", CUSTOMERS.encode())
    page = browser.post("/customers/import/", {"what": "customers", "source": "shop", "file": good}, follow=True)
    assert "0 of 2 lines imported" in page.content.decode()
    importing.catch_up()
    assert "2 new, 0 already known." in browser.get(page.request["PATH_INFO"]).content.decode()
    assert browser.post("/customers/import/", {"what": "tea", "source": ""}).status_code == 422


def test_the_command_takes_a_file_and_names_its_bad_lines(tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_text(CUSTOMERS)
    out = StringIO()
    call_command("import_customers", str(file), source="shop", stdout=out)
    assert out.getvalue() == "2 new, 0 already known.\n"
    file.write_text(CUSTOMERS + "1003,Kim,nothing,,,\n")
    with pytest.raises(CommandError, match="Line 4"):
        call_command("import_customers", str(file), source="crm")
    assert not ExternalId.objects.filter(source="crm").exists()


HANDLES = "external_id,name,email,instagram\n1001,Maya Ortiz,maya@ortiz.test,@Maya.Ortz\n1002,Jon,,jonb\n"


def writes_by_instagram(account: Connector, handle: str) -> Customer:
    entry = make.says(Sender("777888", make.INSTAGRAM_ACCOUNT, "", handle), account, "hello, is anybody there?")
    proposing.look(entry.pk)
    assert entry.identity
    return entry.identity.customer


def test_an_instagram_handle_is_noted_and_is_nobodys_address() -> None:
    take(HANDLES)
    maya = ExternalId.objects.get(value="1001").customer
    assert dict(maya.attributes.values_list("name", "value")) == {"Instagram": "@maya.ortz"}
    assert set(Identity.objects.values_list("kind", flat=True)) == {"email"}


def test_who_writes_under_a_handle_on_record_is_proposed_and_not_linked(account: Connector) -> None:
    take(HANDLES)
    stranger, maya = writes_by_instagram(account, "maya.ortz"), ExternalId.objects.get(value="1001").customer
    assert stranger != maya
    proposal = Proposal.objects.get()
    assert {proposal.one, proposal.other} == {maya, stranger}
    assert proposal.evidence.get(kind="their_handle").words.endswith("@maya.ortz as theirs, which is @maya.ortz’s")


def test_a_handle_of_somebody_who_wrote_before_is_weighed_when_it_is_told(account: Connector) -> None:
    stranger = writes_by_instagram(account, "maya_ortz")
    run = take(HANDLES.replace("@Maya.Ortz", "maya_ortz"))
    assert len(run.doubtful) == 1
    proposing.catch_up()
    assert Proposal.objects.get().other == stranger or Proposal.objects.get().one == stranger
    assert take(HANDLES.replace("@Maya.Ortz", "maya_ortz")).doubtful == []


def test_a_handle_is_found_when_the_first_address_of_its_owner_was_erased(account: Connector, ana: Any) -> None:
    take(HANDLES.replace("@Maya.Ortz", ""))
    maya = ExternalId.objects.get(value="1001").customer
    number = maya.identities.create(kind="phone", value="+14155552671", origin="the import")
    maya.identities.create(kind="email", value="m@ortiz.test", origin="the import")
    privacy.erase_address(maya.identities.get(value="maya@ortiz.test"), by=ana, why="They asked.")
    privacy.erase_address(number, by=ana, why="They asked.")
    take(HANDLES.replace("maya@ortiz.test", ""))
    writes_by_instagram(account, "maya.ortz")
    assert Proposal.objects.of([maya.pk]).exists()
    assert not Trace.objects.exclude(identity__erased_at=None).exists()


def test_an_address_of_somebody_else_is_noted_on_none_that_was_erased_or_is_forged(
    maya: Customer, mailbox: Connector, ana: Any
) -> None:
    forged = Identity.objects.create(
        customer=maya, kind="email", scope="unproven", value="b@mail.test", origin="a mail that failed its checks"
    )
    take("external_id,name,email\n1,M,a@mail.test\n")
    told = ExternalId.objects.get().customer
    Identity.objects.filter(pk=forged.pk).update(customer=told)
    privacy.erase_address(told.identities.get(value="a@mail.test"), by=ana, why="They asked.")
    take("external_id,name,email\n1,M,maya@ortiz.test\n")
    assert not Trace.objects.filter(identity__customer=told).exists()
    told.identities.create(kind="phone", value="+14155550199", origin="the import")
    take("external_id,name,email\n1,M,maya@ortiz.test\n")
    assert Trace.objects.get(identity__customer=told).identity.value == "+14155550199"


@pytest.mark.parametrize("handle", ["maya ortz, the painter", "maya@ortiz.test", "ma-ya", "x" * 31, "@"])
def test_what_is_no_handle_is_refused_with_its_line(handle: str) -> None:
    with pytest.raises(Unreadable, match=r"Line 2: .* no Instagram handle; they are written like"):
        take(f'external_id,instagram\n1,"{handle}"\n')


# The endpoint


def test_another_system_tells_of_a_customer_an_order_and_an_event(client: Client, token: str) -> None:
    told = {
        "name": "Maya Ortiz",
        "language": "pt",
        "instagram": "maya.ortz",
        "attributes": {"Plan": "gold", "seats": 3},
        "identities": [
            {"kind": "email", "value": "Maya@Ortiz.test", "proven": True},
            {"kind": "phone", "value": "+1 415 555 2671"},
        ],
    }
    answer = put(client, token, "1001", told)
    assert answer.status_code == 201
    person = Customer.objects.get(pk=answer.json()["customer"])
    links = IdentityLink.objects.active().filter(customer=person).select_related("identity")
    assert {link.identity.kind: link.assurance.value for link in links} == {"email": "proven", "phone": "claimed"}
    assert put(client, token, "1001", {"name": "Maya O."}).json()["created"] is False
    order = {"number": "48213", "amount": 12.5, "currency": "EUR", "placed_at": "2026-10-14T10:00:00Z"}
    assert put(client, token, "1001", order, method="post", more="orders/").status_code == 201
    assert put(client, token, "1001", order, method="post", more="orders/").status_code == 200
    assert put(client, token, "1001", {"name": "Returned"}, method="post", more="events/").status_code == 201
    person.refresh_from_db()
    assert (person.name, person.orders.count(), person.events.count()) == ("Maya O.", 1, 1)
    assert set(person.attributes.values_list("name", "value")) == {
        ("Plan", "gold"),
        ("seats", "3"),
        ("Instagram", "@maya.ortz"),
    }


def test_a_proof_told_later_makes_an_address_proven(client: Client, token: str) -> None:
    address = {"kind": "email", "value": "maya@ortiz.test"}
    put(client, token, "1001", {"identities": [address]})
    put(client, token, "1001", {"identities": [{**address, "proven": True}]})
    put(client, token, "1001", {"identities": [{**address, "proven": True}]})
    identity = Identity.objects.get()
    assert [link.reason for link in identity.links.order_by("pk")] == ["imported", "signed"]
    assert IdentityLink.objects.active().get().assurance == "proven"


def test_without_a_valid_token_nothing_is_told(client: Client, token: str, sue: Any) -> None:
    for wrong in ("", "tl_guess", token[:-1], token + "x"):
        answer = put(client, wrong, "1001", {"name": "Maya"})
        assert answer.status_code == 401
        assert "token" in answer.json()["error"]
    client.force_login(sue)
    assert put(client, "", "1001", {"name": "Maya"}).status_code == 401
    call_command("add_source", "shop", revoke=True, stdout=StringIO())
    assert put(client, token, "1001", {"name": "Maya"}).status_code == 401
    assert not Customer.objects.exists()


def test_the_token_is_kept_nowhere() -> None:
    out = StringIO()
    call_command("add_source", "crm", stdout=out)
    token = out.getvalue().split()[-1]
    source = Source.objects.get()
    assert token.startswith("tl_")
    assert token not in repr(vars(source))
    assert Source.objects.of(token) == source
    with pytest.raises(CommandError, match="has a token"):
        call_command("add_source", "crm")


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ("{", "not JSON"),
        ("[]", "one JSON object"),
        ('{"name": NaN}', "not JSON"),
        ({"name": "x" * 201}, "200 is the most"),
        ({"name": "a\x00b"}, "cannot be kept"),
        ({"name": ["Maya"]}, "name is text"),
        ({"time_zone": "Mars/Base"}, "no time zone"),
        ({"prefers": "fax"}, "prefers is one of"),
        ({"identities": {"kind": "email"}}, "a list"),
        ({"identities": ["maya@ortiz.test"]}, "an object"),
        ({"identities": [{"kind": "fax", "value": "1"}]}, "no kind of address"),
        ({"identities": [{"kind": "email", "value": "maya"}]}, "not a valid email"),
        ({"identities": [{"kind": "instagram", "value": "1002003004005001"}]}, "scope"),
        ({"identities": [{"kind": "email", "value": "a@b.test", "scope": "unproven"}]}, "has no scope"),
        ({"attributes": ["x"]}, "an object"),
    ],
)
def test_what_cannot_be_kept_is_refused_in_one_sentence(client: Client, token: str, told: object, words: str) -> None:
    answer = put(client, token, "1001", told)
    assert answer.status_code == 422
    assert words in answer.json()["error"]
    assert not Customer.objects.exists()


def test_orders_of_nobody_and_other_verbs_are_refused(client: Client, token: str) -> None:
    assert put(client, token, "9", {"number": "1"}, method="post", more="orders/").status_code == 404
    assert put(client, token, "9", {"name": "Maya"}, method="post").status_code == 405
    assert put(client, token, "9", {"name": "x" * 300_000}).status_code == 422


def test_who_was_erased_does_not_come_back_by_being_told_of_again(client: Client, token: str) -> None:
    take(CUSTOMERS)
    maya = ExternalId.objects.get(value="1001").customer
    privacy.erase_person(maya, by=None, why="Asked to")
    again = take(CUSTOMERS)
    assert (again.made, again.known) == (0, 1)
    assert again.left == ["1001 was erased here, and nothing of them was taken."]
    assert take("external_id,number\n1001,77\n1002,78\n", "orders").left == again.left
    assert not Customer.objects.filter(name="Maya Ortiz").exists()
    answer = put(client, token, "1001", {"name": "Maya Ortiz"})
    assert (answer.status_code, answer.json()["error"]) == (422, again.left[0])
    other = take(CUSTOMERS.replace("1001", "2001"), source="crm")
    assert other.left[:2] == ["An address of 2001 was erased here, and was not taken."] * 2
    assert not Identity.objects.filter(value="maya@ortiz.test").exists()


def test_who_is_erased_while_an_import_waits_is_not_told_of(monkeypatch: Any) -> None:
    take(CUSTOMERS)
    maya = ExternalId.objects.get(value="1001").customer

    def erased_meanwhile(*people: int) -> None:  # each attempt rolls it back again: it is one connection here
        privacy.erase_person(maya, by=None, why="")
        lock(*people)

    monkeypatch.setattr("inbox.importing.taking.lock", erased_meanwhile)
    told = read_table(CUSTOMERS.encode(), "customers").told
    with pytest.raises(Moved):
        importing.take_customers(told, source="shop")  # type: ignore[arg-type]
