"""An import told of an address that is somebody else's here: perhaps two records of one person."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import F, Func

from customers.models import Customer
from inbox.models import FileImport
from inbox.proposing.looking import propose_each

MOST_AT_ONCE = 100


def propose_some(ids: Sequence[int]) -> None:
    """`ids`: of customers, once what was told of them is safe."""
    propose_each(Customer.objects.current().filter(pk__in=ids))


def propose_imported() -> int:
    """The next hundred of those whom a file told of; more may be added behind them meanwhile, and somebody else may
    have taken these away."""
    run = FileImport.objects.exclude(doubtful=[]).only("doubtful").order_by("pk").first()
    if run is None:
        return 0
    some = run.doubtful[:MOST_AT_ONCE]
    propose_some(some)
    still_first = {f"doubtful__0_{len(some)}": some}
    FileImport.objects.filter(pk=run.pk, **still_first).update(doubtful=_behind(len(some)))
    return len(some)


def _behind(number: int) -> Func:
    words = f"(%(expressions)s)[{number + 1}:]"
    return Func(F("doubtful"), template=words, output_field=FileImport._meta.get_field("doubtful"))
