import { type Static, Type } from 'typebox';
import { groupInviteChoices, lastSeenChoices } from '../domain/user-settings.ts';
import type { UserSettings as ProtoUserSettings } from '../gen/im_repo/v1/user.ts';

/** A user's choices as REST answers show them. */
export const UserSettings = Type.Object(
  {
    groupInvites: Type.Unsafe<string>({
      type: 'string',
      enum: groupInviteChoices,
      description: 'Who may add the user to a group; whoever else tries names the user in refused',
    }),
    lastSeen: Type.Unsafe<string>({
      type: 'string',
      enum: lastSeenChoices,
      description: 'Who is told whether the user is online, and when the user was last active',
    }),
    readReceipts: Type.Boolean({
      description: 'False: nobody is told what the user has read, nor the user what others have',
    }),
    locale: Type.Optional(Type.String({ description: 'A BCP 47 language tag; absent: not chosen' })),
  },
  { $id: 'UserSettings' },
);
export type UserSettings = Static<typeof UserSettings>;

export const toUserSettings = (settings: ProtoUserSettings): UserSettings => ({
  groupInvites: settings.groupInvites,
  lastSeen: settings.lastSeen,
  readReceipts: settings.readReceipts,
  ...(settings.locale === '' ? {} : { locale: settings.locale }),
});
