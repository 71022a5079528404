-- Whose name it is, across all accounts. An account's own row has its name too; this one makes it unique and finds it.
CREATE TABLE usernames (
  username VARCHAR(50) CHARACTER SET ascii COLLATE ascii_general_ci NOT NULL,
  user_id BIGINT NOT NULL,
  -- 0: the account has the name. Else the account is about to take it, until this time by the database's clock.
  reserved_until BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (username),
  KEY usernames_user (user_id)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

INSERT INTO usernames (username, user_id) SELECT username, id FROM users WHERE status = 1 ORDER BY username;
