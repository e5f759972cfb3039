"""What time it is where somebody is. Pure; a guess is made only when every number there is says the same."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import phonenumbers
from phonenumbers import timezone


@lru_cache(1_000)
def zone_of_number(value: str) -> str:
    """The IANA zone of an E.164 number; empty when its country has several and the number does not tell."""
    try:
        zones = timezone.time_zones_for_number(phonenumbers.parse(value))
    except phonenumbers.NumberParseException:
        return ""
    return zones[0] if len(zones) == 1 and is_zone(zones[0]) else ""


def zone_of(known: str, numbers: Iterable[str]) -> str:
    """`known`: what we were told; else that of their numbers, if they agree."""
    if is_zone(known):
        return known
    found = {zone for zone in map(zone_of_number, numbers) if zone}
    return found.pop() if len(found) == 1 else ""


def is_zone(name: str) -> bool:
    try:
        return bool(name) and ZoneInfo(name) is not None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False


def local_time(zone: str, at: datetime) -> str:
    """'14:14 in Lisbon'; with the day when it is another one there than here."""
    if not zone:
        return ""
    there = at.astimezone(ZoneInfo(zone))
    city = zone.rpartition("/")[2].replace("_", " ")
    return f"{there:%H:%M} in {city}" if there.date() == at.date() else f"{there:%a %H:%M} in {city}"
