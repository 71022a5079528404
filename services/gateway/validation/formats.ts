import { canonicalPictureAddress, pictureAddressRule } from '../../../lib/domain/addresses.ts';
import { limits } from '../../../lib/domain/limits.ts';
import { clientMsgIdRule, isClientMsgId } from '../../../lib/domain/message-body.ts';
import { canonicalName, isUsername, nameRule, usernameRule } from '../../../lib/domain/names.ts';
import { canonicalLocale } from '../../../lib/domain/user-settings.ts';

/** Checks of string formats, by the name that schemas use. */
export const formats: Record<string, (value: string) => boolean> = {
  /** Well-formed Unicode, because a lone surrogate cannot be stored and returned unchanged. */
  text: (value) => value.isWellFormed(),
  username: isUsername,
  'display-name': (value) => canonicalName(value, limits.displayName) !== undefined,
  'group-name': (value) => canonicalName(value, limits.groupName) !== undefined,
  'client-msg-id': isClientMsgId,
  /** An http or https address without a password in it, or nothing. */
  'picture-address': (value) => canonicalPictureAddress(value) !== undefined,
  /** A BCP 47 language tag, or nothing. */
  'language-tag': (value) => value === '' || canonicalLocale(value) !== undefined,
};

/** The error per format, as a predicate of the field. */
export const formatSentences: Record<string, string> = {
  text: 'must be well-formed Unicode',
  username: usernameRule,
  'client-msg-id': clientMsgIdRule,
  'display-name': nameRule(limits.displayName),
  'group-name': nameRule(limits.groupName),
  'picture-address': pictureAddressRule,
  'language-tag': 'must be a BCP 47 language tag such as de-CH, or empty',
};
