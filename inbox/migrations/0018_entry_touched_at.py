from django.db import migrations, models


class Migration(migrations.Migration):
    """When an entry last changed its look in a way that has no time of its own: a reaction, a file that is here now."""

    dependencies = [("inbox", "0017_attachment_by_key")]

    operations = [migrations.AddField("entry", "touched_at", models.DateTimeField(blank=True, null=True))]
