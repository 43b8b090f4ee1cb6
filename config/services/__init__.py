"""Local services: PostgreSQL, ClickHouse and Redis as children of a launcher, and the site on top of them.

`python -m config.services run` is `make run`; `exec` runs one command under services of its own.
All state lies under one folder (`var/`). Nothing outside this package knows that a service is embedded:
everybody else gets URLs. Schema, data and web pages are not made here.
"""
