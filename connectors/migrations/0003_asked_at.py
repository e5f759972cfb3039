from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("connectors", "0002_failing_side"),
    ]

    operations = [
        migrations.AddField(
            model_name="connector",
            name="asked_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="connector",
            name="heard_all_until",
            field=models.DateTimeField(blank=True, null=True),
        ),
    ]
