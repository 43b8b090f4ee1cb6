-- Each person of an organisation has a number from 1 on, so that a set of persons is a bitmap. The ingestor gives them
-- out; those of events that are here already get theirs now. Run again, it leaves the given numbers as they are.
CREATE TABLE persons
(
    org_id UUID,
    key_high UInt64 COMMENT 'Bytes 1 to 8 of SHA-256 of person_id, little-endian.',
    key_low UInt64 COMMENT 'Bytes 9 to 16.',
    number UInt32 COMMENT 'From 1 on, dense but for gaps after a crash; never of two persons.'
)
ENGINE = ReplacingMergeTree
ORDER BY (org_id, key_high, key_low)
SETTINGS index_granularity = 256, non_replicated_deduplication_window = 10000
COMMENT 'The number of each person of an organisation.';

INSERT INTO persons
SELECT
    org_id,
    key_high,
    key_low,
    (most + row_number() OVER (PARTITION BY org_id ORDER BY key_high, key_low))::UInt32 AS number
FROM
(
    SELECT DISTINCT
        org_id,
        reinterpretAsUInt64(substring(SHA256(person_id), 1, 8)) AS key_high,
        reinterpretAsUInt64(substring(SHA256(person_id), 9, 8)) AS key_low
    FROM events
    WHERE person_id != ''
) AS found
LEFT JOIN (SELECT org_id, max(number) AS most FROM persons GROUP BY org_id) AS given USING (org_id)
WHERE (org_id, key_high, key_low) NOT IN (SELECT org_id, key_high, key_low FROM persons);
