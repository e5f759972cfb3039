from django.db import migrations, models


class Migration(migrations.Migration):
    """Which joins rest on more than an agent's word."""

    dependencies = [("inbox", "0020_drop_merge_cases")]

    operations = [
        migrations.RunSQL("SET LOCAL lock_timeout = '5s'", migrations.RunSQL.noop),
        migrations.AddField("merge", "proven_at", models.DateTimeField(blank=True, null=True)),
    ]
