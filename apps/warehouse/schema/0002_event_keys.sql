-- Which event ids an organisation has: 128 bits of the id's SHA-256, in sorted order. The narrow table and its small
-- granules keep the question "are these 20,000 ids new?" at about the same cost whatever the number of events.
CREATE TABLE event_keys
(
    org_id UUID,
    key_high UInt64,
    key_low UInt64,
    batch_id UUID
)
ENGINE = MergeTree
ORDER BY (org_id, key_high, key_low)
SETTINGS index_granularity = 256, non_replicated_deduplication_window = 10000;

CREATE MATERIALIZED VIEW event_keys_from_events TO event_keys AS
SELECT
    org_id,
    reinterpretAsUInt64(substring(SHA256(event_id), 1, 8)) AS key_high,
    reinterpretAsUInt64(substring(SHA256(event_id), 9, 8)) AS key_low,
    batch_id
FROM events;
