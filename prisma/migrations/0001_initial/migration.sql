-- Times are Unix milliseconds. Ids are time-ordered and below 2^53. No foreign keys: users, conversations and
-- messages may live in different databases.

CREATE TABLE users (
  id BIGINT NOT NULL,
  username VARCHAR(50) CHARACTER SET ascii COLLATE ascii_general_ci NOT NULL,
  password_hash VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NULL,
  display_name VARCHAR(100) NOT NULL,
  avatar_url VARCHAR(2048) NOT NULL,
  is_guest BOOLEAN NOT NULL,
  -- 1 active, 2 erased
  status TINYINT NOT NULL DEFAULT 1,
  last_active_at BIGINT NOT NULL DEFAULT 0,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (id),
  UNIQUE KEY users_username (username),
  KEY users_guest_active (is_guest, last_active_at)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE sessions (
  id VARCHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  user_id BIGINT NOT NULL,
  -- SHA-256 of the refresh token that is valid now.
  refresh_token_hash BINARY(32) NOT NULL,
  user_agent VARCHAR(255) NOT NULL,
  address VARCHAR(45) NOT NULL,
  created_at BIGINT NOT NULL,
  last_used_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  revoked_at BIGINT NULL,
  PRIMARY KEY (id),
  KEY sessions_user (user_id),
  KEY sessions_revoked (revoked_at),
  KEY sessions_expires (expires_at)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE conversations (
  id BIGINT NOT NULL,
  -- 1 single, 2 group, 3 world
  type TINYINT NOT NULL,
  -- 0 creating, 1 active, 2 dissolved
  status TINYINT NOT NULL,
  name VARCHAR(100) NOT NULL,
  avatar_url VARCHAR(2048) NOT NULL,
  description VARCHAR(1000) NOT NULL,
  announcement VARCHAR(2000) NOT NULL,
  -- 0 for single and world
  owner_id BIGINT NOT NULL,
  member_count INT NOT NULL,
  -- "admins" or "members"
  invite_by VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  mute_all BOOLEAN NOT NULL,
  max_members INT NOT NULL,
  -- Single only: 0 open, 1 not friends, 2 blocked. Derived from friendships and user_blocks in their transaction.
  send_state TINYINT NOT NULL DEFAULT 0,
  -- Single only: "low:high", the two user ids by number.
  single_key VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin NULL,
  -- Projection of the head.
  last_message_id BIGINT NULL,
  created_at BIGINT NOT NULL,
  -- The later of the last change and the last message.
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (id),
  UNIQUE KEY conversations_single (single_key)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Lives where the conversation's messages live: seq id and message commit together.
CREATE TABLE conversation_heads (
  conversation_id BIGINT NOT NULL,
  last_seq_id BIGINT NOT NULL DEFAULT 0,
  last_message_id BIGINT NULL,
  -- Grows with every change of the member set.
  member_version BIGINT NOT NULL DEFAULT 0,
  -- True while messages go through gochat.tasks.fanout.
  fanout_mode BOOLEAN NOT NULL DEFAULT FALSE,
  fanout_done_seq BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (conversation_id)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE conversation_members (
  user_id BIGINT NOT NULL,
  conversation_id BIGINT NOT NULL,
  -- 1 member, 2 admin, 3 owner
  role TINYINT NOT NULL,
  muted BOOLEAN NOT NULL DEFAULT FALSE,
  joined_at BIGINT NOT NULL,
  PRIMARY KEY (user_id, conversation_id),
  KEY conversation_members_conversation (conversation_id, user_id)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Clustered by conversation and seq id: a page of history is one range of one tree.
CREATE TABLE messages (
  conversation_id BIGINT NOT NULL,
  seq_id BIGINT NOT NULL,
  id BIGINT NOT NULL,
  sender_id BIGINT NOT NULL,
  message_type TINYINT NOT NULL,
  content TEXT NOT NULL,
  client_msg_id VARBINARY(64) NOT NULL,
  -- The upstream record it came from; -1 when it came another way.
  source_partition INT NOT NULL,
  source_offset BIGINT NOT NULL,
  deleted BOOLEAN NOT NULL DEFAULT FALSE,
  -- JSON {reply_to_seq_id?, mentions?}; NULL when there is neither.
  extra TEXT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (conversation_id, seq_id),
  UNIQUE KEY messages_id (id),
  UNIQUE KEY messages_client_msg_id (conversation_id, sender_id, client_msg_id)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- One row a recalled message: counting the unread touches only these.
CREATE TABLE message_recalls (
  conversation_id BIGINT NOT NULL,
  seq_id BIGINT NOT NULL,
  message_id BIGINT NOT NULL,
  recalled_by BIGINT NOT NULL,
  recalled_at BIGINT NOT NULL,
  PRIMARY KEY (conversation_id, seq_id),
  KEY message_recalls_time (conversation_id, recalled_at)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE user_read_pointers (
  user_id BIGINT NOT NULL,
  conversation_id BIGINT NOT NULL,
  last_read_seq_id BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (user_id, conversation_id)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE friendship_requests (
  id BIGINT NOT NULL,
  requester_id BIGINT NOT NULL,
  target_id BIGINT NOT NULL,
  -- 0 pending, 1 accepted, 2 rejected, 3 blocked, 4 expired, 5 withdrawn
  status TINYINT NOT NULL,
  message VARCHAR(500) NOT NULL,
  -- "low:high" by number.
  pair_key VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  -- pair_key while pending, else NULL: at most one pending request a pair.
  pending_key VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  PRIMARY KEY (id),
  UNIQUE KEY friendship_requests_pending (pending_key),
  KEY friendship_requests_pair (pair_key, id),
  KEY friendship_requests_target (target_id, status, id),
  KEY friendship_requests_requester (requester_id, status, id)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Two rows a friendship.
CREATE TABLE friendships (
  user_id BIGINT NOT NULL,
  friend_id BIGINT NOT NULL,
  remark VARCHAR(100) NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (user_id, friend_id)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE user_blocks (
  user_id BIGINT NOT NULL,
  blocked_id BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (user_id, blocked_id),
  KEY user_blocks_blocked (blocked_id)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Events on their way to Kafka, written in the transaction that changed the data.
CREATE TABLE outbox (
  id BIGINT NOT NULL AUTO_INCREMENT,
  topic VARCHAR(100) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  record_key VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  payload MEDIUMTEXT NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (id)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- One row, locked by the im-repo process that relays the outbox.
CREATE TABLE outbox_relay (
  id TINYINT NOT NULL,
  PRIMARY KEY (id)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

INSERT INTO outbox_relay (id) VALUES (1);

CREATE TABLE idempotency_keys (
  -- SHA-256 of scope and key.
  key_hash BINARY(32) NOT NULL,
  request_hash BINARY(32) NOT NULL,
  resource_id BIGINT NOT NULL,
  -- Names the claim; its holder may complete it until claim_expires_at.
  claim VARCHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  claim_expires_at BIGINT NOT NULL,
  -- NULL until completed.
  status_code SMALLINT NULL,
  response_body MEDIUMTEXT NULL,
  expires_at BIGINT NOT NULL,
  PRIMARY KEY (key_hash),
  KEY idempotency_keys_expires (expires_at)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE sequences (
  name VARBINARY(128) NOT NULL,
  value BIGINT NOT NULL,
  PRIMARY KEY (name)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Who makes ids under which worker number. An id's time is below reserved_until, which is stored before
-- ids are made from it: a clock that steps back, or two processes, never make the same id.
CREATE TABLE id_workers (
  worker TINYINT NOT NULL,
  owner VARCHAR(36) CHARACTER SET ascii COLLATE ascii_bin NULL,
  lease_until BIGINT NOT NULL DEFAULT 0,
  reserved_until BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (worker)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

INSERT INTO id_workers (worker) VALUES
  (0), (1), (2), (3), (4), (5), (6), (7), (8), (9), (10), (11), (12), (13), (14), (15),
  (16), (17), (18), (19), (20), (21), (22), (23), (24), (25), (26), (27), (28), (29), (30), (31);

-- The world room: everyone is a member from the creation of the account on.
INSERT INTO conversations
  (id, type, status, name, avatar_url, description, announcement, owner_id, member_count, invite_by, mute_all, max_members, created_at, updated_at)
VALUES
  (1, 3, 1, 'World', '', 'Everyone is here.', '', 0, 0, 'admins', FALSE, 0, 1704067200000, 1704067200000);

INSERT INTO conversation_heads (conversation_id, fanout_mode) VALUES (1, TRUE);
