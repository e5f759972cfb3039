from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    """Those who moved, the latest first."""

    atomic = False
    dependencies = [("inbox", "0009_drop_case_teams")]

    operations = [
        migrations.RunSQL("SET lock_timeout = '5s'", "RESET lock_timeout"),
        migrations.RunSQL("DROP INDEX CONCURRENTLY IF EXISTS case_live_moved", migrations.RunSQL.noop),  # half built
        AddIndexConcurrently(
            "case",
            models.Index(
                fields=["-moved_at", "-id"],
                name="case_live_moved",
                condition=models.Q(("is_live", True), ("shows_move", True)),
            ),
        ),
        migrations.RunSQL("RESET lock_timeout", "SET lock_timeout = '5s'"),
    ]
