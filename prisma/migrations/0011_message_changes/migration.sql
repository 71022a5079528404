-- Messages change after they were sent. Each conversation numbers these changes 1, 2, 3, …

ALTER TABLE conversation_heads ADD COLUMN last_change_seq BIGINT NOT NULL DEFAULT 0;

ALTER TABLE messages
  ADD COLUMN change_seq BIGINT NOT NULL DEFAULT 0,
  ADD COLUMN edited_at BIGINT;

CREATE TABLE message_changes (
  conversation_id BIGINT NOT NULL,
  seq_id BIGINT NOT NULL,
  change_seq BIGINT NOT NULL,
  PRIMARY KEY (conversation_id, seq_id),
  KEY message_changes_change (conversation_id, change_seq)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
