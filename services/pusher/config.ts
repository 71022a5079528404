import { type Static, Type } from 'typebox';
import { commonConfig, kafkaConfig, port, repoAddress } from '../../lib/config.ts';

export const pusherConfig = Type.Object({
  ...commonConfig,
  ...kafkaConfig,
  ...repoAddress,
  METRICS_PORT: port(9468),
});

export type PusherConfig = Static<typeof pusherConfig>;
