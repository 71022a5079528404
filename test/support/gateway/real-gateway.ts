import { randomUUID } from 'node:crypto';
import { connectKafka, withAdmin } from '../../../lib/kafka/kafka.ts';
import { topics } from '../../../lib/kafka/topics.ts';
import { createLogger } from '../../../lib/log.ts';
import { readConfig } from '../../../services/gateway/config.ts';
import { startGateway } from '../../../services/gateway/service.ts';
import { atEnd } from '../at-end.ts';

const log = createLogger('test', process.env.TEST_LOG_LEVEL ?? 'silent');
const brokers = process.env.KAFKA_BROKERS ?? '127.0.0.1:9092';

/** What is behind a gateway. `publicKeyFile` has the keys of access tokens. */
export type BehindGateway = { repoAddress: string; logicAddress: string; publicKeyFile: string };

/** Starts a real gateway on free ports. It is stopped at the end of the test file, and its topic is deleted then. */
export async function startRealGateway(behind: BehindGateway, env: Record<string, string> = {}) {
  const id = env.GATEWAY_ID ?? `test-${randomUUID()}`;
  const gateway = await startGateway(
    readConfig({
      KAFKA_BROKERS: brokers,
      REPO_ADDRESS: behind.repoAddress,
      LOGIC_ADDRESS: behind.logicAddress,
      AUTH_PUBLIC_KEY_FILE: behind.publicKeyFile,
      GATEWAY_ID: id,
      GATEWAY_PORT: '0',
      GATEWAY_GRPC_PORT: '0',
      METRICS_PORT: '0',
      DRAIN_SPREAD_MS: '100',
      ...env,
    }),
    log,
  );
  if (started.size === 0) atEnd(deleteTopics);
  started.add(id);
  let stopped = false;
  const stop = async () => {
    if (stopped) return;
    stopped = true;
    await gateway.stop();
  };
  atEnd(stop);
  return { id, gateway, url: `http://127.0.0.1:${gateway.port}`, stop };
}

/** The ids of all gateways of this test file. */
const started = new Set<string>();

/** Runs after all gateways have stopped, since what was registered first runs last. */
async function deleteTopics(): Promise<void> {
  const kafka = connectKafka({ brokers, clientId: 'gateway-test', log });
  await withAdmin(kafka, (admin) => admin.deleteTopics({ topics: [...started].map(topics.downstream) }));
}
