from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("inbox", "0015_invitations"),
    ]

    operations = [
        migrations.AddField(
            model_name="entry",
            name="arrived_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
    ]
