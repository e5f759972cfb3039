from django.contrib.postgres.operations import TrigramExtension
from django.db import migrations


class Migration(migrations.Migration):
    """pg_trgm is a trusted extension: the owner of the database may create it."""

    dependencies = [("customers", "0001_customers")]

    operations = [TrigramExtension()]
