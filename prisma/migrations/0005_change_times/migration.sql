-- When a conversation itself changed last, whatever messages came after it. What it was before is not known: the later
-- of the last change and the last message is no earlier.
ALTER TABLE conversations ADD COLUMN changed_at BIGINT NOT NULL DEFAULT 0;
UPDATE conversations SET changed_at = updated_at;

-- When something of a membership changed last (role, mute, what its member chose); at joining, too.
ALTER TABLE conversation_members ADD COLUMN changed_at BIGINT NOT NULL DEFAULT 0;
