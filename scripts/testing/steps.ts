// Room: what `npm test` runs, and how it tells of it. No test is written here.

import { globSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { runCaptured } from './command.ts';
import type { Counts } from './counts-reporter.ts';
import { apart, needsOf } from './needs.ts';
import { runInOneProcess, runTestFiles } from './test-files.ts';

/** A part of `npm test`. */
export interface Step {
  name: string;
  title: string;
  /** Steps of the same round run at the same time, and the rounds one after the other. */
  round: number;
  /** Runs only when it is named. */
  onDemand?: boolean;
  /** Every service is a process of its own, which can fail by itself. */
  apart?: boolean;
  /** Settings that the system under test is given for it. */
  settings?: NodeJS.ProcessEnv;
  /** The test files that belong to it; a step without is a check. */
  files: string[];
  /** What is to be done for these of its files, in parts that may run at the same time. */
  parts(files: string[], only?: string): Part[];
}

/** Once `stop` is aborted, it ends what it has started. */
export type Part = (env: NodeJS.ProcessEnv, stop: AbortSignal) => Promise<Counts>;

/** For all files of a part. */
const longestMs = 15 * 60_000;
const longestFaultsMs = 60 * 60_000;
/** Of what a failed check says. */
const mostLines = 120;

const besideCode = filesOf(
  '{lib,services,workflows,activities,clients,scripts,bench,test/support}/**/*.test.ts',
);
const withoutNeeds = besideCode.filter((file) => needsOf(file).length === 0);
const flowFiles = besideCode.filter((file) => needsOf(file).includes('temporal-programs'));
const others = besideCode.filter((file) => !withoutNeeds.includes(file) && !flowFiles.includes(file));

export const steps: Step[] = [
  {
    name: 'unit',
    title: 'Unit tests',
    round: 1,
    files: withoutNeeds,
    parts: (files, only) =>
      shares(files, availableParallelism()).map((share) => testing(share, { only, together: true })),
  },
  check('types', 'Types', ['tsc', '--noEmit']),
  check('lint', 'Format and lint', ['biome', 'ci', '--colors=off', '.'], ['buf', 'lint', 'proto']),
  check('deps', 'Dependency rules', [
    'depcruise',
    ...['--config', '.dependency-cruiser.cjs'],
    ...existing('workflows', 'activities', 'services', 'lib', 'clients', 'scripts', 'bench', 'test'),
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
  // These kill processes that the others would be using.
  {
    name: 'e2e',
    title: 'End-to-end tests',
    round: 3,
    files: filesOf('test/e2e/**/*.test.ts'),
    parts: (files, only) => [testing(files, { only })],
  },
  // What the OpenAPI document says against what the system answers, by Schemathesis, which Python brings.
  {
    name: 'schemathesis',
    title: 'Schemathesis',
    round: 4,
    onDemand: true,
    settings: {
      RATE_LIMIT_REGISTER_PER_HOUR: '0',
      RATE_LIMIT_LOGIN_FAILURES_PER_15MIN: '0',
      RATE_LIMIT_REQUESTS_PER_MINUTE: '0',
      RATE_LIMIT_ANONYMOUS_PER_MINUTE: '0',
      // As many as a request may ask for.
      GROUP_MAX_MEMBERS: '100000',
    },
    files: filesOf('test/schemathesis/**/*.test.ts'),
    parts: (files, only) => [testing(files, { only })],
  },
  // Outages last as long as they last: `npm run test:fault`.
  {
    name: 'fault',
    title: 'Fault tests',
    round: 5,
    onDemand: true,
    apart: true,
    settings: {
      // A group of ten thousand is fanned out while its worker dies.
      GROUP_MAX_MEMBERS: '10500',
      // A storm outlasts the tokens of those who come back again and again.
      ACCESS_TOKEN_TTL_S: String(24 * 3600),
      // Who reads until an alert fires does not pause.
      RATE_LIMIT_REQUESTS_PER_MINUTE: '0',
    },
    files: filesOf('test/fault/**/*.test.ts'),
    parts: (files, only) => [testing(files, { only, longestMs: longestFaultsMs })],
  },
];

/** Commands that answer with their exit code; their output is shown only if they fail. */
function check(name: string, title: string, ...commands: string[][]): Step {
  const run: Part = async (env, stop) => {
    // Colours are for terminals; what is captured here may end up in a file.
    const plain = { ...env, NO_COLOR: '1', FORCE_COLOR: '0' };
    const counts = { passed: 0, failed: 0 };
    for (const [command = '', ...args] of commands) {
      const { code, output } = await runCaptured(command, args, { env: plain, stop, longestMs });
      if (code !== 0) console.log(`\n  ✗ ${[command, ...args].join(' ')}\n${beginning(output)}\n`);
      counts[code === 0 ? 'passed' : 'failed'] += 1;
    }
    return counts;
  };
  return { name, title, round: 1, files: [], parts: () => [run] };
}

function testing(
  files: readonly string[],
  { only, together = false, longestMs: most = longestMs }: TestingOptions,
): Part {
  const run = together ? runInOneProcess : runTestFiles;
  return (env, stop) => run(files, { env, stop, concurrency: 1, only, longestMs: most + stormMs(env) });
}

interface TestingOptions {
  only: string | undefined;
  /** All in one process. */
  together?: boolean;
  longestMs?: number;
}

/** Deals files out, in turn: neighbours often take about as long. */
function shares(files: readonly string[], count: number): string[][] {
  const dealt = Object.values(Object.groupBy(files, (file) => files.indexOf(file) % count));
  return dealt.filter((share) => share !== undefined);
}

/** How long the storm was told to last, on top of everything else. */
const stormMs = ({ STORM_MINUTES }: NodeJS.ProcessEnv): number => Number(STORM_MINUTES ?? 0) * 60_000;

function filesOf(pattern: string): string[] {
  return globSync(pattern, { exclude: ['**/node_modules/**'] }).sort();
}

function beginning(output: string): string {
  const lines = output.trimEnd().split('\n');
  const more = lines.length - mostLines;
  return more <= 0 ? lines.join('\n') : `${lines.slice(0, mostLines).join('\n')}\n… and ${more} lines more`;
}

function existing(...folders: string[]): string[] {
  return folders.filter((folder) => globSync(folder).length > 0);
}
