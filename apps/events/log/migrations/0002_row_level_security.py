"""Row-level security of the ingest log, by the one function that decides for every shared table."""

from django.db import migrations

POLICY = """
ALTER TABLE public.ingest_log_logrecord ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.ingest_log_logrecord FORCE ROW LEVEL SECURITY;
CREATE POLICY access_policy ON public.ingest_log_logrecord USING (public.check_row_access(org_id));
"""


class Migration(migrations.Migration):
    dependencies = [("ingest_log", "0001_initial"), ("orgs", "0002_row_level_security")]
    operations = [migrations.RunSQL(POLICY, migrations.RunSQL.noop)]
