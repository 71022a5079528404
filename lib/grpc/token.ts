import { timingSafeEqual } from 'node:crypto';
import { Metadata } from '@grpc/grpc-js';
import { readSecretFile } from '../config.ts';

/** What services prove to each other that they belong together by. None where none is configured. */
export type GrpcToken = {
  /** Sent with every call. */
  readonly own: string;
  /** What a server takes: the own one, and those that others may still send. */
  readonly accepted: readonly Buffer[];
};

/** gRPC metadata under which the token travels, as `Bearer TOKEN`. */
const tokenMetadataKey = 'authorization';
const tokenPattern = /^[\x21-\x7e]{16,256}$/;

/**
 * The token of GRPC_TOKEN_FILE. A file of several lines has the own token first and then those that are taken as well,
 * so that it is changed while everything runs: first the new one is added behind the old one everywhere, then they
 * change places, then the old one goes.
 */
export function readGrpcToken(path: string): GrpcToken | undefined {
  if (path === '') return undefined;
  const lines = readSecretFile(path)
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  const [own] = lines;
  if (own === undefined || !lines.every((line) => tokenPattern.test(line))) {
    throw new Error(`configuration: ${path} must hold a token of 16 to 256 visible ASCII characters a line`);
  }
  return { own, accepted: lines.map(bearer) };
}

/** What a client sends with a call. */
export function tokenMetadata(token: GrpcToken | undefined): Metadata {
  const metadata = new Metadata();
  if (token) metadata.set(tokenMetadataKey, `Bearer ${token.own}`);
  return metadata;
}

/** Whether a caller may call. How long it takes tells nothing but the length of what was sent. */
export function hasToken(metadata: Metadata, { accepted }: GrpcToken): boolean {
  const [sent] = metadata.get(tokenMetadataKey);
  if (typeof sent !== 'string') return false;
  const given = Buffer.from(sent);
  return accepted.some((one) => one.length === given.length && timingSafeEqual(one, given));
}

const bearer = (token: string): Buffer => Buffer.from(`Bearer ${token}`);
