/** Why a gateway closes a socket. The code is what clients act on; the reason is for people. */
export const closeCodes = {
  /** The login session behind the socket was revoked: signing in again is needed. */
  revoked: { code: 4001, reason: 'signed out' },
  /** More was waiting to be written than the send buffer holds: reconnect and sync. */
  tooSlow: { code: 4002, reason: 'too slow' },
  /** This gateway stops: reconnect elsewhere at once, with jitter. */
  draining: { code: 4003, reason: 'server draining' },
  /** Three malformed frames within a minute, or twenty whose data was not what their type takes. */
  protocolError: { code: 4004, reason: 'malformed frames' },
  /** Frames or bytes kept coming although they were refused. */
  rateLimited: { code: 4005, reason: 'too many frames' },
  /** RFC 6455: nothing was heard for longer than the heartbeat allows. */
  silent: { code: 1001, reason: 'no heartbeat' },
  /** RFC 6455: the user opened one more socket than it may have, and this one was silent for longest. */
  replaced: { code: 1001, reason: 'replaced by a newer socket' },
  /** RFC 6455: the session could not be registered; later it may work. */
  tryLater: { code: 1013, reason: 'try again later' },
} as const;

export type CloseCause = keyof typeof closeCodes;
