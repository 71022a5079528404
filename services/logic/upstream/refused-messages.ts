import { createHash } from 'node:crypto';
import { recordBodyOf } from '../../../lib/domain/message-body.ts';
import type { UpstreamMessage } from '../../../lib/records/records.ts';
import type { Item } from './item.ts';

/**
 * Messages that were refused because their database did not answer in time. A save that was under way may still store
 * them. Then nobody has delivered them, and the sender's retry, which is a duplicate, has to do it.
 */
export type RefusedMessages = {
  note(item: Item): void;
  /**
   * The offsets of the refused records with the same text, all in the partition of the conversation; undefined without
   * any. A retry with another text must not be delivered: the first text may be the one that is stored.
   */
  offsetsOf(message: UpstreamMessage): readonly number[] | undefined;
  /** Forgets a message that is delivered now. */
  delivered(message: UpstreamMessage): void;
};

/** Beyond these the oldest ones are forgotten. */
const maxMessages = 10_000;
const maxOffsets = 20;

/**
 * Remembers refused messages in the memory of this process. After a restart, or in a process that gets the partition
 * later, such a retry is only acknowledged: members find the message by the gap before the next one, or by a sync.
 */
export function createRefusedMessages(): RefusedMessages {
  const refused = new Map<string, { digest: string; offsets: readonly number[] }>();
  return {
    note({ content, offset }) {
      if (content.kind !== 'message') return;
      const key = keyOf(content.message);
      const digest = digestOf(content.message);
      const known = refused.get(key);
      const earlier = known?.digest === digest ? known.offsets : [];
      // Set again, the message becomes the newest one.
      refused.delete(key);
      refused.set(key, { digest, offsets: [...earlier, offset].slice(-maxOffsets) });
      const [oldest] = refused.keys();
      if (refused.size > maxMessages && oldest !== undefined) refused.delete(oldest);
    },
    offsetsOf(message) {
      const known = refused.size === 0 ? undefined : refused.get(keyOf(message));
      return known && known.digest === digestOf(message) ? known.offsets : undefined;
    },
    delivered(message) {
      if (refused.size > 0) refused.delete(keyOf(message));
    },
  };
}

const keyOf = ({ conversation_id, user_id, client_msg_id }: UpstreamMessage): string =>
  `${conversation_id}:${user_id}:${client_msg_id}`;

const digestOf = (message: UpstreamMessage): string =>
  createHash('sha256')
    .update(JSON.stringify(recordBodyOf(message)))
    .digest('base64');
