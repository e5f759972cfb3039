from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("connectors", "0004_set_up"),
    ]

    operations = [
        migrations.AddField(
            model_name="connector",
            name="check_asked_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="connector",
            name="checked_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="connector",
            name="findings",
            field=models.JSONField(blank=True, null=True),
        ),
    ]
