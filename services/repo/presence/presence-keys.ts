/**
 * The Redis keys of presence. Some scripts get them as arguments, the others write the same names:
 *   user:online:{user}     hash: session id → JSON {gateway_id, boot_id, connected_at, last_active_at}
 *   user:boots:{user}      hash: boot id → number of the user's sessions there
 *   user:presence:{user}   hash: epoch (id of the online period, set when its first session connects), announced (the
 *                          session for which friends were notified, 'before' if that was before a flush, empty while
 *                          offline), announced_at, told_epoch (the last epoch that was declared offline), last_active_at
 *   gateway:leases         hash: gateway id → JSON {boot_id, expires_at, synced, push_address}
 *   gateway:boots          sorted set: boot ids by the end of their lease
 *   gateway:users:{boot}   set: users with a session at the boot
 *   presence:heartbeats    sorted set: "{user}|{session}" by last_active_at
 *   presence:away          sorted set: users without a session whose friends are not notified yet, by the time when the
 *                          last session closed
 *   presence:generation    JSON {created_at, run_id}: created again after a flush or a restart of Redis
 *   presence:untold        hash: user → JSON {epoch, last_active_at, page}: users whom the clean-up has declared offline
 *                          and whose page is not acknowledged yet
 * Times are Unix milliseconds. connected_at and last_active_at come from the gateways' clocks, all others from the clock
 * of the Redis server.
 */
export const presenceKeys = {
  leases: 'gateway:leases',
  boots: 'gateway:boots',
  heartbeats: 'presence:heartbeats',
  generation: 'presence:generation',
  untold: 'presence:untold',
} as const;

export const leaseMs = 10_000;
/** How long after a flush no user is declared offline, in ms. By then every live session has sent a heartbeat. */
export const healMs = 75_000;
