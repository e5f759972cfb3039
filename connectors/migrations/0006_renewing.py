from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("connectors", "0005_live_test"),
    ]

    operations = [
        migrations.AddField(
            model_name="connector",
            name="renew_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
    ]
