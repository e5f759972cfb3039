from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations

RESOLVE = """UPDATE inbox_case SET status = 'resolved', resolved_at = coalesce(resolved_at, changed_at)
    WHERE NOT is_live AND status <> 'resolved' AND merged_into_id IS NULL"""


class Migration(migrations.Migration):
    """Cases that an earlier version left in no view are resolved, where they are found; no lock is held meanwhile."""

    atomic = False
    dependencies = [("inbox", "0013_case_out_of_sight")]

    operations = [
        migrations.RunSQL(RESOLVE, migrations.RunSQL.noop),
        ValidateConstraint("case", "a_case_that_is_not_live_is_resolved_or_merged"),
    ]
