import { hash } from 'node:crypto';
import type { Encoded } from '../../../lib/grpc/definition.ts';

/** What every page ends with: a name of its contents, the same in every process of ours. */
type Tagged = { tag: string; unchanged: boolean; json?: Buffer | undefined };
type Contents<R> = Omit<R, keyof Tagged>;

export type TaggedPage<R> = Encoded<R> & { tag: string };

/** How one kind of page is answered. */
export type PageAnswers<R extends Tagged> = {
  /** The page with its tag, as the body of REST's answer if it was asked for so. */
  full(page: Contents<R>, asJson: boolean): TaggedPage<R>;
  /** For somebody who holds the page already. */
  unchanged(tag: string): Encoded<R>;
};

/** Of what a client takes in one answer; a longer page goes as the fields that it is made of, which take less. */
const maxJsonBytes = 2 * 1024 * 1024;

/** `empty` is the page without contents, `toBody` what REST shows of one. */
export function pageAnswers<R extends Tagged>(
  codec: { encode(response: R): { finish(): Uint8Array } },
  empty: Contents<R>,
  toBody: (page: Contents<R>) => object,
): PageAnswers<R> {
  const encode = (contents: Contents<R>, tagged: Tagged): Buffer => {
    const bytes = codec.encode({ ...contents, ...tagged } as R).finish();
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  };
  return {
    full(page, asJson) {
      const json = asJson ? Buffer.from(JSON.stringify(toBody(page))) : undefined;
      if (json && json.length <= maxJsonBytes) {
        const tag = tagOf(json);
        return { encoded: encode(empty, { tag, unchanged: false, json }), tag };
      }
      const bytes = encode(page, { tag: '', unchanged: false });
      const tag = tagOf(bytes);
      // Two encoded messages in a row are one that has the fields of both.
      return { encoded: Buffer.concat([bytes, encode(empty, { tag, unchanged: false })]), tag };
    },
    unchanged: (tag) => ({ encoded: encode(empty, { tag, unchanged: true }) }),
  };
}

const tagOf = (bytes: Buffer): string => hash('sha256', bytes, 'base64url').slice(0, 22);
