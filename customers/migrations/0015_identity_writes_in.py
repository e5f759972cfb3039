from django.db import migrations, models


class Migration(migrations.Migration):
    """The language that is guessed from what was written from an address."""

    dependencies = [("customers", "0014_consent_ledger")]

    operations = [
        migrations.RunSQL("SET LOCAL lock_timeout = '5s'", migrations.RunSQL.noop),
        migrations.AddField(
            "identity", "writes_in", models.CharField(blank=True, db_default="", default="", max_length=8)
        ),
    ]
