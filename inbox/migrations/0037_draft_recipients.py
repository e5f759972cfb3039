from django.db import migrations, models


class Migration(migrations.Migration):
    """Who else a mail that is being written goes to, and to which address."""

    dependencies = [
        ("inbox", "0036_case_live_named"),
    ]

    operations = [
        migrations.RunSQL("SET LOCAL lock_timeout = '5s'", migrations.RunSQL.noop),
        migrations.AddField("draft", "cc", models.CharField(blank=True, db_default="", default="", max_length=2000)),
        migrations.AddField("draft", "bcc", models.CharField(blank=True, db_default="", default="", max_length=2000)),
        migrations.AddField(
            "draft", "sent_to", models.CharField(blank=True, db_default="", default="", max_length=320)
        ),
    ]
