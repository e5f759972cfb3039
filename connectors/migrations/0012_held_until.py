from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("connectors", "0011_receipt_discarded"),
    ]

    operations = [
        migrations.AddField(
            model_name="connector",
            name="held_until",
            field=models.DateTimeField(blank=True, null=True),
        ),
    ]
