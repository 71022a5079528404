import { limits } from '../../../lib/domain/limits.ts';
import { clientMsgIdRule, isClientMsgId } from '../../../lib/domain/message-body.ts';
import { canonicalName, isUsername, nameRule, usernameRule } from '../../../lib/domain/names.ts';
import { canonicalLocale } from '../../../lib/domain/user-settings.ts';
import { canonicalPictureAddress, pictureAddressRule } from '../../../lib/domain/web-address.ts';

/** String formats of the contract, by the name under which schemas use them. */
export const formats: Record<string, (value: string) => boolean> = {
  /** Well-formed Unicode: a lone surrogate could not come back byte for byte. */
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

/** Why a value does not fit a format, as a predicate of the field. */
export const formatSentences: Record<string, string> = {
  text: 'must be well-formed Unicode',
  username: usernameRule,
  'client-msg-id': clientMsgIdRule,
  'display-name': nameRule(limits.displayName),
  'group-name': nameRule(limits.groupName),
  'picture-address': pictureAddressRule,
  'language-tag': 'must be a BCP 47 language tag such as de-CH, or empty',
};
