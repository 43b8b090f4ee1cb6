"""Installs the function that clones the template schema into a new organisation's schema."""

from django.db import migrations
from django_tenants.clone import CLONE_SCHEMA_FUNCTION


def install(apps, schema_editor):
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        owner = cursor.fetchone()[0]
        cursor.execute(CLONE_SCHEMA_FUNCTION.format(db_user=owner))
        cursor.execute("REVOKE ALL ON FUNCTION public.clone_schema(text, text, public.cloneparms[]) FROM PUBLIC")


class Migration(migrations.Migration):
    dependencies = [("orgs", "0002_row_level_security")]
    operations = [migrations.RunPython(install, migrations.RunPython.noop)]
