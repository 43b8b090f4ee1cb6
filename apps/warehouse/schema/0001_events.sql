-- Every accepted event, once. `org_id` leads the sorting key; the batch that brought an event is kept with it,
-- so that a batch replayed after a crash recognises its own rows.
CREATE TABLE events
(
    org_id UUID,
    event_id String,
    event_type LowCardinality(String),
    timestamp DateTime64(6, 'UTC'),
    received_at DateTime64(3, 'UTC'),
    person_id String,
    session_id String,
    platform LowCardinality(String),
    channel LowCardinality(String),
    campaign_id LowCardinality(String),
    line_item_id LowCardinality(String),
    creative_id LowCardinality(String),
    publisher LowCardinality(String),
    cohort_id LowCardinality(String),
    device LowCardinality(String),
    country LowCardinality(String),
    region LowCardinality(String),
    postal_code LowCardinality(String),
    currency LowCardinality(String),
    revenue Decimal(38, 18),
    spend Decimal(38, 18),
    contributor_ids Array(LowCardinality(String)),
    contributor_signals Array(LowCardinality(String)),
    contributor_weights Array(Float64),
    consent LowCardinality(String),
    properties String CODEC(ZSTD(1)),
    content_hash FixedString(32),
    batch_id UUID
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(timestamp)
ORDER BY (org_id, toStartOfHour(timestamp), platform, campaign_id, timestamp)
SETTINGS non_replicated_deduplication_window = 10000;
