import { GoChatError } from '../../../lib/errors.ts';

export const maxContentCharacters = 4000;

/** Refuses content over 4,000 Unicode code points with MESSAGE_TOO_LARGE. */
export function checkContentSize(content: string): void {
  if (content.length <= maxContentCharacters) return;
  let characters = 0;
  for (const _ of content) {
    characters += 1;
    if (characters > maxContentCharacters) {
      throw new GoChatError(
        'MESSAGE_TOO_LARGE',
        `content may have up to ${maxContentCharacters} characters.`,
        [{ path: 'content', message: `must have at most ${maxContentCharacters} characters` }],
      );
    }
  }
}
