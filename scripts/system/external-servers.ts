import { connect } from 'node:net';
import { Problem } from '../process/problem.ts';

interface Named {
  variable: string;
  host: string;
  port: number;
}

/** Throws a Problem if a server whose address the user has set cannot be reached. */
export async function assertExternalServersAnswer(env: NodeJS.ProcessEnv): Promise<void> {
  for (const { variable, host, port } of namedServers(env)) {
    if (await accepts(host, port)) continue;
    throw new Problem(
      `${variable} names ${host}:${port}, where nothing answers: start that server or unset it.`,
    );
  }
}

/** The servers whose addresses the user has set; of several Kafka brokers only the first. */
export function namedServers(env: NodeJS.ProcessEnv): Named[] {
  const standardPorts = { DATABASE_URL: 3306, REDIS_URL: 6379, KAFKA_BROKERS: 9092, TEMPORAL_ADDRESS: 7233 };
  return Object.entries(standardPorts).flatMap(([variable, standard]) => {
    const value = env[variable]?.split(',')[0]?.trim();
    if (!value) return [];
    const url = URL.parse(value.includes('://') ? value : `tcp://${value}`);
    if (!url?.hostname) throw new Problem(`${variable} is not an address: "${value}".`);
    const host = url.hostname.replace(/^\[|\]$/g, '');
    return [{ variable, host, port: url.port === '' ? standard : Number(url.port) }];
  });
}

function accepts(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const answer = (reached: boolean) => {
      socket.destroy();
      resolve(reached);
    };
    socket.setTimeout(3_000, () => answer(false));
    socket.once('connect', () => answer(true));
    socket.once('error', () => answer(false));
  });
}
