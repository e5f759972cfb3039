from django.contrib.postgres.fields import ArrayField
from django.db import migrations, models


class Migration(migrations.Migration):
    """The teams that see a case, on the case itself: lists need no join, and an index can lead with the team."""

    dependencies = [("inbox", "0005_sign_in_attempts")]

    operations = [
        migrations.RunSQL("SET LOCAL lock_timeout = '5s'", migrations.RunSQL.noop),
        migrations.AddField("case", "team_ids", ArrayField(models.BigIntegerField(), default=list)),
    ]
