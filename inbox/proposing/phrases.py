"""How people say that an address, an order or a name is theirs, or somebody else's. Pure patterns, read sentence by
sentence; a language that is missing here only makes fewer proposals."""

from __future__ import annotations

import re


def _any(*words: str) -> str:
    return "|".join(words)


RELATION = _any(
    r"(?:my|our|the|his|her) (?:wife|husband|partner|fianc[eé]e?|spouse|mother|mom|mum|father|dad|son|daughter|brother",
    r"sister|friend|boss|colleague|coworker|neighbou?r|room ?mate|flat ?mate|assistant|girlfriend|boyfriend|parents?",
    r"kids?|aunt|uncle|cousin|grand(?:ma|pa|mother|father)|(?:\w+-)?in-law)",
    r"mi (?:marido|esposo|esposa|mujer|hij[oa]|madre|padre|hermano|hermana|amig[oa])",
    r"mein(?:e|er|em)? (?:frau|mann|mutter|vater|sohn|tochter|bruder|schwester|freund(?:in)?|partner(?:in)?)",
    r"(?:mon|ma) (?:mari|femme|fils|fille|p[eè]re|m[eè]re|fr[eè]re|s(?:œ|oe)ur|amie?)",
    r"(?:meu|minha) (?:marido|esposa|filh[oa]|m[aã]e|pai|irm[aã]o?)",
)
SOMEBODY_ELSE = re.compile(rf"\b(?:{RELATION}|her|his|their|him|she|he|on behalf of|instead of me)\b", re.I)
THEIR_MATTER = re.compile(
    rf"\b(?:on behalf of|(?:her|his|their) (?:order|account|parcel|package|purchase|delivery|return)"
    rf"|(?:{RELATION})(?:['’]s)?\b.{{0,30}}?\b(?:order(?:ed)?|bought|placed|purchased?|account|parcel|package|delivery"
    rf"|got|received)|(?:for|of|by|from) (?:{RELATION})|(?:she|he) (?:ordered|bought|placed)|gave me"
    r"|asked me to|(?:gift|present) from|got (?:an?|the|it|this)\b[^.!?]{0,30} from)\b",
    re.I,
)
MINE = re.compile(
    r"\b(?:my (?:other |old |new |work |private |home |mobile |cell |e-?mail |phone )*"
    r"(?:e-?mail|mail|address|number|phone|cell|mobile|account|insta(?:gram)?|handle|ig)"
    r"|(?:reach|call|text|ring|e-?mail|contact|find|write(?: to)?) me|me (?:at|on|under)|i(?: am|['’]m)"
    r"|i (?:use|used|wrote|e-?mailed|texted|messaged|have written|order(?:ed)?|registered|signed up)"
    r"|mi (?:correo|email|n[uú]mero|tel[eé]fono|m[oó]vil)"
    r"|meine? (?:e-?mail|mail|nummer|telefonnummer|handynummer|adresse)"
    r"|mon (?:e-?mail|mail|num[eé]ro|adresse)|meu (?:e-?mail|n[uú]mero|telefone))\b",
    re.I,
)
_I = r"\b(?:i|we)(?:['’]ve| have| had)?(?: also| already| just)? "
_SENT = r"(?:wrote|sent|written|messaged)[^.!?\n]{0,30}\b"
_MY = r"\bmy (?:last |first |earlier |previous )?"
ELSEWHERE = {
    "email": re.compile(rf"{_I}(?:e-?mailed|mailed|{_SENT}e-?mail)|{_MY}e-?mails?\b(?! (?:is|address)|:)", re.I),
    "sms": re.compile(rf"{_I}(?:texted|{_SENT}(?:text|sms))|{_MY}(?:texts?|sms)\b", re.I),
    "instagram": re.compile(rf"{_I}(?:dm['’]?e?d|{_SENT}(?:dm|insta(?:gram)?))|{_MY}dms?\b", re.I),
}
SAYS_NAME = re.compile(
    r"\b(?:it['’]?s|this is|it is|i am|i['’]m|my name is|name['’]?s|here is|soy|me llamo|mi nombre es"
    r"|ich bin(?:['’]?s)?|ich hei(?:ß|ss)e|je suis|c['’]est|sou|meu nome [eé])\s+"
    r"(?:me\b[,.! ]*)?(?:again\b[, ]*)?([^\W\d_][\w'’-]+)((?-i:\s+[A-Z][\w'’-]+)?)",
    re.I,
)
NAME_HERE = re.compile(r"(?:^|[,.!\n]\s*|\bhi\s+)([A-Z][\w'’-]+)(\s+[A-Z][\w'’-]+)?\s+here\b")
SIGN_OFF = re.compile(
    r"^(?:--|thanks|thank you|many thanks|cheers|best|best wishes|all the best|(?:(?:kind|best|warm) )?regards|warmly"
    r"|sincerely|yours|yours truly|love|greetings|xx?|gracias|saludos|un saludo|danke|(?:viele )?gr[uü](?:ß|ss)e|lg|mfg"
    r"|merci|cordialement|obrigad[oa]|sent from my \w+)\b[\s,.!:-]*",
    re.I,
)
HANDLE = re.compile(r"(?<![\w.@])@([A-Za-z0-9_][A-Za-z0-9_.]{1,28}[A-Za-z0-9_])(?![\w@])")
SENTENCE_END = re.compile(r"(?<=[.!?])(?<!\b[Nn]o\.)(?<!\b[Nn]r\.)(?<!\b[Tt]el\.)\s+|\n+")
COMPANY = re.compile(
    r"\b(?:ltd|limited|inc|llc|gmbh|ag|sa|s\.?l|corp|company|co|team|group|store|shop|department)\b\.?", re.I
)
NO_NAME = """
me again not just so sorry sure still very happy sad upset waiting writing looking having going trying about here really
urgent broken late the an your my in on at from with for afraid glad done back also only getting asking contacting
"""
NO_PERSON = "info contact office hello mail admin sales support team service billing orders shop home family"
