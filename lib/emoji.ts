/** Emoji sequences that Unicode recommends for interchange, such as a flag, a family or a hand with a skin tone. */
const emoji = /^\p{RGI_Emoji}$/v;
const textStyle = '\uFE0F';
/** Bytes of the longest emoji, with room for those of later versions of Unicode. */
const maxEmojiBytes = 64;

/**
 * The emoji of a reaction in its full form; undefined if the text is not exactly one emoji. Some keyboards leave out the
 * character that asks for the colored form of an emoji: both spellings are the same reaction.
 */
export function readEmoji(text: string): string | undefined {
  if (Buffer.byteLength(text) > maxEmojiBytes) return undefined;
  if (emoji.test(text)) return text;
  const colored = text + textStyle;
  return emoji.test(colored) ? colored : undefined;
}
