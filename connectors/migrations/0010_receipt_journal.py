from django.db import migrations, models


class Migration(migrations.Migration):
    """What people did about a receipt. The default is the database's: older programs go on storing receipts."""

    dependencies = [("connectors", "0009_whatsapp")]

    operations = [
        migrations.AddField(
            "receipt",
            "journal",
            models.JSONField(default=list, db_default=models.Value([], output_field=models.JSONField())),
        ),
    ]
