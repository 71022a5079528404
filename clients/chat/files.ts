import { openAsBlob } from 'node:fs';
import { basename } from 'node:path';
import { GoChatError, type Message, type Room } from '@gochat/sdk';

/** Uploads a file of this machine and sends it. Resolves when the message is stored. */
export async function sendFile(room: Room, path: string): Promise<Message> {
  const upload = room.upload(await blobOf(path), { name: basename(path) });
  await upload.done;
  return await room.send({ files: [upload] }).stored;
}

async function blobOf(path: string): Promise<Blob> {
  try {
    return await openAsBlob(path);
  } catch {
    throw new GoChatError('INVALID_ARGUMENT', `The file ${path} cannot be read.`);
  }
}
