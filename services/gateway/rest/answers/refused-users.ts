import { Type } from 'typebox';

/** Field of the answer to a request that adds users to a group. */
export const refusedUsers = Type.Array(Type.String(), {
  description:
    'Users whom you may not add: they take invitations from friends only, or an admin removed them. Absent: none.',
});

/** The field `refused` of an answer; absent if no user was refused. */
export const refusedPart = (refused: string[]): { refused?: string[] } =>
  refused.length === 0 ? {} : { refused };
