import django.contrib.postgres.fields
from django.db import migrations, models

KINDS = [("minor", "A minor"), ("health", "Health"), ("legal", "Legal")]


class Migration(migrations.Migration):
    """Entries of which nothing is left, and cases that only named people see."""

    dependencies = [("inbox", "0024_regroupings"), ("customers", "0010_tombstones")]

    operations = [
        migrations.RunSQL("SET LOCAL lock_timeout = '5s'", migrations.RunSQL.noop),
        migrations.AddField("entry", "erased_at", models.DateTimeField(blank=True, null=True)),
        migrations.AddField(
            "case", "sensitive", models.CharField(blank=True, choices=KINDS, db_default="", default="", max_length=8)
        ),
        migrations.AddField(
            "case",
            "named_ids",
            django.contrib.postgres.fields.ArrayField(
                base_field=models.BigIntegerField(), blank=True, null=True, size=None
            ),
        ),
    ]
