from django.db import migrations


class Migration(migrations.Migration):
    """`Case.team_ids` says it now."""

    dependencies = [("inbox", "0008_case_live_teams")]

    operations = [
        migrations.RunSQL("SET LOCAL lock_timeout = '5s'", migrations.RunSQL.noop),
        migrations.RemoveField("case", "teams"),
        migrations.DeleteModel("CaseTeam"),
    ]
