import { hash } from 'node:crypto';
import type { Encoded } from '../../../lib/grpc/definition.ts';

/** What every page ends with: a name of its contents, the same in every process of ours. */
type Tagged = { tag: string; unchanged: boolean };
type Codec<R> = { encode(response: R): { finish(): Uint8Array } };

/** A page with its tag, encoded. `nothing` is the page without contents. */
export function tagPage<R extends Tagged>(
  codec: Codec<R>,
  page: Omit<R, keyof Tagged>,
  nothing: Omit<R, keyof Tagged>,
): Encoded<R> & { tag: string } {
  const bytes = codec.encode({ ...page, tag: '', unchanged: false } as R).finish();
  const tag = hash('sha256', bytes, 'base64url').slice(0, 22);
  const end = codec.encode({ ...nothing, tag, unchanged: false } as R).finish();
  // Two encoded messages in a row are one that has the fields of both.
  return { encoded: Buffer.concat([bytes, end]), tag };
}

/** The answer to somebody who holds the page already. */
export const unchangedPage = <R extends Tagged>(
  codec: Codec<R>,
  tag: string,
  nothing: Omit<R, keyof Tagged>,
): Encoded<R> => ({ encoded: Buffer.from(codec.encode({ ...nothing, tag, unchanged: true } as R).finish()) });
