from django.db import migrations, models


class Migration(migrations.Migration):
    """When automatic answers were last held back because too much came in, and why."""

    dependencies = [("connectors", "0015_mailboxes_refused_once")]

    operations = [
        migrations.AddField("connector", "silent_at", models.DateTimeField(null=True, blank=True)),
        migrations.AddField(
            "connector", "silent_because", models.CharField(max_length=300, blank=True, default="", db_default="")
        ),
    ]
