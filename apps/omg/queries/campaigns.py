"""Which of these campaigns does the organisation have?"""

SQL = """
SELECT DISTINCT campaign_id AS campaign
FROM performance
WHERE org_id = {org_id:UUID} AND campaign_id IN {campaigns:Array(String)}
"""
