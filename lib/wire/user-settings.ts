import { type Static, Type } from 'typebox';
import { groupInviteChoices, lastSeenChoices } from '../domain/user-settings.ts';
import type { UserSettings as ProtoUserSettings } from '../gen/im_repo/v1/user.ts';

/** A user's settings in REST answers. */
export const UserSettings = Type.Object(
  {
    groupInvites: Type.Unsafe<string>({
      type: 'string',
      enum: groupInviteChoices,
      description:
        'Who may add the user to a group. If anyone else tries, the answer names the user in refused',
    }),
    lastSeen: Type.Unsafe<string>({
      type: 'string',
      enum: lastSeenChoices,
      description: 'Who may see whether the user is online and when the user was last active',
    }),
    readReceipts: Type.Boolean({
      description:
        'False: nobody sees what the user has read, and the user does not see what others have read',
    }),
    locale: Type.Optional(
      Type.String({ description: 'A BCP 47 language tag; absent if the user chose none' }),
    ),
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
