from django.db import migrations


class Migration(migrations.Migration):
    """Case numbers start at 1001: they are read aloud, and #1 says "nobody uses this yet"."""

    dependencies = [("inbox", "0003_alert_escalation")]

    operations = [
        migrations.RunSQL("ALTER SEQUENCE inbox_case_id_seq RESTART WITH 1001", migrations.RunSQL.noop),
    ]
