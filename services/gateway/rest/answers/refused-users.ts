import { Type } from 'typebox';

/** Of an answer to somebody who adds users to a group. */
export const refusedUsers = Type.Array(Type.String(), {
  description:
    'Users whom you may not add: they take invitations from friends only, or an admin removed them. Absent: none.',
});

/** Named only where somebody was refused. */
export const refusedPart = (refused: string[]): { refused?: string[] } =>
  refused.length === 0 ? {} : { refused };
