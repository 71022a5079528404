import { GoChatError } from '@gochat/sdk';
import type { Texts } from '../i18n/en.ts';

/** A sentence about an error for people. The server's own sentences are in English and say exactly what is wrong. */
export function sentenceOf(error: unknown, t: Texts): string {
  if (!(error instanceof GoChatError)) return t.somethingFailed;
  if (error.code === 'UNAVAILABLE') return t.notReached;
  return error.message || t.somethingFailed;
}
