import { ProblemError } from '../../../clients/sdk/rest.ts';
import { insist } from '../people/insist.ts';
import type { Cast } from './cast.ts';
import type { Device } from './device.ts';
import type { Findings } from './records/findings.ts';
import { ownMark } from './records/socket-log.ts';
import type { Timeline } from './records/timeline.ts';

/**
 * What somebody who belongs to no conversation but the world room may be sent: its messages, answers to what it sent, and
 * how far it has read there itself.
 */
const forEverybody = new Set(['new-message', 'pong', 'error', ownMark]);

/** Removes the one who leaves, whatever fails meanwhile. Answers the head that the group had after it. */
export async function removeLeaver({ owner, leaver, leaves }: Cast, timeline: Timeline): Promise<number> {
  try {
    await insist(() => owner.rest.delete(`/conversations/${leaves}/members/${leaver.id}`));
  } catch (error) {
    // What was not answered may have been done.
    if (!(error instanceof ProblemError) || error.status !== 404) throw error;
  }
  const { answer } = await insist(() =>
    owner.rest.get<{ conversation: { lastSeqId: number } }>(`/conversations/${leaves}`),
  );
  timeline.note(`${leaver.id} is removed from ${leaves} at ${answer.conversation.lastSeqId} or before`);
  return answer.conversation.lastSeqId;
}

/** Nothing of a conversation came to whoever is no member of it. */
export async function judgeStrangers(
  cast: Cast,
  devices: readonly Device[],
  removedAt: number,
  findings: Findings,
): Promise<void> {
  const strange = 'whoever is not a member gets nothing';
  for (const device of devices.filter(({ person }) => person === cast.bystander)) {
    for (const { number, frames } of device.sockets) {
      for (const [type, count] of frames) {
        if (!forEverybody.has(type))
          findings.add(strange, `the bystander got ${count} ${type} over socket ${number}`);
      }
    }
  }
  for (const device of devices.filter(({ person }) => person === cast.leaver)) {
    for (const { number, arrivals } of device.sockets) {
      for (const seqId of arrivals.get(cast.leaves) ?? []) {
        if (seqId > removedAt) {
          findings.add(
            strange,
            `${device.name}, removed at ${removedAt}, got ${cast.leaves}/${seqId} over socket ${number}`,
          );
        }
      }
    }
    if (!device.left.has(cast.leaves)) findings.add('whoever is removed is told', device.name);
  }
  for (const { rest } of [cast.leaver, cast.bystander]) {
    const answer = await insist(() => rest.messagesAfter(cast.leaves, 0)).catch((error) => error);
    if (answer?.code !== 'NOT_CONVERSATION_MEMBER')
      findings.add(strange, `history of ${cast.leaves}: ${JSON.stringify(answer)}`);
  }
}
