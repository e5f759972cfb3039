from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("customers", "0006_assurance"),
    ]

    operations = [
        migrations.AlterField(
            model_name="identity",
            name="kind",
            field=models.CharField(
                choices=[
                    ("email", "Email"),
                    ("phone", "Phone"),
                    ("instagram", "Instagram"),
                    ("whatsapp", "WhatsApp"),
                ],
                max_length=16,
            ),
        ),
        migrations.AlterField(
            model_name="identitylink",
            name="reason",
            field=models.CharField(
                choices=[
                    ("first_seen", "wrote from this address first"),
                    ("imported", "on record from an import"),
                    ("added", "added by an agent"),
                    ("joined", "an agent said it is the same person"),
                    ("code", "wrote a code that we had given"),
                    ("vouched", "the provider knows them by both addresses"),
                ],
                max_length=16,
            ),
        ),
    ]
