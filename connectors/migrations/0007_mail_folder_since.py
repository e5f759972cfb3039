from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("connectors", "0006_renewing"),
    ]

    operations = [
        migrations.AddField(
            model_name="mailfolder",
            name="since",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="mailfolder",
            name="renumbered_below",
            field=models.BigIntegerField(default=0),
        ),
    ]
