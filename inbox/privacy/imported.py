"""What files that were imported within the last day say of who is erased: what was left of them, and, of one that
stopped, the file itself."""

from __future__ import annotations

import re

from django.db.models import TextField
from django.db.models.functions import Cast
from django.utils.timezone import now

from inbox.models import FileImport, ImportState
from inbox.models.file_import import KEPT
from inbox.privacy.naming import naming, without

NAMES_THEM = "The file names somebody who has been erased."


def forget(names: set[str]) -> None:
    """`names`: also what other systems call them. A file that names them is not gone on with."""
    if not names:
        return
    runs = FileImport.objects.select_for_update().order_by("pk")
    for run in runs.alias(told=Cast("left", TextField())).filter(naming("told", names)).only("left"):
        run.left = without(run.left, names)
        run.save(update_fields=["left"])
    written = _written(names)
    for stopped in runs.filter(state=ImportState.STOPPED).exclude(content=b"").only("content"):
        if written.search(bytes(stopped.content).decode()):
            stopped.content, stopped.reason, stopped.ended_at = b"", NAMES_THEM, now() - KEPT
            stopped.save(update_fields=["content", "reason", "ended_at"])


def _written(names: set[str]) -> re.Pattern[str]:
    """In any case; a number with anything that people write between its digits."""
    forms = (r"[ ().\-/]*".join(name[1:]) if re.fullmatch(r"\+\d+", name) else re.escape(name) for name in names)
    return re.compile(rf"(?<![\w.@-])(?:{'|'.join(forms)})(?![\w@-]|\.\w)", re.IGNORECASE)
