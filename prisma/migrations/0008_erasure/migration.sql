-- A read pointer stays when its user leaves the conversation: by the pointers an erased user's messages are found. Those of
-- users who left before have gone; the messages tell where they were. Index: messages_client_msg_id, one step a sender.
INSERT IGNORE INTO user_read_pointers (user_id, conversation_id, last_read_seq_id, updated_at)
SELECT sender_id, conversation_id, 0, 0 FROM messages GROUP BY conversation_id, sender_id;

-- A dissolved group has no texts.
UPDATE conversations SET name = '', avatar_url = '', description = '', announcement = '' WHERE status = 2;

-- A recalled message has no content.
UPDATE messages m JOIN message_recalls r ON r.conversation_id = m.conversation_id AND r.seq_id = m.seq_id
SET m.content = '' WHERE m.deleted = TRUE;
