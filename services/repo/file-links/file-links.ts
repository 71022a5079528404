// Room: signatures in the addresses of uploaded files. Whoever has a signed address may read the file until it expires.
// Stored addresses have no signature: it is made for each answer, here and nowhere else.

import { createHmac, timingSafeEqual } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import {
  type FileAddress,
  fileAddressId,
  filePath,
  mayBeFilePath,
  parseFilePath,
} from '../../../lib/domain/addresses.ts';
import { withAddresses } from '../../../lib/domain/attachment.ts';
import { messageType } from '../../../lib/domain/enumerations.ts';
import type { User } from '../../../lib/gen/im_repo/v1/user.ts';

export type FileLinks = {
  /** The address of a file with a signature. */
  url(address: FileAddress): string;
  /** The address of a picture: with a signature if it is an uploaded file, else unchanged. */
  picture(address: string): string;
  /** The content of a message: with signatures in the addresses of uploaded files. */
  content(type: number, content: string): string;
  /** The card of a user, whose picture may be an uploaded file. */
  user(card: User): User;
  /** True if the signature was made here for the last part of an address, and has not expired. */
  isSigned(addressId: string, expiresAtS: number, signature: string): boolean;
  /** The number of the day. Signatures that are made on the same day are the same. */
  day(): number;
};

const dayS = 86_400;
/** A signature is valid until the end of the next day: 24 to 48 hours. */
const validDays = 2;
const signatureLength = 22;
const keptSignatures = 20_000;

/** The first secret signs; the signatures of all are accepted, so that a secret can be replaced. */
export function createFileLinks({
  secrets,
  now = Date.now,
}: {
  secrets: readonly string[];
  now?: () => number;
}): FileLinks {
  const [signing = ''] = secrets;
  if (signing === '') throw new Error('signing the addresses of files needs a secret');
  // An answer has the same few pictures many times.
  const queries = new LRUCache<string, { day: number; query: string }>({ max: keptSignatures });
  const day = () => Math.floor(now() / 1000 / dayS);

  function url(address: FileAddress): string {
    const today = day();
    const id = fileAddressId(address);
    const known = queries.get(id);
    if (known?.day === today) return `${filePath(address)}${known.query}`;
    const expiresAtS = (today + validDays) * dayS;
    const query = `?e=${expiresAtS}&s=${sign(signing, id, expiresAtS)}`;
    queries.set(id, { day: today, query });
    return `${filePath(address)}${query}`;
  }

  function picture(text: string): string {
    const address = mayBeFilePath(text) ? parseFilePath(text) : undefined;
    return address ? url(address) : text;
  }

  return {
    url,
    picture,
    content: (type, content) =>
      type === messageType.image || type === messageType.file ? withAddresses(content, url) : content,
    user: (card) => (mayBeFilePath(card.avatarUrl) ? { ...card, avatarUrl: picture(card.avatarUrl) } : card),
    isSigned(addressId, expiresAtS, signature) {
      if (signature.length !== signatureLength || expiresAtS * 1000 <= now()) return false;
      const given = Buffer.from(signature);
      return secrets.some((secret) => {
        const right = Buffer.from(sign(secret, addressId, expiresAtS));
        return given.length === right.length && timingSafeEqual(given, right);
      });
    },
    day,
  };
}

const sign = (secret: string, addressId: string, expiresAtS: number): string =>
  createHmac('sha256', secret)
    .update(`${addressId} ${expiresAtS}`)
    .digest('base64url')
    .slice(0, signatureLength);
