-- Arrays of LowCardinality cost more than all other columns of `events` together, on insert and again in each merge, and
-- save no space here.
ALTER TABLE events
    MODIFY COLUMN contributor_ids Array(String),
    MODIFY COLUMN contributor_signals Array(String);
