from django.db import migrations, models


class Migration(migrations.Migration):
    """Who may say that two customers are one person, and who may take that back."""

    dependencies = [("inbox", "0021_merge_proven")]

    operations = [
        migrations.RunSQL("SET LOCAL lock_timeout = '5s'", migrations.RunSQL.noop),
        migrations.AddField("agent", "may_join", models.BooleanField(db_default=True, default=True)),
        migrations.AddField("agent", "may_part", models.BooleanField(db_default=True, default=True)),
    ]
