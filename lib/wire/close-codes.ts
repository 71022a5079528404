/** Why a gateway closes a socket: clients act on the code, the reason is for people, the description for the documents. */
export const closeCodes = {
  revoked: {
    code: 4001,
    reason: 'signed out',
    description: 'The login session behind the socket was revoked. Sign in again.',
  },
  tooSlow: {
    code: 4002,
    reason: 'too slow',
    description: 'More was waiting to be written than the send buffer holds. Reconnect and sync.',
  },
  draining: {
    code: 4003,
    reason: 'server draining',
    description: 'This gateway stops. Reconnect elsewhere at once, with jitter.',
  },
  protocolError: {
    code: 4004,
    reason: 'malformed frames',
    description:
      'Three malformed frames within a minute, or twenty whose data was not what their type takes. Mend the client.',
  },
  rateLimited: {
    code: 4005,
    reason: 'too many frames',
    description:
      'Frames or bytes kept coming although they were refused. Wait, then reconnect and send less.',
  },
  silent: {
    code: 1001,
    reason: 'no heartbeat',
    description: 'Nothing was heard for longer than the heartbeat allows. Reconnect and sync.',
  },
  replaced: {
    code: 1001,
    reason: 'replaced by a newer socket',
    description:
      'The user opened one more socket than a user may have, and this one was silent for longest. Stay away.',
  },
  tryLater: {
    code: 1013,
    reason: 'try again later',
    description: 'The session could not be registered. Reconnect later.',
  },
  frameTooLarge: {
    code: 1009,
    reason: '',
    description: 'A frame had over 64 KiB. Send smaller ones.',
  },
} as const;

/** What the gateway's own code closes for. The WebSocket library closes for a frame that is too large. */
export type CloseCause = Exclude<keyof typeof closeCodes, 'frameTooLarge'>;
