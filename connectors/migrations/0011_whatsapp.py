from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("connectors", "0010_receipt_discarded"),
    ]

    operations = [
        migrations.AlterField(
            model_name="connector",
            name="kind",
            field=models.CharField(
                choices=[
                    ("email", "Email"),
                    ("sms", "SMS"),
                    ("instagram", "Instagram"),
                    ("whatsapp", "WhatsApp"),
                ],
                max_length=16,
            ),
        ),
    ]
