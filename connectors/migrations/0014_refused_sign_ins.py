from django.db import migrations, models


class Migration(migrations.Migration):
    """How often signing in was refused in a row, to receive and to send."""

    dependencies = [("connectors", "0013_receipt_received")]

    operations = [
        migrations.AddField("connector", "refused_in", models.PositiveSmallIntegerField(default=0, db_default=0)),
        migrations.AddField("connector", "refused_out", models.PositiveSmallIntegerField(default=0, db_default=0)),
    ]
