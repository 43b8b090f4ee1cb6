"""The gateway's walls: no query without an organisation, none beyond it, none across without an audit entry."""

from uuid import uuid4

import pyarrow as pa
import pytest

from apps.warehouse.gateway import TABLES_WITH_ORG, client, execute, execute_across
from apps.warehouse.migrate import apply_schema
from apps.warehouse.public import UnscopedQuery, insert
from tests.support.world import World

# Tables in which the golden events leave the rival nothing.
EMPTY_FOR_RIVAL = {"signal_usage"}


def test_a_query_that_does_not_bind_its_organisation_is_refused(world: World) -> None:
    with pytest.raises(UnscopedQuery):
        execute(world.orgs["buyer"].pk, "test", "SELECT count() FROM events")


def test_rows_of_two_organisations_or_of_another_are_not_inserted(world: World) -> None:
    mine, other = str(world.orgs["buyer"].pk), str(world.orgs["rival"].pk)
    for owners in ([mine, other], [other], []):
        plain = pa.array(owners, pa.string())
        for column in (plain, plain.dictionary_encode()):
            with pytest.raises(UnscopedQuery):
                insert(world.orgs["buyer"].pk, "events", pa.table({"org_id": column}), token="x")


@pytest.mark.parametrize("table", TABLES_WITH_ORG)
def test_the_engine_filters_even_what_the_sql_forgot(table: str, world: World) -> None:
    orgs = "uniqExact(org_id) AS orgs, any(org_id) AS org"
    sql = f"SELECT {orgs} FROM {table} WHERE {{org_id:UUID}} != toUUID('{uuid4()}')"
    row = execute(world.orgs["rival"].pk, "test", sql)[0]
    if row["orgs"]:
        assert (row["orgs"], row["org"]) == (1, world.orgs["rival"].pk)
    assert table in EMPTY_FOR_RIVAL or row["orgs"] == 1


def test_every_table_that_bears_an_organisation_is_filtered(world: World) -> None:
    rows = (
        client()
        .query(
            "SELECT DISTINCT c.table FROM system.columns AS c JOIN system.tables AS t USING (database, table)"
            " WHERE c.database = currentDatabase() AND c.name = 'org_id' AND t.engine NOT LIKE '%View'".replace(
                "USING (database, table)", "ON t.database = c.database AND t.name = c.table"
            )
        )
        .result_rows
    )
    assert {name for (name,) in rows} == set(TABLES_WITH_ORG)


def test_the_organisation_leads_every_sorting_key(world: World) -> None:
    rows = (
        client()
        .query(
            "SELECT name, sorting_key FROM system.tables"
            " WHERE database = currentDatabase() AND name IN {names:Array(String)}",
            parameters={"names": list(TABLES_WITH_ORG)},
        )
        .result_rows
    )
    assert len(rows) == len(TABLES_WITH_ORG)
    assert all(key.startswith("org_id") for _, key in rows)


def test_crossing_is_audited_before_any_row_is_read(world: World) -> None:
    def refuse(action: str, detail: object) -> None:
        raise PermissionError(action)

    with pytest.raises(PermissionError, match=r"warehouse\.crossed"):
        execute_across("test", "SELECT 1", audit=refuse)


def test_the_schema_applies_twice(world: World) -> None:
    assert apply_schema() == []


@pytest.mark.parametrize(
    "sql", ["INSERT INTO events (org_id) VALUES ({org_id:UUID})", "DROP TABLE events -- {org_id:UUID}"]
)
def test_a_question_cannot_write(sql: str, world: World) -> None:
    with pytest.raises(Exception, match="readonly"):
        execute(world.orgs["buyer"].pk, "test", sql)
