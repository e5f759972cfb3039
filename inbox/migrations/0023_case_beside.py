from django.db import migrations, models


class Migration(migrations.Migration):
    """How many other live cases the same person has. A constant default: no row is written."""

    dependencies = [("inbox", "0022_who_may_join")]

    operations = [
        migrations.RunSQL("SET LOCAL lock_timeout = '5s'", migrations.RunSQL.noop),
        migrations.AddField("case", "beside", models.SmallIntegerField(db_default=0, default=0)),
    ]
