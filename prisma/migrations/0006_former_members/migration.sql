-- What a group remembers of whoever is a member no more: that an admin removed the user, who then needs an admin to come
-- back, and a mute, which outlives leaving. Whoever left without either has no row.
CREATE TABLE conversation_former_members (
  conversation_id BIGINT NOT NULL,
  user_id BIGINT NOT NULL,
  -- By the owner or an admin.
  removed BOOLEAN NOT NULL,
  muted BOOLEAN NOT NULL,
  left_at BIGINT NOT NULL,
  PRIMARY KEY (conversation_id, user_id)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
