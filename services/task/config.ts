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
  /** Names this process in its consumer groups. Unique among processes, the same after a restart. */
  TASK_ID: Type.String({ default: 'task-1', pattern: '^[A-Za-z0-9._-]{1,100}$' }),
  METRICS_PORT: port(9467),
  /** The bundle that workflow-bundler.ts made before, as in the Docker image; empty: made at the start. */
  WORKFLOW_BUNDLE_FILE: Type.String({ default: '' }),
  /** How long a friend request waits for its answer. */
  FRIEND_REQUEST_TTL_MS: Type.Integer({ default: 30 * day, minimum: 1000 }),
  /** After a rejection the same requester waits as long before asking again; 0: not at all. */
  FRIEND_REQUEST_COOLDOWN_MS: count(day),
});

export type TaskConfig = Static<typeof taskConfig>;
