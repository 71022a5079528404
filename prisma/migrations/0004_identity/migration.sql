-- Refresh tokens are derived from the session's id and generation. Sessions from before have a token that was made at
-- random: it is their generation 0, known by its hash for as long as the session lives.
ALTER TABLE sessions
  MODIFY refresh_token_hash BINARY(32) NULL,
  -- Grows by one with every refresh.
  ADD COLUMN generation INT NOT NULL DEFAULT 0,
  -- When the last generations ended, Unix milliseconds separated by commas, the newest last: those of the last moments.
  ADD COLUMN rotated_at VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NULL,
  -- Until when access tokens of the session live; NULL where nobody wrote it down.
  ADD COLUMN access_expires_at BIGINT NULL,
  -- Those that an account has open, by their last use.
  ADD KEY sessions_user_used (user_id, revoked_at, last_used_at);

-- From where an account signed in during the last 30 days: strangers' failures are counted apart from those there.
CREATE TABLE sign_in_addresses (
  user_id BIGINT NOT NULL,
  address VARCHAR(45) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  last_sign_in_at BIGINT NOT NULL,
  PRIMARY KEY (user_id, address),
  KEY sign_in_addresses_time (last_sign_in_at)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- As im-repo writes addresses: IPv4 as it is, also where IPv6 wraps it, and of IPv6 the network of /64.
INSERT INTO sign_in_addresses (user_id, address, last_sign_in_at)
SELECT user_id, counted, MAX(created_at)
FROM (
  SELECT user_id, created_at, CASE
    WHEN LENGTH(bytes) = 4 THEN INET6_NTOA(bytes)
    WHEN IS_IPV4_MAPPED(bytes) THEN INET6_NTOA(RIGHT(bytes, 4))
    ELSE LOWER(CONCAT_WS(':', CONV(HEX(SUBSTRING(bytes, 1, 2)), 16, 16), CONV(HEX(SUBSTRING(bytes, 3, 2)), 16, 16),
      CONV(HEX(SUBSTRING(bytes, 5, 2)), 16, 16), CONV(HEX(SUBSTRING(bytes, 7, 2)), 16, 16), ':/64'))
  END AS counted
  FROM (
    SELECT s.user_id, s.created_at, CASE
      WHEN IS_IPV4(s.address) OR IS_IPV6(SUBSTRING_INDEX(s.address, '%', 1))
      THEN INET6_ATON(SUBSTRING_INDEX(s.address, '%', 1))
    END AS bytes
    FROM sessions s JOIN users u ON u.id = s.user_id
    WHERE u.password_hash IS NOT NULL AND s.created_at > (UNIX_TIMESTAMP() - 30 * 86400) * 1000
  ) AS sign_ins
  WHERE bytes IS NOT NULL
) AS addresses
GROUP BY user_id, counted;

-- Accounts by what another identity provider calls them.
CREATE TABLE external_identities (
  -- SHA-256 of issuer and subject.
  identity_hash BINARY(32) NOT NULL,
  issuer VARCHAR(255) NOT NULL,
  subject VARCHAR(255) NOT NULL,
  user_id BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (identity_hash),
  KEY external_identities_user (user_id)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Names of erased accounts, which nobody may take for a while. Only hashes: the name itself is erased.
CREATE TABLE username_reservations (
  -- SHA-256 of the name in lower case.
  name_hash BINARY(32) NOT NULL,
  reserved_until BIGINT NOT NULL,
  PRIMARY KEY (name_hash),
  KEY username_reservations_time (reserved_until)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
