import { limits } from '../../../lib/domain/limits.ts';
import { GoChatError } from '../../../lib/errors.ts';

/** Refuses content over the longest length with MESSAGE_TOO_LARGE. */
export function checkContentSize(content: string): void {
  if (content.length <= limits.messageContent) return;
  let characters = 0;
  for (const _ of content) {
    characters += 1;
    if (characters > limits.messageContent) {
      throw new GoChatError(
        'MESSAGE_TOO_LARGE',
        `content may have up to ${limits.messageContent} characters.`,
        [{ path: 'content', message: `must have at most ${limits.messageContent} characters` }],
      );
    }
  }
}
