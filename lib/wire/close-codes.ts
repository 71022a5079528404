/**
 * The reasons for which a gateway closes a socket. Clients act on the code, people read the reason, and the API
 * documents show the description.
 */
export const closeCodes = {
  revoked: {
    code: 4001,
    reason: 'signed out',
    description: 'The login session behind the socket was revoked. Sign in again.',
  },
  tooSlow: {
    code: 4002,
    reason: 'too slow',
    description: 'The client read too slowly, and the send buffer was full. Reconnect and sync.',
  },
  draining: {
    code: 4003,
    reason: 'server draining',
    description: 'This gateway is shutting down. Reconnect to another one at once, with jitter.',
  },
  protocolError: {
    code: 4004,
    reason: 'malformed frames',
    description:
      'The client sent three malformed frames within a minute, or twenty whose data does not match their type. Fix the client.',
  },
  rateLimited: {
    code: 4005,
    reason: 'too many frames',
    description:
      'The client kept sending although its frames were refused. Wait, then reconnect and send less.',
  },
  silent: {
    code: 1001,
    reason: 'no heartbeat',
    description: 'The client sent nothing for longer than the heartbeat allows. Reconnect and sync.',
  },
  replaced: {
    code: 1001,
    reason: 'replaced by a newer socket',
    description:
      'The user opened more sockets than allowed, and this one had been silent for the longest time. Do not reconnect.',
  },
  tryLater: {
    code: 1013,
    reason: 'try again later',
    description: 'The session could not be registered. Reconnect later.',
  },
  frameTooLarge: {
    code: 1009,
    reason: '',
    description: 'A frame was larger than 64 KiB. Send smaller frames.',
  },
} as const;

/** The causes that the gateway's own code uses. The WebSocket library closes the socket if a frame is too large. */
export type CloseCause = Exclude<keyof typeof closeCodes, 'frameTooLarge'>;
