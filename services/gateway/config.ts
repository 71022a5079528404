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
  /** Names this gateway in routes and in its downstream topic. */
  GATEWAY_ID: Type.String({ default: 'gateway-1', pattern: '^[A-Za-z0-9._-]{1,100}$' }),
  /** Address that clients reach. */
  GATEWAY_HOST: Type.String({ default: '127.0.0.1' }),
  GATEWAY_PORT: port(8080),
  GATEWAY_GRPC_PORT: port(9003),
  /** host:port under which other services reach this gateway's PusherService. Empty: BIND_HOST and the port. */
  GATEWAY_GRPC_ADVERTISE: Type.String({ default: '' }),
  AUTH_PUBLIC_KEY_FILE: Type.String({ minLength: 1 }),
  /** How many proxies, or which, are believed what they write into X-Forwarded-For. */
  TRUST_PROXY: Type.String({ default: '0' }),
  /** Whose pages may call from a browser, besides the gateway's own. */
  ALLOWED_ORIGINS: Type.String({ default: '' }),
  /** The only names under which requests are answered. Empty: all. */
  ALLOWED_HOSTS: Type.String({ default: '' }),
  RATE_LIMIT_REGISTER_PER_HOUR: count(100),
  RATE_LIMIT_LOGIN_FAILURES_PER_15MIN: count(10),
  RATE_LIMIT_REQUESTS_PER_MINUTE: count(1200),
  /** Requests per address without a good token. */
  RATE_LIMIT_ANONYMOUS_PER_MINUTE: count(300),
  RATE_LIMIT_FRAMES_PER_SECOND: count(50),
  /** What a socket may send per second, with four times as much at once. */
  RATE_LIMIT_BYTES_PER_SECOND: count(256 * 1024),
  /** How often a client is asked to send `ping`, and after how much silence its session is closed. */
  HEARTBEAT_INTERVAL_MS: count(30_000),
  HEARTBEAT_TIMEOUT_MS: count(75_000),
  /** A session with more than this waiting to be written is closed with 4002. */
  SEND_BUFFER_LIMIT_BYTES: count(1024 * 1024),
  MAX_CONNECTIONS: count(50_000),
  MAX_SOCKETS_PER_USER: count(20),
  MAX_SOCKETS_PER_ADDRESS: count(1000),
  /** Sends that this gateway took and that were not acknowledged yet; more are refused with UNAVAILABLE. */
  MAX_UNACKED_SENDS: count(20_000),
  /** After it a send without acknowledgement is answered UNAVAILABLE. */
  SEND_TIMEOUT_MS: count(15_000),
  /** Sockets are told to go (4003) spread over this time. */
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
