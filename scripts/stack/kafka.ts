import { createHash, randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Problem } from '../process/problem.ts';
import { findProgram, output, runLogged } from '../process/program.ts';
import { allocatorSettings, memorySettings } from '../topology/memory.ts';
import { type BrokerEntrance, serverPorts } from '../topology/topology.ts';
import { type ClassArchive, createClassArchive } from './class-archive.ts';
import { assertDigests, cached, isCached, parseDigests } from './downloads.ts';
import { kafkaServes } from './probes.ts';
import { program, type Requirement } from './requirements.ts';
import type { Server, ServerContext } from './server.ts';

const cacheName = 'kafka-4.4.0';
const pinned = resolve(import.meta.dirname, '../../infra/kafka');
const oldestJava = 17;

/** A private one-node Kafka in KRaft mode, from the jars that infra/kafka/pom.xml names. */
export function createKafka({ profile, progress, supervisor }: ServerContext): Server {
  const folder = join(profile.home, 'kafka');
  const properties = join(folder, 'server.properties');
  const { kafka, kafkaController } = serverPorts(profile);
  const log = supervisor.logFile('kafka');
  const memory = memorySettings(profile.small);
  let jars = '';
  let classes: ClassArchive | undefined;

  const server: Server = {
    name: 'Kafka',
    provides: ['kafka'],
    ports: [kafka, kafkaController],
    requirements: [java, ...(isCached(cacheName) ? [] : [program('maven', 'mvn')])],

    async prepare() {
      jars = await cached(cacheName, (draft) =>
        progress.step('Downloading Kafka (43 MB)', () => download(draft, log)),
      );
      classes = createClassArchive(`kafka-classes-${await classesVersion(jars, memory.broker)}`);
      mkdirSync(folder, { recursive: true });
      writeFileSync(
        properties,
        brokerProperties(folder, kafka.port, kafkaController.port, profile.brokerEntrances),
      );
      if (!existsSync(join(folder, 'data', 'meta.properties'))) await format(jars, properties, log);
    },

    async start() {
      await supervisor.start({
        name: 'kafka',
        command: javaProgram(),
        args: [
          ...javaOptions(jars),
          ...memory.broker,
          ...(classes?.options() ?? []),
          'kafka.Kafka',
          properties,
        ],
        env: { ...allocatorSettings, ...process.env },
        isReady: server.ready,
        readyWithinMs: 60_000,
        stopWithinMs: 30_000,
        startAttempts: 1,
      });
    },

    ready: () => kafkaServes(kafka.port),
    async stop() {
      await supervisor.stop('kafka');
      classes?.keep();
    },
  };
  return server;
}

/** Differs for all that an archive of classes depends on: Java, its options, and the jars with their times of change. */
async function classesVersion(jars: string, options: readonly string[]): Promise<string> {
  const { stderr } = await output(javaProgram(), ['-version']);
  const version = `${stderr} ${jars} ${statSync(jars).mtimeMs} ${options.join(' ')}`;
  return createHash('sha256').update(version).digest('hex').slice(0, 16);
}

const java: Requirement = {
  aptPackage: 'default-jre-headless',
  async isMet() {
    const { code, stderr } = await output(javaProgram(), ['-version']);
    const version = Number(/version "(\d+)/.exec(stderr)?.[1] ?? 0);
    return code === 0 && version >= oldestJava;
  },
};

function javaProgram(): string {
  const home = process.env.JAVA_HOME;
  return home ? join(home, 'bin', 'java') : (findProgram('java') ?? 'java');
}

function javaOptions(jars: string): string[] {
  const logging = `-Dlog4j2.configurationFile=${join(pinned, 'log4j2.properties')}`;
  return ['-cp', join(jars, '*'), logging, '-Djava.awt.headless=true'];
}

async function download(folder: string, log: string): Promise<void> {
  const digests = parseDigests(readFileSync(join(pinned, 'jars.sha256'), 'utf8'));
  const plugin = 'org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies';
  const pom = join(pinned, 'pom.xml');
  const code = await runLogged(
    'mvn',
    ['--batch-mode', '--quiet', '--file', pom, plugin, `-DoutputDirectory=${folder}`],
    { log },
  );
  if (code !== 0) throw new Problem(`Maven could not download Kafka: see ${log}, then try again.`);
  await assertDigests(folder, digests);
}

async function format(jars: string, properties: string, log: string): Promise<void> {
  const clusterId = Buffer.from(randomUUID().replaceAll('-', ''), 'hex').toString('base64url');
  const code = await runLogged(
    javaProgram(),
    // Option and value are one argument: Kafka would take an id that begins with a dash for another option.
    [
      ...javaOptions(jars),
      'kafka.tools.StorageTool',
      'format',
      `--cluster-id=${clusterId}`,
      '-c',
      properties,
    ],
    { log },
  );
  if (code !== 0) throw new Problem(`Kafka could not create its data directory: see ${log}.`);
}

function brokerProperties(
  folder: string,
  port: number,
  controllerPort: number,
  entrances: readonly BrokerEntrance[] = [],
): string {
  const main = { name: 'PLAINTEXT', port, advertisedPort: port };
  const forClients = [main, ...entrances];
  const listeners = [...forClients, { name: 'CONTROLLER', port: controllerPort }];
  const settings = {
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.voters': `1@127.0.0.1:${controllerPort}`,
    listeners: listeners.map(({ name, port }) => `${name}://127.0.0.1:${port}`).join(),
    'advertised.listeners': forClients
      .map(({ name, advertisedPort }) => `${name}://127.0.0.1:${advertisedPort}`)
      .join(),
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': main.name,
    'listener.security.protocol.map': listeners.map(({ name }) => `${name}:PLAINTEXT`).join(),
    'log.dirs': join(folder, 'data'),
    // A misspelt topic must be an error, not a new topic; the services create their topics.
    'auto.create.topics.enable': false,
    'offsets.topic.num.partitions': 4,
    'offsets.topic.replication.factor': 1,
    'transaction.state.log.num.partitions': 4,
    'transaction.state.log.replication.factor': 1,
    'transaction.state.log.min.isr': 1,
    'share.coordinator.state.topic.replication.factor': 1,
    'share.coordinator.state.topic.min.isr': 1,
    // The default waits for further consumers before the first assignment, which delays every start.
    'group.initial.rebalance.delay.ms': 0,
    // A killed broker may register again only after the session of its killed start has timed out.
    'broker.session.timeout.ms': 1000,
    'broker.heartbeat.interval.ms': 200,
    // The default of 128 MB, which the broker touches at its start, is for millions of keys per compacted topic. Here
    // only the internal topics are compacted, with some hundred keys.
    'log.cleaner.dedupe.buffer.size': 8 << 20,
    // With one controller, no other needs a sign that it is alive. By default it writes a record for that twice per second,
    // which is a third of what an idle broker does.
    'metadata.max.idle.interval.ms': 0,
    // Each of these threads, of which the controller has as many again, wakes up three times per second.
    'num.io.threads': 4,
    // Every gateway boot creates a consumer group; the broker forgets unused groups after one day.
    'offsets.retention.minutes': 1440,
  };
  return `${Object.entries(settings)
    .map(([name, value]) => `${name}=${value}`)
    .join('\n')}\n`;
}
