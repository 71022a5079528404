import { messageType } from '../../../lib/domain/enumerations.ts';

/** The text of a message that searches look at, and where it begins in the content; undefined if it is not in it as it is. */
export type SearchedText = { text: string; start: number | undefined };

/** Of texts it is the content; of images and files, whose content is JSON, it is the name of the file. */
export function searchedText(message: { messageType: number; content: string }): SearchedText {
  const { content } = message;
  if (message.messageType !== messageType.image && message.messageType !== messageType.file)
    return { text: content, start: 0 };
  const name = fileNameIn(content);
  const start = name === '' ? -1 : content.indexOf(name);
  return { text: name, start: start < 0 ? undefined : start };
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
