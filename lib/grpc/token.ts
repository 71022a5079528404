import { timingSafeEqual } from 'node:crypto';
import { Metadata } from '@grpc/grpc-js';
import { readSecretFile } from '../config.ts';

/** The shared secret with which services authenticate to each other. */
export type GrpcToken = {
  /** The token that clients send with every call. */
  readonly own: string;
  /** The authorization values that servers accept: for the own token, and for tokens that others may still send. */
  readonly accepted: readonly Buffer[];
};

/** gRPC metadata under which the token travels, as `Bearer TOKEN`. */
const tokenMetadataKey = 'authorization';
const tokenPattern = /^[\x21-\x7e]{16,256}$/;

/**
 * Reads GRPC_TOKEN_FILE; undefined if the path is empty. The first line is the token to send; servers accept the tokens
 * of all lines. So a token can be rotated without downtime: add the new token as a second line everywhere, then move it
 * to the first line everywhere, then remove the old token.
 */
export function readGrpcToken(path: string): GrpcToken | undefined {
  if (path === '') return undefined;
  const lines = readSecretFile(path)
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  const [own] = lines;
  if (own === undefined || !lines.every((line) => tokenPattern.test(line))) {
    throw new Error(
      `configuration: ${path} must hold a token of 16 to 256 visible ASCII characters per line`,
    );
  }
  return { own, accepted: lines.map(bearer) };
}

/** The metadata that a client sends with a call. */
export function tokenMetadata(token: GrpcToken | undefined): Metadata {
  const metadata = new Metadata();
  if (token) metadata.set(tokenMetadataKey, `Bearer ${token.own}`);
  return metadata;
}

/** True if the metadata has an accepted token. The comparison takes constant time for texts of equal length. */
export function hasToken(metadata: Metadata, { accepted }: GrpcToken): boolean {
  const [sent] = metadata.get(tokenMetadataKey);
  if (typeof sent !== 'string') return false;
  const given = Buffer.from(sent);
  return accepted.some((one) => one.length === given.length && timingSafeEqual(one, given));
}

const bearer = (token: string): Buffer => Buffer.from(`Bearer ${token}`);
