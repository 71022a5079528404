-- Finds a name by a part of it: a row for each suffix but the whole name, which users_username has. A name that
-- contains a text has a suffix that begins with it. Active users only.
CREATE TABLE username_suffixes (
  suffix VARCHAR(49) CHARACTER SET ascii COLLATE ascii_general_ci NOT NULL,
  user_id BIGINT NOT NULL,
  PRIMARY KEY (suffix, user_id)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- In the order of the key: each page of the tree is written once, however many users there are.
INSERT INTO username_suffixes (suffix, user_id)
SELECT SUBSTRING(u.username, p.position), u.id
FROM users u
JOIN (
  -- 2 to 50
  SELECT 2 + a.d + 7 * b.d AS position
  FROM (SELECT 0 AS d UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4 UNION ALL SELECT 5 UNION ALL SELECT 6) a
  CROSS JOIN (SELECT 0 AS d UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4 UNION ALL SELECT 5 UNION ALL SELECT 6) b
) p ON p.position <= CHAR_LENGTH(u.username)
WHERE u.status = 1
ORDER BY 1, 2;
