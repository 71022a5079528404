import { isShowable } from '../ui/avatar.tsx';

/** A file as a message carries it. */
export interface SharedFile {
  url: string;
  name: string;
  size: number;
  mime: string;
  width?: number;
  height?: number;
  thumbnailUrl?: string;
}

/** The file in the content of a message; undefined if the content is something else. */
export function parseFile(content: string): SharedFile | undefined {
  try {
    const file = JSON.parse(content) as Partial<SharedFile> | null;
    if (typeof file?.url !== 'string' || typeof file.name !== 'string' || !isAddress(file.url))
      return undefined;
    return {
      url: file.url,
      name: file.name,
      size: typeof file.size === 'number' ? file.size : 0,
      mime: typeof file.mime === 'string' ? file.mime : '',
      ...(isLength(file.width) && isLength(file.height) ? { width: file.width, height: file.height } : {}),
      ...(typeof file.thumbnailUrl === 'string' && isShowable(file.thumbnailUrl)
        ? { thumbnailUrl: file.thumbnailUrl }
        : {}),
    };
  } catch {
    return undefined;
  }
}

/** No other address is ever a link: no script, no data. */
const isAddress = (url: string): boolean => /^(https?:\/\/|\/files\/|blob:)/i.test(url);

const isLength = (value: unknown): value is number =>
  typeof value === 'number' && value > 0 && value < 100_000;

const units = ['B', 'kB', 'MB', 'GB'] as const;

/** 1.4 MB */
export function sizeText(bytes: number): string {
  const power = Math.min(units.length - 1, bytes > 0 ? Math.floor(Math.log10(bytes) / 3) : 0);
  const amount = bytes / 1000 ** power;
  return `${power === 0 ? amount : amount.toFixed(amount < 10 ? 1 : 0)} ${units[power]}`;
}
