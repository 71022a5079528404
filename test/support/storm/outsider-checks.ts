import { ProblemError } from '../../../clients/sdk/rest.ts';
import { retryUntilAccepted } from '../people/retry-until-accepted.ts';
import type { Device } from './device.ts';
import type { Participants } from './participants.ts';
import type { Findings } from './records/findings.ts';
import { ownMark } from './records/socket-log.ts';
import type { Timeline } from './records/timeline.ts';

/**
 * The frames that a user in no conversation except the world room may get: the room's messages, answers to the user's
 * own frames, and the user's own read marks there.
 */
const forEverybody = new Set(['new-message', 'pong', 'error', ownMark]);

/** Removes the leaver from the group, with retries during faults; resolves to the group's head afterwards. */
export async function removeLeaver(
  { owner, leaver, leaves }: Participants,
  timeline: Timeline,
): Promise<number> {
  try {
    await retryUntilAccepted(() => owner.rest.delete(`/conversations/${leaves}/members/${leaver.id}`));
  } catch (error) {
    // A call without an answer may have succeeded.
    if (!(error instanceof ProblemError) || error.status !== 404) throw error;
  }
  const { answer } = await retryUntilAccepted(() =>
    owner.rest.get<{ conversation: { lastSeqId: number } }>(`/conversations/${leaves}`),
  );
  timeline.note(`${leaver.id} is removed from ${leaves} at ${answer.conversation.lastSeqId} or before`);
  return answer.conversation.lastSeqId;
}

/** Checks that no user received anything of a conversation without being a member. */
export async function checkOutsiders(
  participants: Participants,
  devices: readonly Device[],
  removedAt: number,
  findings: Findings,
): Promise<void> {
  const strange = 'whoever is not a member gets nothing';
  for (const device of devices.filter(({ person }) => person === participants.bystander)) {
    for (const { number, frames } of device.sockets) {
      for (const [type, count] of frames) {
        if (!forEverybody.has(type))
          findings.add(strange, `the bystander got ${count} ${type} over socket ${number}`);
      }
    }
  }
  for (const device of devices.filter(({ person }) => person === participants.leaver)) {
    for (const { number, arrivals } of device.sockets) {
      for (const seqId of arrivals.get(participants.leaves) ?? []) {
        if (seqId > removedAt) {
          findings.add(
            strange,
            `${device.name}, removed at ${removedAt}, got ${participants.leaves}/${seqId} over socket ${number}`,
          );
        }
      }
    }
    if (!device.left.has(participants.leaves)) findings.add('whoever is removed is told', device.name);
  }
  for (const { rest } of [participants.leaver, participants.bystander]) {
    const answer = await retryUntilAccepted(() => rest.messagesAfter(participants.leaves, 0)).catch(
      (error) => error,
    );
    if (answer?.code !== 'NOT_CONVERSATION_MEMBER')
      findings.add(strange, `history of ${participants.leaves}: ${JSON.stringify(answer)}`);
  }
}
