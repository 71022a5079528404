-- Reactions to messages, and pinned messages.

ALTER TABLE messages
  ADD COLUMN pinned BOOLEAN NOT NULL DEFAULT FALSE,
  ADD COLUMN reactions TEXT;

ALTER TABLE message_changes ADD COLUMN reactions_told_at BIGINT NOT NULL DEFAULT 0;

CREATE TABLE message_reactions (
  conversation_id BIGINT NOT NULL,
  seq_id BIGINT NOT NULL,
  emoji VARBINARY(64) NOT NULL,
  user_id BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (conversation_id, seq_id, emoji, user_id),
  KEY message_reactions_time (conversation_id, seq_id, created_at, user_id, emoji),
  KEY message_reactions_user (conversation_id, user_id, seq_id)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Reactions that are stored and not told yet: they are told together.
CREATE TABLE untold_reactions (
  conversation_id BIGINT NOT NULL,
  seq_id BIGINT NOT NULL,
  user_id BIGINT NOT NULL,
  emoji VARBINARY(64) NOT NULL,
  is_on BOOLEAN NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (conversation_id, seq_id, user_id, emoji),
  KEY untold_reactions_time (created_at)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE message_pins (
  conversation_id BIGINT NOT NULL,
  seq_id BIGINT NOT NULL,
  pinned_by BIGINT NOT NULL,
  pinned_at BIGINT NOT NULL,
  PRIMARY KEY (conversation_id, seq_id)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
