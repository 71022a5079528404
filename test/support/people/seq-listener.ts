import { WebSocket } from 'ws';
import type { Person } from './people.ts';

export type Listener = {
  userId: string;
  /** The seq ids of a conversation's messages in order of arrival. */
  seqs(conversationId: string): number[];
  close(): void;
};

/** A socket that records only seq ids, so that one test can have a thousand of them. */
export async function listen(
  person: Pick<Person, 'accessToken' | 'id'>,
  baseUrl: string,
  onMessage: (conversationId: string, seqId: number) => void = () => undefined,
): Promise<Listener> {
  const received = new Map<string, number[]>();
  const url = `${baseUrl.replace(/^http/, 'ws')}/ws`;
  const socket = new WebSocket(url, ['gochat.v1', `bearer.${person.accessToken}`], {
    perMessageDeflate: false,
  });
  await new Promise<void>((resolve, reject) => {
    socket.on('error', reject);
    socket.on('close', (code) => reject(new Error(`closed before welcome: ${code}`)));
    socket.on('message', (bytes) => {
      const text = String(bytes);
      if (text.includes('"type":"welcome"')) return resolve();
      if (!text.includes('"type":"new-message"')) return;
      const { conversationId, seqId } = JSON.parse(text).data;
      const seqs = received.get(conversationId) ?? [];
      seqs.push(seqId);
      received.set(conversationId, seqs);
      onMessage(conversationId, seqId);
    });
  });
  // A gateway closes a session without a frame for 75 s.
  const heartbeat = setInterval(() => socket.send('{"type":"ping"}'), 25_000);
  socket.on('close', () => clearInterval(heartbeat));
  return {
    userId: person.id,
    seqs: (conversationId) => received.get(conversationId) ?? [],
    close: () => socket.terminate(),
  };
}
