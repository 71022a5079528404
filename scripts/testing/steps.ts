// Room: the steps of `npm test`, and the reports of their results. No test belongs here.

import { globSync, statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { chromiumProgram } from '../stack/chromium.ts';
import { runCaptured } from './command.ts';
import type { Counts } from './counts-reporter.ts';
import { apart, needsOf } from './needs.ts';
import { runInOneProcess, runTestFiles } from './test-files.ts';

/** A part of `npm test`. */
export interface Step {
  name: string;
  title: string;
  /** Steps of the same round run at the same time; the rounds run one after the other. */
  round: number;
  /** True: runs only if the arguments name it. */
  onDemand?: boolean;
  /** True: every service is a separate process, so that tests can kill each one. */
  apart?: boolean;
  /** Settings of the system under test for this step. */
  settings?: NodeJS.ProcessEnv;
  /** The test files of the step; empty for a check such as lint. */
  files: string[];
  /** Splits the work for these files of the step into parts that may run at the same time. */
  parts(files: string[], only?: string): Part[];
}

/** Runs a part of a step. When `stop` is aborted, it ends the processes that it has started. */
export type Part = (env: NodeJS.ProcessEnv, stop: AbortSignal) => Promise<Counts>;

/** For all files of a part. */
const defaultTimeoutMs = 15 * 60_000;
const faultTimeoutMs = 60 * 60_000;
/** Printed lines of a failed check's output. */
const maxLines = 120;

/** Of the unit tests: one more than cores, since some tests wait for timers and programs. */
const processes = availableParallelism() + 1;

const besideCode = filesOf(
  '{lib,services,workflows,activities,clients,scripts,bench,demo,test/support}/**/*.test.ts',
);
/** They run compilers and package managers, whose start takes longer than all unit tests of a service. */
const packageFiles = filesOf('{clients/*/build/**/*,services/gateway/rest/document/client}.test.ts');
const withoutNeeds = besideCode.filter((file) => needsOf(file).length === 0 && !packageFiles.includes(file));
const flowFiles = besideCode.filter((file) => needsOf(file).includes('temporal-programs'));
const others = besideCode.filter((file) => ![...withoutNeeds, ...packageFiles, ...flowFiles].includes(file));

export const steps: Step[] = [
  {
    name: 'unit',
    title: 'Unit tests',
    round: 1,
    files: withoutNeeds,
    parts: (files, only) => shares(files, processes).map((share) => testing(share, { only, together: true })),
  },
  {
    name: 'packages',
    title: 'Packages and generated clients',
    round: 1,
    files: packageFiles,
    parts: (files, only) => [testing(files, { only, together: true })],
  },
  check(
    'types',
    'Types',
    ['tsc', '--noEmit'],
    ['tsc', '--noEmit', '-p', 'clients/sdk'],
    ['tsc', '--noEmit', '-p', 'clients/web'],
  ),
  check('lint', 'Format and lint', ['biome', 'ci', '--colors=off', '.'], ['buf', 'lint', 'proto']),
  check('deps', 'Dependency rules', [
    'depcruise',
    ...['--config', '.dependency-cruiser.cjs'],
    ...existing('workflows', 'activities', 'services', 'lib', 'clients', 'scripts', 'bench', 'demo', 'test'),
  ]),
  check('generated', 'Generated code is up to date', ['node', 'scripts/generate.ts', '--check']),
  check('repetition', 'Repeated code (.jscpd.json)', ['jscpd', '--no-colors', '.']),
  {
    name: 'flows',
    title: 'Tests of the flows',
    round: 2,
    files: flowFiles,
    parts: (files, only) => [testing(files, { only })],
  },
  {
    name: 'integration',
    title: 'Integration tests',
    round: 2,
    files: [...others, ...filesOf('test/integration/**/*.test.ts')],
    parts: (files, only) => apart(files).map((group) => testing(group, { only })),
  },
  {
    name: 'replay',
    title: 'Replay of recorded workflow histories',
    round: 2,
    files: filesOf('test/replay/**/*.test.ts'),
    parts: (files, only) => [testing(files, { only })],
  },
  // A round of its own: these tests kill processes that other tests would be using.
  {
    name: 'e2e',
    title: 'End-to-end tests',
    round: 3,
    files: filesOf('test/e2e/**/*.test.ts'),
    parts: (files, only) => [testing(files, { only })],
  },
  {
    name: 'web',
    title: 'The web client in Chromium',
    round: 4,
    // The pages of several people come from one address.
    settings: { RATE_LIMIT_ANONYMOUS_PER_MINUTE: '0', ALLOWED_ORIGINS: 'http://shop.example' },
    files: filesOf('test/web/**/*.test.ts'),
    parts: (files, only) => [inChromium(testing(files, { only }))],
  },
  // Compares the OpenAPI document with the system's answers, by Schemathesis, a Python program.
  {
    name: 'schemathesis',
    title: 'Schemathesis',
    round: 5,
    onDemand: true,
    settings: {
      RATE_LIMIT_REGISTER_PER_HOUR: '0',
      RATE_LIMIT_LOGIN_FAILURES_PER_15MIN: '0',
      RATE_LIMIT_REQUESTS_PER_MINUTE: '0',
      RATE_LIMIT_ANONYMOUS_PER_MINUTE: '0',
      // The largest value that a request may contain.
      GROUP_MAX_MEMBERS: '100000',
    },
    files: filesOf('test/schemathesis/**/*.test.ts'),
    parts: (files, only) => [testing(files, { only })],
  },
  // The store of objects on a real S3 server, which Go builds when it is first asked for.
  {
    name: 's3',
    title: 'The store of objects on S3',
    round: 4,
    onDemand: true,
    files: filesOf('test/s3/**/*.test.ts'),
    parts: (files, only) => [testing(files, { only })],
  },
  // Outages take real time, so this runs on demand: `npm run test:fault`.
  {
    name: 'fault',
    title: 'Fault tests',
    round: 6,
    onDemand: true,
    apart: true,
    settings: {
      // A test kills the worker while it delivers to a group of ten thousand.
      GROUP_MAX_MEMBERS: '10500',
      // A storm lasts longer than an access token with the default lifetime.
      ACCESS_TOKEN_TTL_S: String(24 * 3600),
      // A test sends requests without a pause until an alert fires.
      RATE_LIMIT_REQUESTS_PER_MINUTE: '0',
    },
    files: filesOf('test/fault/**/*.test.ts'),
    parts: (files, only) => [testing(files, { only, timeoutMs: faultTimeoutMs })],
  },
  // Runs `npm start` as on a small rented machine; it takes minutes.
  {
    name: 'small-machine',
    title: 'A machine of 1 core and 2 GiB',
    round: 7,
    onDemand: true,
    files: filesOf('test/small-machine/**/*.test.ts'),
    parts: (files, only) => [testing(files, { only, timeoutMs: faultTimeoutMs })],
  },
];

/** A step of commands that fail with an exit code; their output is printed only if they fail. */
function check(name: string, title: string, ...commands: string[][]): Step {
  const run: Part = async (env, stop) => {
    // No colours: the captured output may end up in a file.
    const plain = { ...env, NO_COLOR: '1', FORCE_COLOR: '0' };
    const counts = { passed: 0, failed: 0 };
    for (const [command = '', ...args] of commands) {
      const { code, output } = await runCaptured(command, args, {
        env: plain,
        stop,
        timeoutMs: defaultTimeoutMs,
      });
      if (code !== 0) console.log(`\n  ✗ ${[command, ...args].join(' ')}\n${beginning(output)}\n`);
      counts[code === 0 ? 'passed' : 'failed'] += 1;
    }
    return counts;
  };
  return { name, title, round: 1, files: [], parts: () => [run] };
}

function testing(
  files: readonly string[],
  { only, together = false, timeoutMs = defaultTimeoutMs }: TestingOptions,
): Part {
  const run = together ? runInOneProcess : runTestFiles;
  return (env, stop) => run(files, { env, stop, concurrency: 1, only, timeoutMs: timeoutMs + stormMs(env) });
}

/** Runs a part with the path of Chromium in CHROMIUM. Where Chromium can't be had, the part says so and runs nothing. */
function inChromium(run: Part): Part {
  return async (env, stop) => {
    const chromium = await chromiumProgram(console.log);
    if (chromium !== undefined) return run({ ...env, CHROMIUM: chromium }, stop);
    console.log(
      '   web: skipped, because Chromium is not here and only root can install it (apt-get install chromium)',
    );
    return { passed: 0, failed: 0 };
  };
}

interface TestingOptions {
  only: string | undefined;
  /** True: all files run in one process. */
  together?: boolean;
  timeoutMs?: number;
}

/**
 * Distributes files over processes. The files of one part of the system (services/gateway) stay together, because they
 * share what they import and build. The size of a file stands for the time that its tests take.
 */
function shares(files: readonly string[], count: number): string[][] {
  const parts = [...Map.groupBy(files, (file) => file.split('/').slice(0, 2).join('/')).values()]
    .map((ofPart) => ({ files: ofPart, bytes: ofPart.reduce((sum, file) => sum + statSync(file).size, 0) }))
    .toSorted((a, b) => b.bytes - a.bytes);
  const shares = Array.from({ length: count }, () => ({ files: [] as string[], bytes: 0 }));
  for (const part of parts) {
    const smallest = shares.reduce((least, share) => (share.bytes < least.bytes ? share : least));
    smallest.files.push(...part.files);
    smallest.bytes += part.bytes;
  }
  return shares.map((share) => share.files).filter((share) => share.length > 0);
}

/** The duration of the storm, or of the load on the small machine, which is added to the timeout of the other tests. */
const stormMs = ({ STORM_MINUTES }: NodeJS.ProcessEnv): number => Number(STORM_MINUTES ?? 0) * 60_000;

function filesOf(pattern: string): string[] {
  return globSync(pattern, { exclude: ['**/node_modules/**'] }).sort();
}

function beginning(output: string): string {
  const lines = output.trimEnd().split('\n');
  const more = lines.length - maxLines;
  return more <= 0 ? lines.join('\n') : `${lines.slice(0, maxLines).join('\n')}\n… and ${more} lines more`;
}

function existing(...folders: string[]): string[] {
  return folders.filter((folder) => globSync(folder).length > 0);
}
