-- The relationship of two users, whose lower id is low_id: its lock, and what says which of two changes is the later one.
CREATE TABLE pairs (
  low_id BIGINT NOT NULL,
  high_id BIGINT NOT NULL,
  -- Grows with every change of the friendship or of a block.
  version BIGINT NOT NULL DEFAULT 0,
  -- Their single conversation; NULL before it is opened for the first time.
  conversation_id BIGINT NULL,
  PRIMARY KEY (low_id, high_id)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

INSERT INTO pairs (low_id, high_id, conversation_id)
SELECT CAST(SUBSTRING_INDEX(single_key, ':', 1) AS UNSIGNED), CAST(SUBSTRING_INDEX(single_key, ':', -1) AS UNSIGNED), id
FROM conversations WHERE single_key IS NOT NULL;

-- The id that a single conversation has or will have: only one conversation is made for a pair.
CREATE TABLE single_conversations (
  -- "low:high", the two user ids by number.
  single_key VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  conversation_id BIGINT NOT NULL,
  PRIMARY KEY (single_key)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

INSERT INTO single_conversations (single_key, conversation_id)
SELECT single_key, id FROM conversations WHERE single_key IS NOT NULL;

-- The version of the pair that conversations.send_state was derived from, or that is about to close it.
ALTER TABLE conversation_heads ADD COLUMN send_state_version BIGINT NOT NULL DEFAULT 0;

-- What a transaction changed and another aggregate does not know yet: written after the commit, and noted with it.
CREATE TABLE pending_projections (
  kind VARCHAR(20) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  -- The id or key of what changed.
  subject VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  -- Of the last transaction that noted it: only who wrote what that one changed may delete the row.
  token CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  -- When another process may take it over, by the database's clock.
  due_at BIGINT NOT NULL,
  PRIMARY KEY (kind, subject),
  KEY pending_projections_due (due_at)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
