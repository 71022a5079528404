import { type Static, Type } from 'typebox';
import { commonConfig, kafkaConfig, port, repoAddress } from '../../lib/config.ts';

export const pusherConfig = Type.Object({
  ...commonConfig,
  ...kafkaConfig,
  ...repoAddress,
  /**
   * The name of this process in its consumer groups. Must be unique among processes and stay the same after a
   * restart.
   */
  PUSHER_ID: Type.String({ default: 'pusher-1', pattern: '^[A-Za-z0-9._-]{1,100}$' }),
  METRICS_PORT: port(9468),
});

export type PusherConfig = Static<typeof pusherConfig>;
