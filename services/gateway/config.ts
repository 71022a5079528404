import { Type } from 'typebox';
import {
  commonConfig,
  count,
  kafkaConfig,
  loadConfig,
  logicAddress,
  port,
  repoAddress,
} from '../../lib/config.ts';
import { parseHosts } from './door/hosts.ts';
import { parseOrigins } from './door/origins.ts';
import { parseTrustedProxies } from './door/trusted-proxies.ts';

const schema = Type.Object({
  ...commonConfig,
  ...kafkaConfig,
  ...repoAddress,
  ...logicAddress,
  METRICS_PORT: port(9464),
  /** Id of this gateway in presence data, and in the name of its downstream topic. */
  GATEWAY_ID: Type.String({ default: 'gateway-1', pattern: '^[A-Za-z0-9._-]{1,100}$' }),
  /** Address on which the gateway listens for clients. */
  GATEWAY_HOST: Type.String({ default: '127.0.0.1' }),
  GATEWAY_PORT: port(8080),
  GATEWAY_GRPC_PORT: port(9003),
  /** host:port at which other services reach this gateway's PusherService. If empty: BIND_HOST and the gRPC port. */
  GATEWAY_GRPC_ADVERTISE: Type.String({ default: '' }),
  AUTH_PUBLIC_KEY_FILE: Type.String({ minLength: 1 }),
  /** Proxies whose X-Forwarded-For entries are trusted: their number, or their addresses and ranges. */
  TRUST_PROXY: Type.String({ default: '0' }),
  /** Origins whose pages may call from a browser, in addition to the gateway's own origin. */
  ALLOWED_ORIGINS: Type.String({ default: '' }),
  /** Host names for which requests are answered. If empty: all. */
  ALLOWED_HOSTS: Type.String({ default: '' }),
  RATE_LIMIT_REGISTER_PER_HOUR: count(100),
  RATE_LIMIT_LOGIN_FAILURES_PER_15MIN: count(10),
  RATE_LIMIT_REQUESTS_PER_MINUTE: count(1200),
  /** Requests without a valid access token, per client address. */
  RATE_LIMIT_ANONYMOUS_PER_MINUTE: count(300),
  RATE_LIMIT_FRAMES_PER_SECOND: count(50),
  /** Bytes that a socket may send per second; four times as many may come in one burst. */
  RATE_LIMIT_BYTES_PER_SECOND: count(256 * 1024),
  /** Bytes per uploaded file. */
  FILE_MAX_BYTES: Type.Integer({ default: 20 * 1024 * 1024, minimum: 1 }),
  /** Bytes of all files of a user; 0 for no quota. */
  FILE_QUOTA_BYTES: count(1024 ** 3),
  /** The interval at which clients are asked to send `ping`. */
  HEARTBEAT_INTERVAL_MS: count(30_000),
  /** A session whose client sends nothing for this long is closed. */
  HEARTBEAT_TIMEOUT_MS: count(75_000),
  /** A session with more unwritten bytes than this is closed with code 4002. */
  SEND_BUFFER_LIMIT_BYTES: count(1024 * 1024),
  MAX_CONNECTIONS: count(50_000),
  MAX_SOCKETS_PER_USER: count(20),
  MAX_SOCKETS_PER_ADDRESS: count(1000),
  /** Sends accepted by this gateway and not acknowledged yet; further sends are refused with UNAVAILABLE. */
  MAX_UNACKED_SENDS: count(20_000),
  /** A send without acknowledgement is answered with UNAVAILABLE after this time. */
  SEND_TIMEOUT_MS: count(15_000),
  /** A stopping gateway closes its sockets (code 4003) at random moments within this time. */
  DRAIN_SPREAD_MS: count(1500),
});

export type GatewayConfig = ReturnType<typeof readConfig>;

export function readConfig(env: Record<string, string | undefined> = process.env) {
  const config = loadConfig(schema, env);
  return {
    ...config,
    TRUST_PROXY: parseTrustedProxies(config.TRUST_PROXY),
    ALLOWED_ORIGINS: parseOrigins(config.ALLOWED_ORIGINS),
    ALLOWED_HOSTS: parseHosts(config.ALLOWED_HOSTS),
  };
}
