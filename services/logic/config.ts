import { type Static, Type } from 'typebox';
import { commonConfig, count, kafkaConfig, port, repoAddress, temporalConfig } from '../../lib/config.ts';

const day = 24 * 3_600_000;

export const logicConfig = Type.Object({
  ...commonConfig,
  ...kafkaConfig,
  ...temporalConfig,
  ...repoAddress,
  /**
   * Names this process in its consumer group, and its downstream topic for the acknowledgements of REST sends. Unique
   * among processes, the same after a restart.
   */
  LOGIC_ID: Type.String({ default: 'logic-1', pattern: '^[A-Za-z0-9._-]{1,100}$' }),
  LOGIC_GRPC_PORT: port(9002),
  METRICS_PORT: port(9465),
  /** Ed25519 private key, PKCS8 PEM. There is no default: whoever knows the key can be anybody. */
  AUTH_PRIVATE_KEY_FILE: Type.String({ minLength: 1 }),
  ACCESS_TOKEN_TTL_S: Type.Integer({ default: 900, minimum: 1 }),
  REFRESH_TOKEN_TTL_MS: Type.Integer({ default: 30 * day, minimum: 1000 }),
  GROUP_MAX_MEMBERS: Type.Integer({ default: 2000, minimum: 2, maximum: 100_000 }),
  RECALL_WINDOW_MS: count(120_000),
});

export type LogicConfig = Static<typeof logicConfig>;
