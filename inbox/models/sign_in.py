"""How often somebody has just tried to sign in: counted in the database, so that all processes count together."""

from __future__ import annotations

import hashlib
from datetime import timedelta

from django.db import connection, models
from django.utils.timezone import now

WINDOW = timedelta(minutes=15)
MOST_PER_PERSON = 10  # of one address from one place
MOST_PER_PLACE = 100  # of any address from one place
KEPT = timedelta(days=1)


class SignInAttempt(models.Model):
    """One counter per key and window. The key is a hash: what people typed is nobody's business."""

    key = models.CharField(max_length=64, primary_key=True)
    count = models.PositiveIntegerField(default=0)
    since = models.DateTimeField(default=now, db_index=True)

    objects: models.Manager[SignInAttempt] = models.Manager()

    @classmethod
    def is_allowed(cls, email: str, place: str) -> bool:
        """Counts this attempt first, then judges: fifty at once are fifty."""
        person = cls._count(f"{email.strip().lower()}|{place}")
        anybody = cls._count(f"|{place}")
        return person <= MOST_PER_PERSON and anybody <= MOST_PER_PLACE

    @classmethod
    def succeeded(cls, email: str, place: str) -> None:
        cls.objects.filter(key=_key(f"{email.strip().lower()}|{place}")).delete()
        cls.objects.filter(since__lt=now() - KEPT).delete()

    @classmethod
    def _count(cls, who: str) -> int:
        at = now()
        with connection.cursor() as cursor:
            cursor.execute(
                """INSERT INTO inbox_signinattempt AS a (key, count, since) VALUES (%s, 1, %s)
                   ON CONFLICT (key) DO UPDATE SET
                       count = CASE WHEN a.since < %s THEN 1 ELSE a.count + 1 END,
                       since = CASE WHEN a.since < %s THEN excluded.since ELSE a.since END
                   RETURNING count""",
                [_key(who), at, at - WINDOW, at - WINDOW],
            )
            return int(cursor.fetchone()[0])


def _key(who: str) -> str:
    return hashlib.sha256(who.encode()).hexdigest()
