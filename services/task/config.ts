import { type Static, Type } from 'typebox';
import {
  commonConfig,
  count,
  kafkaConfig,
  port,
  presenceConfig,
  repoAddress,
  temporalConfig,
} from '../../lib/config.ts';

const day = 24 * 3_600_000;

export const taskConfig = Type.Object({
  ...commonConfig,
  ...kafkaConfig,
  ...presenceConfig,
  ...temporalConfig,
  ...repoAddress,
  /**
   * The name of this process in its consumer groups. Must be unique among processes and stay the same after a
   * restart.
   */
  TASK_ID: Type.String({ default: 'task-1', pattern: '^[A-Za-z0-9._-]{1,100}$' }),
  METRICS_PORT: port(9467),
  /** Path of a bundle that workflow-bundler.ts wrote before, as in the Docker image; empty: build it at the start. */
  WORKFLOW_BUNDLE_FILE: Type.String({ default: '' }),
  /** Milliseconds after which a friend request without an answer expires. */
  FRIEND_REQUEST_TTL_MS: Type.Integer({ default: 30 * day, minimum: 1000 }),
  /** Milliseconds after a rejection until the same requester may send another request; 0: no wait. */
  FRIEND_REQUEST_COOLDOWN_MS: count(day),
});

export type TaskConfig = Static<typeof taskConfig>;
