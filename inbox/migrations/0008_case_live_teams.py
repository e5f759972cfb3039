from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    """A small team's live cases, without walking everybody's."""

    atomic = False
    dependencies = [("inbox", "0007_fill_case_team_ids")]

    operations = [
        migrations.RunSQL("SET lock_timeout = '5s'", "RESET lock_timeout"),
        migrations.RunSQL("DROP INDEX CONCURRENTLY IF EXISTS case_live_teams", migrations.RunSQL.noop),  # half built
        AddIndexConcurrently(
            "case",
            GinIndex(
                fields=["team_ids"], name="case_live_teams", condition=models.Q(("is_live", True)), fastupdate=False
            ),
        ),
        migrations.RunSQL("RESET lock_timeout", "SET lock_timeout = '5s'"),
    ]
