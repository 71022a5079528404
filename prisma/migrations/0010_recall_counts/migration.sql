-- Unread counts add up the recalls of whole blocks of a thousand seq ids, and look at single recalls in one block only.

ALTER TABLE message_recalls
  ADD COLUMN block BIGINT GENERATED ALWAYS AS (seq_id DIV 1000) STORED,
  ADD KEY message_recalls_block (conversation_id, block, seq_id);

CREATE TABLE message_recall_counts (
  conversation_id BIGINT NOT NULL,
  block BIGINT NOT NULL,
  recalls INT NOT NULL,
  PRIMARY KEY (conversation_id, block)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

INSERT INTO message_recall_counts (conversation_id, block, recalls)
SELECT conversation_id, block, COUNT(*) FROM message_recalls GROUP BY conversation_id, block;
