import type { RepoClient } from '../../../lib/grpc/clients.ts';
import { mapConcurrently } from '../map-concurrently.ts';
import { createGuests, newGuests } from '../people/guests.ts';
import { befriend, newGroup, newPerson, type Person } from '../people/people.ts';

export type Kind = 'pair' | 'group' | 'large' | 'world';

export type StormConversation = {
  id: string;
  kind: Kind;
  /** The members who have devices. */
  members: readonly Person[];
  /** Its head when the storm begins. */
  head: number;
};

export type Participants = {
  conversations: readonly StormConversation[];
  people: readonly Person[];
  owner: Person;
  /** Is removed from `leaves` during the storm; never sends there. */
  leaver: Person;
  leaves: string;
  /** A member of the world room only. */
  bystander: Person;
};

const guestCount = 40;
const pairCount = 12;
const groupSize = 20;
const groupCount = 2;
const largeSize = 600;
const largePresent = 30;
const worldRoom = '1';

/**
 * Creates the users and conversations of a storm: pairs, groups of 20, one group of 600 with mostly offline members,
 * and the world room.
 */
export async function newParticipants(repo: RepoClient): Promise<Participants> {
  const [owner, guests, absent] = await Promise.all([
    newPerson('owner'),
    newGuests(guestCount + 2),
    createGuests(repo, largeSize - largePresent),
  ]);
  const [leaver, bystander, ...talkers] = guests as [Person, Person, ...Person[]];

  const pairs = Array.from({ length: pairCount }, (_, n) => [talkers[2 * n], talkers[2 * n + 1]] as Person[]);
  const singles = await mapConcurrently(
    pairs,
    async ([one, other]) => {
      const id = await befriend(one as Person, other as Person);
      return { id, kind: 'pair' as const, members: [one, other] as Person[], head: 0 };
    },
    4,
  );
  const groups: StormConversation[] = [];
  for (let n = 0; n < groupCount; n += 1) {
    const from = n * (groupSize - 2);
    const others = talkers.slice(from, from + groupSize - 2);
    const guests = n === 0 ? [leaver, ...others] : others;
    const id = await newGroup(owner, guests, `a group of ${groupSize}`);
    groups.push({ id, kind: 'group', members: [owner, ...guests], head: 0 });
  }
  const present = talkers.slice(-(largePresent - 1));
  const ids = [...present.map(({ id }) => id), ...absent];
  const largeId = await newGroup(
    owner,
    ids.map((id) => ({ id })),
    `a group of ${largeSize}`,
  );
  const people = [owner, ...guests];
  const world = await owner.rest.get<{ conversation: { lastSeqId: number } }>(`/conversations/${worldRoom}`);
  return {
    owner,
    leaver,
    bystander,
    leaves: groups[0]?.id ?? '',
    people,
    conversations: [
      ...singles,
      ...groups,
      { id: largeId, kind: 'large', members: [owner, ...present], head: 0 },
      { id: worldRoom, kind: 'world', members: people, head: world.conversation.lastSeqId },
    ],
  };
}
