"""One number, one form: E.164 as its country writes it today, without what some networks add or leave out. Pure."""

from __future__ import annotations

import re

import phonenumbers
from phonenumbers import PhoneNumber, PhoneNumberFormat

ARGENTINA, BRAZIL, MEXICO = 54, 55, 52
# Eight digits of a mobile from before 2016; landlines begin with 2 to 5, trunk radio with 70 and 77 to 79.
BRAZILIAN_MOBILE = re.compile(r"\d\d(?:[689]|7[1-6])\d*")


def in_one_form(number: PhoneNumber) -> PhoneNumber:
    """Whoever texts has a mobile, whatever their network leaves out of its number.

    Argentina: mobiles are 54 9 and ten digits from abroad; some networks leave the 9 out. Landlines do not overlap with
    mobiles in the ten digits, so nobody else has that number. Mexico: the 1 after 52 is gone since 2019, and WhatsApp
    still writes it. Brazil: mobiles have nine digits since 2016; WhatsApp leaves the first one out in most regions.
    """
    country, national = number.country_code, str(number.national_number)
    if country == ARGENTINA and len(national) == 10:
        national = f"9{national}"
    elif country == MEXICO and len(national) == 11 and national.startswith("1"):
        national = national[1:]
    elif country == BRAZIL and len(national) == 10 and BRAZILIAN_MOBILE.fullmatch(national):
        national = f"{national[:2]}9{national[2:]}"
    else:
        return number
    return PhoneNumber(country_code=country, national_number=int(national))


def e164(number: PhoneNumber) -> str:
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)
