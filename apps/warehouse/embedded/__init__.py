"""The embedded ClickHouse: chDB behind the part of ClickHouse's HTTP interface that `clickhouse-connect` speaks.

One process owns the data directory. Sessions (`session_id`) are accepted and ignored: each request has settings of its
own, and temporary tables do not outlive it. External data is refused.
"""
