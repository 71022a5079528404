-- Refresh tokens are derived from the session's id and generation. Sessions from before have a token that was made at
-- random: it is their generation 0, known by its hash for as long as the session lives.
ALTER TABLE sessions
  MODIFY refresh_token_hash BINARY(32) NULL,
  -- Grows by one with every refresh.
  ADD COLUMN generation INT NOT NULL DEFAULT 0,
  -- When the last generations ended, Unix milliseconds separated by commas, the newest last: those of the last moments.
  ADD COLUMN rotated_at VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NULL,
  -- Until when access tokens of the session live; NULL where nobody wrote it down.
  ADD COLUMN access_expires_at BIGINT NULL;

-- From where an account signed in during the last 30 days: strangers' failures are counted apart from those there.
CREATE TABLE sign_in_addresses (
  user_id BIGINT NOT NULL,
  address VARCHAR(45) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  last_sign_in_at BIGINT NOT NULL,
  PRIMARY KEY (user_id, address),
  KEY sign_in_addresses_time (last_sign_in_at)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

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
