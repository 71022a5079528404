import type { ShownMessage } from '@gochat/sdk';
import type { Standing } from './reading.ts';

export interface MessageRowProps {
  message: ShownMessage;
  isOwn: boolean;
  myId: string;
  /** False: the sender's name and picture stand above an earlier message. */
  isFirstOfGroup: boolean;
  /** How an own message stands. */
  standing: Standing | undefined;
  /** The message that this one answers, if it is loaded. */
  answered: ShownMessage | undefined;
  isEditing: boolean;
  isHighlighted: boolean;
  /** Tab reaches the last message, and arrows go on from there. */
  isLast: boolean;
  showsSender: boolean;
  mayPin: boolean;
  mayRecall: boolean;
  names: ReadonlyMap<string, string>;
}
