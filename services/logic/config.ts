import { type Static, Type } from 'typebox';
import {
  commonConfig,
  count,
  kafkaConfig,
  loadConfig,
  port,
  repoAddress,
  temporalConfig,
} from '../../lib/config.ts';
import { limits } from '../../lib/domain/limits.ts';
import { accessTokenS, refreshTokenMs } from '../../lib/domain/session-lifetimes.ts';

export const logicConfig = Type.Object({
  ...commonConfig,
  ...kafkaConfig,
  ...temporalConfig,
  ...repoAddress,
  /**
   * The name of this process in its consumer group and in its downstream topic, which carries the acknowledgements of
   * REST sends. Must be unique among processes and stay the same after a restart.
   */
  LOGIC_ID: Type.String({ default: 'logic-1', pattern: '^[A-Za-z0-9._-]{1,100}$' }),
  LOGIC_GRPC_PORT: port(9002),
  METRICS_PORT: port(9465),
  /**
   * Paths of files with Ed25519 private keys (PKCS8 PEM), separated by commas. The first key signs; tokens of all keys
   * are accepted. There is no default, since anyone who knows a key can sign in as any user.
   */
  AUTH_PRIVATE_KEY_FILE: Type.String({ minLength: 1 }),
  /** Path of a JSON list of the identity providers whose tokens POST /auth/exchange accepts; empty: none. */
  AUTH_ISSUERS_FILE: Type.String({ default: '' }),
  ACCESS_TOKEN_TTL_S: Type.Integer({
    default: accessTokenS.usual,
    minimum: 1,
    maximum: accessTokenS.longest,
  }),
  REFRESH_TOKEN_TTL_MS: Type.Integer({ default: refreshTokenMs.usual, minimum: refreshTokenMs.shortest }),
  GROUP_MAX_MEMBERS: Type.Integer({
    default: limits.groupMembers.usual,
    minimum: limits.groupMembers.fewest,
    maximum: limits.groupMembers.most,
  }),
  RECALL_WINDOW_MS: count(120_000),
  EDIT_WINDOW_MS: count(24 * 3_600_000),
});

export type LogicConfig = Static<typeof logicConfig>;

/** Reads the configuration. Also throws if the values contradict each other. */
export function readLogicConfig(env: Record<string, string | undefined> = process.env): LogicConfig {
  const config = loadConfig(logicConfig, env);
  if (config.REFRESH_TOKEN_TTL_MS < config.ACCESS_TOKEN_TTL_S * 1000) {
    throw new Error(
      'configuration: REFRESH_TOKEN_TTL_MS must not be less than ACCESS_TOKEN_TTL_S: an access token that outlives its session could not be revoked',
    );
  }
  return config;
}
