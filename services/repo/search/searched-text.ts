import { messageType } from '../../../lib/domain/enumerations.ts';

/** The text of a message that searches look at, and where it begins in the content; undefined if it is not in it as it is. */
export type SearchedText = { text: string; start: number | undefined };

/** Of texts it is the content; of images and files, whose content is JSON, it is the name of the file. */
export function searchedText(message: { messageType: number; content: string }): SearchedText {
  const { content } = message;
  if (message.messageType !== messageType.image && message.messageType !== messageType.file)
    return { text: content, start: 0 };
  const name = fileNameIn(content);
  return { text: name, start: name === '' ? undefined : startOfName(content, name) };
}

function fileNameIn(content: string): string {
  try {
    const file: unknown = JSON.parse(content);
    const name = typeof file === 'object' && file !== null && 'name' in file ? file.name : '';
    return typeof name === 'string' ? name : '';
  } catch {
    return '';
  }
}

/** A string of a JSON text, or a bracket or colon between strings. */
const jsonParts = /"(?:[^"\\]|\\.)*"|[{}[\]:]/g;

/**
 * Where the value of the field `name` stands in the JSON text of an object, and not where the same letters occur in its
 * URL. Undefined if it is written with escapes. As in JSON.parse, the last field of several counts.
 */
function startOfName(content: string, name: string): number | undefined {
  let start: number | undefined;
  let depth = 0;
  let [beforeColon, last] = ['', ''];
  for (const { 0: part, index } of content.matchAll(jsonParts)) {
    const isName = depth === 1 && last === ':' && part.startsWith('"') && isNameKey(beforeColon);
    if (isName) start = part.slice(1, -1) === name ? index + 1 : undefined;
    if (part === '{' || part === '[') depth += 1;
    else if (part === '}' || part === ']') depth -= 1;
    else if (part === ':') beforeColon = last;
    last = part;
  }
  return start;
}

const isNameKey = (key: string): boolean => key.startsWith('"') && JSON.parse(key) === 'name';
