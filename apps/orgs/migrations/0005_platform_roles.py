"""Second walls: only the platform gives the platform's roles, and names of buyers go to data owners only."""

from django.conf import settings
from django.db import migrations

MEMBERSHIP = """
DROP POLICY access_policy ON public.orgs_membership;
CREATE POLICY access_policy ON public.orgs_membership
    USING (public.check_row_access(org_id)
           OR user_id::text = current_setting('app.user_id', true))
    WITH CHECK (public.check_row_access(org_id)
                AND (role NOT IN ('super_admin', 'campaign_manager')
                     OR current_setting('app.user_role', true) IN ('super_admin', 'service')));
"""

NAMES = """
CREATE OR REPLACE FUNCTION public.buyer_names(ids uuid[]) RETURNS TABLE (id uuid, name text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    held text := current_setting('app.user_role', true);
    mine uuid[] := string_to_array(nullif(current_setting('app.user_org_ids', true), ''), ',')::uuid[];
    allowed boolean;
BEGIN
    PERFORM set_config('app.user_role', 'service', true);
    allowed := held IN ('super_admin', 'service') OR EXISTS (
        SELECT FROM public.orgs_organisation AS o
        WHERE o.id = ANY (mine) AND o.kind IN ('data_owner', 'publisher'));
    RETURN QUERY SELECT o.id, o.name::text FROM public.orgs_organisation AS o WHERE allowed AND o.id = ANY (ids);
    PERFORM set_config('app.user_role', coalesce(held, ''), true);
END
$$;
"""


def grant_to_application(apps, schema_editor):
    role = schema_editor.quote_name(settings.DATABASES["default"]["USER"])
    schema_editor.execute(f"""
        REVOKE ALL ON FUNCTION public.buyer_names(uuid[]) FROM PUBLIC;
        GRANT EXECUTE ON FUNCTION public.buyer_names(uuid[]) TO {role};
    """)


class Migration(migrations.Migration):
    dependencies = [("orgs", "0004_api_keys")]
    operations = [
        migrations.RunSQL(MEMBERSHIP, migrations.RunSQL.noop),
        migrations.RunSQL(NAMES, migrations.RunSQL.noop),
        migrations.RunPython(grant_to_application, migrations.RunPython.noop),
    ]
