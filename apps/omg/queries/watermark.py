"""Up to when has the organisation's data arrived, and how much is it? Whatever is stored anew changes the answer."""

SQL = """
SELECT sum(p.events) AS events, max(p.last_received) AS last_received
FROM performance AS p
WHERE org_id = {org_id:UUID}
"""
