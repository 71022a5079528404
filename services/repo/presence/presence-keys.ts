/**
 * Presence in Redis. Scripts get these names or build them from the same words:
 *   user:online:{user}     hash: session id → JSON {gateway_id, boot_id, connected_at, last_active_at}
 *   user:boots:{user}      hash: boot id → how many of those sessions are there
 *   user:presence:{user}   hash: epoch (names the period since the first session came), announced (session that made
 *                          friends be told), announced_at, told_epoch (declared offline), last_active_at
 *   gateway:leases         hash: gateway id → JSON {boot_id, expires_at, synced, push_address}
 *   gateway:boots          sorted set: boot id by the end of its lease
 *   gateway:users:{boot}   set: users with a session there
 *   presence:heartbeats    sorted set: "{user}|{session}" by the last heartbeat
 *   presence:away          sorted set: users without a session whose friends are not told yet, by the time when the
 *                          last session closed
 *   presence:generation    JSON {id, created_at}: made again after a flush
 *   presence:untold        hash: user → JSON {epoch, last_active_at, page} that the clean-up has declared offline
 */
export const presenceKeys = {
  leases: 'gateway:leases',
  boots: 'gateway:boots',
  heartbeats: 'presence:heartbeats',
  generation: 'presence:generation',
  untold: 'presence:untold',
} as const;

export const leaseMs = 10_000;
/** How long after a flush nobody is judged to be gone: by then every living session has sent a heartbeat. */
export const healMs = 75_000;
