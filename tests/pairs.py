"""Pairs of accounts with the truth about them, told as stories about people: who they are, what happened.

Nothing here knows the product's rules. A story first decides who the people are (one person with two accounts, a
couple, namesakes, colleagues, strangers …) and what they want; what they write follows from their habits: some sign,
some never give a name, some mistype their own, some only say "hello?".
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

SEED = 20_261_122

GIVEN_NICK = {
    "Alexander": ["Alex", "Sasha"],
    "Alexandra": ["Alex", "Sandra"],
    "Benjamin": ["Ben"],
    "Katherine": ["Kate", "Kathy"],
    "Robert": ["Bob", "Rob"],
    "Elizabeth": ["Liz", "Beth"],
    "William": ["Will", "Bill"],
    "Margaret": ["Maggie", "Meg"],
    "Michael": ["Mike"],
    "Jennifer": ["Jen", "Jenny"],
    "Thomas": ["Tom"],
    "Daniel": ["Dan"],
    "Daniela": ["Dani"],
    "Samuel": ["Sam"],
    "Samantha": ["Sam"],
    "Christopher": ["Chris"],
    "Christina": ["Tina", "Chris"],
    "Matthew": ["Matt"],
    "Victoria": ["Vicky"],
    "Theodore": ["Ted", "Theo"],
    "Francisco": ["Paco"],
    "Guadalupe": ["Lupe"],
    "José": ["Pepe"],
    "Johannes": ["Hans"],
    "Friederike": ["Rike"],
    "Nikolaos": ["Nikos"],
    "Katarzyna": ["Kasia"],
    "Małgorzata": ["Gosia"],
    "Abdulrahman": ["Abdul"],
    "Oluwaseun": ["Seun"],
    "Priyanka": ["Priya"],
    "Venkatesh": ["Venky"],
}
GIVEN_PLAIN = """
Maya Maria Mario Anna Laura Lucas Emma Noah Mia Leon Zoë Ines Jonas Lena Paul Paula Carlos Carla Jean Jeanne Yuki
Haruto Wei Ling Minh Linh Fatima Omar Aisha Yusuf Ingrid Sven Astrid Lars Olga Dmitri Irina Pavel Chiara Luca Giulia
Marco Amara Kofi Zanele Thabo Rania Karim Leila Hassan Siobhan Niamh Declan Rhys Cerys Ewa Piotr Zsófia Bence Mihai
Ioana Elif Emre Nuria Jordi Aroa Iker Beatriz Tiago Joana Rui Freja Mikkel Aino Eero Kalani Keanu Tamsin Jago Odette
Thibault
""".split()  # noqa: SIM905  a list of so many quotes is no pleasure
SURNAMES_COMMON = """
Smith Johnson Garcia Martinez Brown Miller Davis Lopez Wilson Anderson Nguyen Kim Patel Müller Schmidt Jones
Rodriguez Lee Taylor Khan
""".split()  # noqa: SIM905  a list of so many quotes is no pleasure
SURNAMES = """
Ortiz Quillfeather Brandauer Lindqvist Okonkwo Achterberg Castellanos Fitzwilliam Papadopoulos Szymański Vandermeer
Threlkeld Abernathy Montagnier Kowalczyk Yamaguchi Takahashi Rasmussen Halvorsen Bjørnstad Delacroix Beaumont
Esposito Ferraro Lombardi Santangelo Moreira Figueiredo Carvalho Iyer Raghunathan Chatterjee Mukherjee Adeyemi
Mwangi Dlamini Haddad Mansour Rahimi Yılmaz Demir Novák Horváth Popescu Petrov Sokolova Ivanenko Berzins Kask
O'Sullivan MacGregor Llewellyn Pengelly Trevithick Stone Marsh Winters Holloway Ashdown Pemberton Whitlock Greaves
Thackeray Zellweger Baumann Huber Gruber Wagenknecht Dörfler Espinosa Villanueva Zubizarreta Etxeberria Puig Soler
Hofstadter Lindenbaum Grünwald
""".split()  # noqa: SIM905  a list of so many quotes is no pleasure
DOMAINS = """
gmail.com gmail.com gmail.com outlook.com yahoo.com icloud.com hotmail.com gmx.de web.de proton.me mail.test
""".split()  # noqa: SIM905  a list of so many quotes is no pleasure
COMPANIES = """
halden-tools.test brightwater.test nordlicht.test acme-dental.test verano-foods.test kestrel.test
""".split()  # noqa: SIM905  a list of so many quotes is no pleasure
THINGS = """
mug teapot lamp jacket chair backpack kettle rug mirror blender headset tent bike helmet desk
""".split()  # noqa: SIM905  a list of so many quotes is no pleasure
TROUBLES = [
    "arrived broken",
    "has not come yet",
    "is the wrong colour",
    "is missing a part",
    "came twice",
    "does not work",
    "was left at the wrong house",
    "should be sent to another address",
    "is too small",
]
NICKS = """
sunny moon river wild tiny happy lost blue salty cosmic mellow rusty velvet paper north amber quiet lucky
""".split()  # noqa: SIM905
NICK_ENDS = """
days fox cloud bean wolf sailor pixel garden knits runs bakes reads climbs tales noodle harbor owl pines
""".split()  # noqa: SIM905
BEGINNINGS = """
Ach Bel Cor Dal Es Fen Gar Hol Is Jan Kel Lin Mor Nor Os Pel Quin Ros Sten Tor Ul Ven Wal Yar Zel
""".split()  # noqa: SIM905  a list of so many quotes is no pleasure
MIDDLES = """an er in ol and erm ing ov ar el""".split()  # noqa: SIM905
ENDS = """
berg son ez ski dahl man ova etti ides ura wick mont feld oglu enko acker ley stad
""".split()  # noqa: SIM905  a list of so many quotes is no pleasure


@dataclass(slots=True)
class Account:
    """One way somebody writes to us. `name` is what the provider shows us."""

    channel: str
    address: str
    name: str = ""
    handle: str = ""


@dataclass(slots=True)
class Said:
    account: Account
    minute: int  # from the beginning of the world
    text: str
    subject: str = ""
    file: bytes = b""


@dataclass(slots=True)
class Pair:
    story: str
    is_same: bool
    one: Account
    other: Account
    said: list[Said] = field(default_factory=list)


@dataclass(slots=True)
class Person:
    given: str
    surname: str
    email: str
    phone: str
    insta: str
    called: str  # what friends say
    signs: bool
    chatty: bool


class World:
    """A seed, and the people that live in it. Phone numbers and order numbers are given out once."""

    def __init__(self, seed: int = SEED) -> None:
        self.chance = random.Random(seed)
        self.numbers = iter(range(2_000_000, 9_999_999, 37))
        self.orders = iter(self.chance.sample(range(10_000, 99_999), 40_000))
        self.ids = iter(range(17_000_000_000_001, 17_999_999_999_999, 7919))
        self.mails: set[str] = set()
        self.minute = 0

    def pick(self, of: list[str]) -> str:
        return self.chance.choice(of)

    def often(self, share: float) -> bool:
        return self.chance.random() < share

    def phone(self) -> str:
        number = str(next(self.numbers))
        area = self.pick(["415", "212", "312", "503", "617", "702", "808", "206"])
        return f"+1{area}{number}"

    def order(self) -> str:
        return str(next(self.orders))

    def person(self, surname: str = "", given: str = "") -> Person:
        names = [*GIVEN_NICK, *GIVEN_PLAIN]
        given = given or self.pick(names)
        surname = surname or self.surname()
        nicks, email = GIVEN_NICK.get(given, []), self.email(given, surname)
        usual = email.split("@")[0]
        takes_it_along = self.often(0.35) and usual not in self.mails  # one word for oneself everywhere
        if takes_it_along:
            self.mails.add(usual)
        return Person(
            given=given,
            surname=surname,
            email=email,
            phone=self.phone(),
            insta=usual if takes_it_along else self.insta(given, surname),
            called=self.pick(nicks) if nicks and self.often(0.6) else given,
            signs=self.often(0.55),
            chatty=self.often(0.4),
        )

    def surname(self) -> str:
        """Some names are everywhere, most are rare."""
        if self.often(0.25):
            return self.pick(SURNAMES_COMMON)
        if self.often(0.3):
            return self.pick(SURNAMES)
        return f"{self.pick(BEGINNINGS)}{self.pick(MIDDLES)}{self.pick(ENDS)}"

    def email(self, given: str, surname: str) -> str:
        first, last = plain(given), plain(surname)
        year = str(self.chance.randint(60, 99))
        shapes = [
            f"{first}.{last}",
            f"{first}{last}",
            f"{first[0]}{last}",
            f"{first}.{last}{year}",
            f"{last}.{first}",
            f"{first}{year}",
            f"{self.pick(NICKS)}.{self.pick(NICK_ENDS)}{year}",
            f"{first}_{last}",
        ]
        for _ in range(200):
            address = f"{self.pick(shapes)}@{self.pick(DOMAINS)}"
            if address not in self.mails:
                break
            shapes = [f"{shape}{self.chance.randint(1, 999)}" for shape in shapes]
        self.mails.add(address)
        return address

    def work_mail(self, person: Person, company: str) -> str:
        address = f"{plain(person.given)}.{plain(person.surname)}@{company}"
        if address in self.mails:
            address = f"{plain(person.given)}.{plain(person.surname)}{len(self.mails)}@{company}"
        self.mails.add(address)
        return address

    def insta(self, given: str, surname: str) -> str:
        """Nobody else has it."""
        handle = self._insta(given, surname)
        while handle in self.mails:
            handle = f"{self._insta(given, surname)}{self.chance.randint(1, 999)}"
        self.mails.add(handle)
        return handle

    def _insta(self, given: str, surname: str) -> str:
        first, last = plain(given), plain(surname)
        year = str(self.chance.randint(1, 99))
        return self.pick(
            [
                f"{first}.{last}",
                f"{first}{last}",
                f"{first}_{last[0]}{year}",
                f"{first}.{last[:4]}",
                f"the.{first}.{last}",
                f"{first}{last}_{year}",
                f"{self.pick(NICKS)}_{self.pick(NICK_ENDS)}",
                f"{self.pick(NICKS)}.{self.pick(NICK_ENDS)}.{year}",
                f"{last}.{first}",
                f"{first}.{drop_vowel(last, self.chance)}",
            ]
        )

    def later(self, least: int, most: int) -> int:
        self.minute += self.chance.randint(least, most)
        return self.minute

    # What providers show us

    def account(self, person: Person, channel: str) -> Account:
        full = f"{person.given} {person.surname}"
        if channel == "email":
            shown = self.chance.choices(
                [
                    full,
                    f"{person.called} {person.surname}",
                    person.called,
                    f"{person.surname}, {person.given}",
                    "",
                    mistyped(full, self.chance),
                ],
                [60, 15, 8, 4, 8, 5],
            )[0]
            return Account("email", person.email, shown)
        if channel == "sms":
            return Account("sms", person.phone, "")
        shown = self.chance.choices(
            [
                full,
                person.called,
                f"{person.called} {person.surname[0]}.",
                "",
                f"{person.called} {person.surname}",
                f"{self.pick(NICKS).title()} {self.pick(NICK_ENDS).title()}",
            ],
            [35, 20, 10, 15, 15, 5],
        )[0]
        return Account("instagram", str(next(self.ids)), shown, person.insta)

    # What people type

    def first_words(self, person: Person, account: Account, order: str, thing: str, trouble: str) -> tuple[str, str]:
        """Subject and text of somebody who begins. Not everybody has the number at hand."""
        number = self.spelled(order)
        opening = self.pick(["Hello", "Hi there", "Good morning", "Hi", "Dear team", "Hey", ""])
        about = self.pick(
            [
                f"my {thing} {trouble}. The order is {number}.",
                f"{number}: the {thing} {trouble}. What now?",
                f"I bought a {thing} from you ({number}) and it {trouble}.",
                f"could you look into {number} please? The {thing} {trouble}.",
                f"the {thing} I ordered {trouble}.",
                f"It's about the {thing}. It {trouble}. Order number is {number}",
            ]
        )
        body = f"{opening}, {about}" if opening else about
        if person.chatty:
            body += self.pick(
                [
                    " I have been a customer for years and this never happened.",
                    " I need it before the weekend, it is a present.",
                    " Please let me know how to send it back.",
                    " My neighbour says you are always quick, so I hope for the best.",
                ]
            )
        if account.channel == "email":
            body += self.signature(person)
            return self.pick(
                [f"Order {order}", f"Problem with my {thing}", "Question", f"{thing.title()} {trouble}", ""]
            ), body
        return "", body

    def spelled(self, order: str) -> str:
        return self.pick([f"#{order}", f"order {order}", f"order #{order}", f"order no. {order}", f"#{order}"])

    def signature(self, person: Person) -> str:
        if not person.signs:
            return self.pick(["", f"\n\n{person.called}", "\n\nThanks!"])
        full = f"{person.given} {person.surname}"
        lines = [self.pick(["Best regards,", "Thanks,", "Kind regards", "Cheers", "--", "Many thanks,"]), full]
        if self.often(0.5):
            lines.append(self.pick(["Tel. ", "Mobile: ", "", "M "]) + written_number(person.phone, self.chance))
        return "\n\n" + "\n".join(lines)


def plain(word: str) -> str:
    table = str.maketrans("éèêëáàâäãåíìîïóòôöõøúùûüñçłńśźżýğışžőűč", "eeeeaaaaaaiiiioooooouuuunclnszzygiszouc")
    return "".join(
        each for each in word.lower().replace("ß", "ss").translate(table) if each.isascii() and each.isalpha()
    )


def drop_vowel(word: str, chance: random.Random) -> str:
    places = [place for place, each in enumerate(word) if place and each in "aeiou"]
    if not places:
        return word
    place = chance.choice(places)
    return word[:place] + word[place + 1 :]


def mistyped(name: str, chance: random.Random) -> str:
    """A letter left out, doubled, or swapped with its neighbour, somewhere inside a word."""
    place = chance.randrange(1, len(name) - 1)
    how = chance.choice(["drop", "double", "swap"])
    if how == "drop":
        return name[:place] + name[place + 1 :]
    if how == "double":
        return name[:place] + name[place] + name[place:]
    return name[:place] + name[place + 1] + name[place] + name[place + 2 :]


def written_number(phone: str, chance: random.Random) -> str:
    digits = phone[2:]
    return chance.choice(
        [
            phone,
            f"({digits[:3]}) {digits[3:6]}-{digits[6:]}",
            f"{digits[:3]}-{digits[3:6]}-{digits[6:]}",
            f"+1 {digits[:3]} {digits[3:6]} {digits[6:]}",
        ]
    )


# The stories


def moves_on(world: World) -> Pair:
    """One person begins on one channel and goes on, some time later, on another where we do not know them."""
    person = world.person()
    here, there = world.chance.sample(["email", "sms", "instagram"], 2)
    one, other = world.account(person, here), world.account(person, there)
    order, thing, trouble = world.order(), world.pick(THINGS), world.pick(TROUBLES)
    subject, text = world.first_words(person, one, order, thing, trouble)
    photo = world.chance.randbytes(3000) if world.often(0.3) else b""
    said = [Said(one, world.later(5, 300), text, subject, photo)]
    if world.often(0.3):
        said.append(
            Said(
                one,
                world.later(10, 600),
                world.pick(["any news?", "Hello?", "please answer", f"still waiting for the {thing}"]),
            )
        )
    said.append(Said(other, world.later(4, 4000), *goes_on(world, person, one, other, order, thing, trouble, text)))
    if photo and world.often(0.4):
        said[-1].file = photo
    if world.often(0.4):
        more = world.pick(
            [
                "are you there?",
                f"the number is {order} by the way, {world.spelled(order)}",
                "thanks",
                "it is still not solved",
            ]
        )
        said.append(Said(other, world.later(1, 60), more))
    return Pair("one person moves on", True, one, other, said)


def goes_on(
    world: World, person: Person, before: Account, now: Account, order: str, thing: str, trouble: str, first: str
) -> tuple[str, str]:
    """What they type on the new channel: (text, subject)."""
    how = {"email": "emailed you", "sms": "texted you", "instagram": "sent you a DM"}[before.channel]
    how = world.pick(
        [how, {"email": "wrote you a mail", "sms": "sent a text", "instagram": "wrote on Instagram"}[before.channel]]
    )
    pieces = []
    if world.often(0.45):
        pieces.append(
            world.pick(
                [
                    f"Hi, it's {person.called}",
                    f"{person.called} here",
                    f"Hello this is {person.given} {person.surname}",
                    f"hey, {person.called} again",
                    f"My name is {person.given} {person.surname}",
                ]
            )
        )
    if world.often(0.5):
        pieces.append(
            world.pick(
                [
                    f"I {how} {world.pick(['yesterday', 'last week', 'this morning', 'twice'])} and nobody answered",
                    f"I already {how}",
                    f"I {how} about my {thing}",
                ]
            )
        )
    if world.often(0.66):
        pieces.append(
            world.pick(
                [
                    f"it's about {world.spelled(order)}",
                    f"{world.spelled(order)}: {trouble}",
                    f"my {thing} ({world.spelled(order)}) {trouble}",
                ]
            )
        )
    if world.often(0.3):
        pieces.append(own_address(world, person, before))
    tells_something = any(
        each in " ".join(pieces)
        for each in (order, person.surname, person.email, person.insta, "mobile", "phone", "ring", "call")
    )
    if not tells_something and world.often(0.75):  # who wants an answer says what it is about
        pieces.append(world.pick([f"order {order}", f"#{order}", own_address(world, person, before)]))
    if not pieces or world.often(0.2):
        pieces.append(
            world.pick([f"the {thing} {trouble}", "is anybody there", "can you help me", "when do I get an answer"])
        )
    if world.often(0.07):
        return first, ""
    text = world.pick([". ", "! ", ".\n"]).join(pieces) + world.pick([".", "", "!", "?"])
    if now.channel == "email":
        return text + world.signature(person), world.pick(["", f"Order {order}", "Still waiting", f"My {thing}"])
    return text, ""


def own_address(world: World, person: Person, known: Account) -> str:
    value = {"email": person.email, "sms": written_number(person.phone, world.chance), "instagram": f"@{person.insta}"}[
        known.channel
    ]
    if known.channel == "email":
        return world.pick(
            [
                f"my mail is {value}",
                f"you have me under {value}",
                f"I wrote from {value}",
                f"reach me at {value}",
                f"account: {value}",
                f"{value} is my address",
            ]
        )
    if known.channel == "sms":
        return world.pick(
            [
                f"my number is {value}",
                f"call me on {value}",
                f"you can ring {value}",
                f"phone {value}",
                f"mobile: {value}",
            ]
        )
    return world.pick([f"on insta I am {value}", f"my handle is {value}", f"I'm {value} there"])


def returns_later(world: World) -> Pair:
    """One person, months between, another matter: what is left is who they are."""
    person = world.person()
    here, there = world.chance.sample(["email", "sms", "instagram"], 2)
    one, other = world.account(person, here), world.account(person, there)
    said = []
    for account in (one, other):
        subject, text = world.first_words(person, account, world.order(), world.pick(THINGS), world.pick(TROUBLES))
        if account is other and world.often(0.65):
            text += world.pick([" ", "\n"]) + own_address(world, person, one)
        said.append(Said(account, world.later(200, 90_000 if account is other else 300), text, subject))
    return Pair("one person returns", True, one, other, said)


def second_mailbox(world: World) -> Pair:
    """One person writes from another address: at work, with a dot, with a tag."""
    person = world.person()
    one = world.account(person, "email")
    local, domain = person.email.split("@")
    kind = world.chance.choice(["work", "dots", "tag", "new"])
    if kind == "dots" and domain == "gmail.com" and len(local) > 4:
        place = world.chance.randrange(1, len(local) - 1)
        address = f"{local[:place]}.{local[place:]}@{domain}".replace("..", ".")
        address = f"{local.replace('.', '')}@{domain}" if address == person.email or "." in local else address
        if address == person.email:
            address = f"{local}+shop@{domain}"
    elif kind in ("tag", "dots"):
        address = f"{local}+shop@{domain}"
    elif kind == "work":
        address = world.work_mail(person, world.pick(COMPANIES))
    else:
        address = world.email(person.given, person.surname)
    other = Account(
        "email", address, world.pick([f"{person.given} {person.surname}", f"{person.called} {person.surname}"])
    )
    order, thing, trouble = world.order(), world.pick(THINGS), world.pick(TROUBLES)
    subject, text = world.first_words(person, one, order, thing, trouble)
    said = [Said(one, world.later(5, 300), text, subject)]
    again, subject = goes_on(world, person, one, other, order, thing, trouble, text)
    said.append(Said(other, world.later(30, 5000), again, subject))
    return Pair("one person, two mailboxes", True, one, other, said)


def strangers(world: World) -> Pair:
    one, other = world.person(), world.person()
    return _apart(world, "strangers", one, other)


def namesakes(world: World) -> Pair:
    """Two people of one name, who do not know each other."""
    one = world.person(surname=world.pick(SURNAMES_COMMON) if world.often(0.75) else "")
    other = world.person(one.surname, one.given)
    return _apart(world, "namesakes", one, other)


def nearly_namesakes(world: World) -> Pair:
    """Maria and Mario, Daniel and Daniela, Paul and Paula of one common surname; Alex who is Alexandra."""
    pairs = [
        ("Maria", "Mario"),
        ("Daniel", "Daniela"),
        ("Paul", "Paula"),
        ("Carlos", "Carla"),
        ("Jean", "Jeanne"),
        ("Alexander", "Alexandra"),
        ("Samuel", "Samantha"),
        ("Christopher", "Christina"),
        ("Luca", "Lucas"),
    ]
    first, second = world.chance.choice(pairs)
    surname = world.pick(SURNAMES_COMMON)
    return _apart(world, "nearly namesakes", world.person(surname, first), world.person(surname, second))


def _apart(world: World, story: str, one: Person, other: Person) -> Pair:
    """Each with a matter of their own."""
    accounts = [world.account(each, world.pick(["email", "sms", "instagram"])) for each in (one, other)]
    said = []
    for person, account in zip((one, other), accounts, strict=True):
        subject, text = world.first_words(person, account, world.order(), world.pick(THINGS), world.pick(TROUBLES))
        said.append(Said(account, world.later(3, world.chance.choice([300, 3000, 30_000])), text, subject))
        if world.often(0.3):
            elsewhere = world.pick(
                ["I emailed you last week already", "I texted you about this", "nobody answers my mails"]
            )
            said.append(Said(account, world.later(3, 90), elsewhere))
    return Pair(story, False, *accounts, said)


def couple(world: World) -> Pair:
    """Two who live together: one ordered, the other writes about it, or each has something of their own."""
    one = world.person()
    other = world.person(one.surname if world.often(0.75) else "")
    while other.given == one.given:
        other = world.person(other.surname)
    relation = world.pick(["wife", "husband", "partner", "mother", "son", "daughter", "girlfriend", "brother"])
    accounts = [
        world.account(one, world.pick(["email", "sms"])),
        world.account(other, world.pick(["sms", "instagram", "email"])),
    ]
    order, thing, trouble = world.order(), world.pick(THINGS), world.pick(TROUBLES)
    subject, text = world.first_words(one, accounts[0], order, thing, trouble)
    said = [Said(accounts[0], world.later(5, 300), text, subject)]
    number = world.spelled(order)
    words = world.pick(
        [
            f"my {relation} {one.called} ordered a {thing}, {number}. It {trouble}",
            f"Hi, I'm writing for my {relation}. {number} {trouble}",
            f"hello {other.called} here, {one.called} asked me to check on {number}",
            f"it's about my {relation}'s order {number}. You can reach {one.called} at {one.email}",
            f"my {relation}'s number is {written_number(one.phone, world.chance)}, please call there about the {thing}",
            f"please use {one.email} from now on, that's my {relation}",
            f"we ordered a {thing}. I am {other.called}. My {relation} wrote to you before, {one.email}",
            f"Do you have the {thing} in blue? {other.called}",
            f"our {thing} {trouble}, {number}. {other.given} {other.surname}",
        ]
    )
    said.append(Said(accounts[1], world.later(10, 5000), words))
    return Pair("a couple or a family", False, *accounts, said)


def colleagues(world: World) -> Pair:
    """Two of one firm: the same switchboard under their mails, perhaps the same order."""
    company, switchboard = world.pick(COMPANIES), world.phone()
    one, other = world.person(), world.person()
    order, thing, trouble = world.order(), world.pick(THINGS), world.pick(TROUBLES)
    said, accounts = [], []
    for person in (one, other):
        address = world.work_mail(person, company)
        account = Account("email", address, f"{person.given} {person.surname}")
        accounts.append(account)
        number = order if world.often(0.4) else world.order()
        firm, tel = company.split(".")[0].title(), written_number(switchboard, world.chance)
        sign = f"\n\nRegards\n{person.given} {person.surname}\n{firm} Ltd\nTel {tel}"
        said.append(
            Said(
                account, world.later(30, 3000), f"Hello, {world.spelled(number)}: the {thing} {trouble}.{sign}", "Order"
            )
        )
    return Pair("colleagues", False, *accounts, said)


def present(world: World) -> Pair:
    """One bought it, another got it; they are not one family."""
    giver, receiver = world.person(), world.person()
    accounts = [world.account(giver, "email"), world.account(receiver, world.pick(["sms", "instagram"]))]
    order, thing, trouble = world.order(), world.pick(THINGS), world.pick(TROUBLES)
    number = world.spelled(order)
    said = [
        Said(
            accounts[0],
            world.later(5, 300),
            f"I ordered a {thing} as a present, {world.spelled(order)}. Please wrap it.{world.signature(giver)}",
            "Present",
        ),
        Said(
            accounts[1],
            world.later(500, 9000),
            world.pick(
                [
                    f"Hi! I got a {thing} from {giver.called} and it {trouble}. It says {number}. {receiver.called}",
                    f"{receiver.given} {receiver.surname} here. A friend gave me a {thing}, {number}, it {trouble}",
                ]
            ),
        ),
    ]
    return Pair("a present", False, *accounts, said)


def wrong_digit(world: World) -> Pair:
    """Somebody mistypes their order number, and it is another's."""
    one, other = world.person(), world.person()
    accounts = [world.account(one, "email"), world.account(other, world.pick(["sms", "instagram", "email"]))]
    order = world.order()
    said = []
    for person, account in zip((one, other), accounts, strict=True):
        subject, text = world.first_words(person, account, order, world.pick(THINGS), world.pick(TROUBLES))
        said.append(Said(account, world.later(60, 9000), text, subject))
    return Pair("a wrong digit", False, *accounts, said)


STORIES: list[tuple[Callable[[World], Pair], int]] = [
    (moves_on, 34),
    (returns_later, 6),
    (second_mailbox, 8),
    (strangers, 16),
    (namesakes, 9),
    (nearly_namesakes, 6),
    (couple, 12),
    (colleagues, 5),
    (present, 3),
    (wrong_digit, 1),
]


def pairs(number: int, seed: int = SEED) -> Iterator[Pair]:
    world = World(seed)
    stories, weights = zip(*STORIES, strict=True)
    for _ in range(number):
        yield world.chance.choices(stories, weights)[0](world)
