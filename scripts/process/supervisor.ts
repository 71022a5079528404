// Room: child processes: how they are started, watched, ended and identified. No code for a particular program may
// come in.

import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createBackOff } from './back-off.ts';
import { Problem } from './problem.ts';
import { identify } from './process-identity.ts';
import { tiedToUs } from './program.ts';
import { type RunFile, removeRunFile, supervisorName, writeRunFile } from './run-file.ts';

export interface ProcessSpec {
  name: string;
  command: string;
  args: string[];
  env: NodeJS.ProcessEnv;
  cwd?: string;
  /** Checks once whether the process can work; called until it returns true. */
  isReady(): Promise<boolean>;
  readyWithinMs: number;
  /** The time between SIGTERM and SIGKILL. */
  stopWithinMs: number;
  /** True: its output goes to the terminal instead of its log file. */
  inTerminal?: boolean;
  /** The start fails after this many deaths before the process was ready once. */
  startAttempts: number;
}

export interface Supervisor {
  /** Starts a process and resolves when it is ready. From then on it is restarted whenever it dies. */
  start(spec: ProcessSpec): Promise<void>;
  stop(name: string): Promise<void>;
  logFile(name: string): string;
  /** Refuses every later start, so that a start in progress cannot outlive the stop. */
  refuseStarts(): void;
  /** Removes run.json. Call it after all processes have stopped. */
  forget(): void;
}

interface Supervised {
  spec: ProcessSpec;
  child: ChildProcess | undefined;
  stopping: boolean;
  everReady: boolean;
  deaths: number;
  exited: Promise<void>;
  /** Set if the process died too often before it was ready once. */
  failure: Problem | undefined;
}

const probeEveryMs = 100;
const maxLogBytes = 20 << 20;

export function createSupervisor(home: string, say: (line: string) => void): Supervisor {
  const logs = join(home, 'logs');
  const processes = new Map<string, Supervised>();
  const run: RunFile = {};
  let closed = false;

  const logFile = (name: string) => join(logs, `${name}.log`);

  /** Runs the process and restarts it whenever it dies, until it is stopped or has failed to start. */
  async function keepAlive(entry: Supervised): Promise<void> {
    const { spec } = entry;
    const backOff = createBackOff();
    for (;;) {
      const startedAt = Date.now();
      const cause = await runOnce(entry);
      if (entry.stopping) return;
      entry.deaths += 1;
      if (!entry.everReady && entry.deaths >= spec.startAttempts) {
        entry.failure = failedStart(spec, cause);
        return;
      }
      const delay = backOff.next(Date.now() - startedAt);
      const where = spec.inTerminal ? '' : `, its log is ${logFile(spec.name)}`;
      say(`${spec.name} died (${cause}); starting it again in ${delay} ms${where}`);
      await sleep(delay);
      if (entry.stopping) return;
    }
  }

  /** Runs the process once; resolves to the cause of its end. */
  async function runOnce(entry: Supervised): Promise<string> {
    const child = spawnDetached(entry.spec, logFile(entry.spec.name));
    entry.child = child;
    const exited = new Promise<string>((resolve) => {
      child.once('error', (error) => resolve(error.message));
      child.once('exit', (code, signal) => resolve(signal ?? `exit code ${code}`));
    });
    await remember(entry);
    const cause = await exited;
    entry.child = undefined;
    return cause;
  }

  /** Adds the process to run.json, so that the next start can end it if this supervisor is killed. */
  async function remember(entry: Supervised): Promise<void> {
    const pid = entry.child?.pid;
    const identity = pid === undefined ? undefined : await identify(pid);
    if (identity === undefined) return;
    const own = await identify(process.pid);
    if (own !== undefined) run[supervisorName] = { ...own, restarts: 0 };
    run[entry.spec.name] = { ...identity, restarts: entry.deaths };
    writeRunFile(home, run);
  }

  function failedStart({ name, inTerminal }: ProcessSpec, cause: string): Problem {
    if (inTerminal) return new Problem(`${name} could not start (${cause}); what it printed says why.`);
    return new Problem(
      `${name} could not start (${cause}); the end of ${logFile(name)} says why:`,
      lastLines(logFile(name)),
    );
  }

  return {
    logFile,

    async start(spec) {
      if (closed) return;
      mkdirSync(logs, { recursive: true });
      rotate(logFile(spec.name));
      const entry: Supervised = {
        spec,
        child: undefined,
        stopping: false,
        everReady: false,
        deaths: 0,
        exited: Promise.resolve(),
        failure: undefined,
      };
      processes.set(spec.name, entry);
      entry.exited = keepAlive(entry);

      const deadline = Date.now() + spec.readyWithinMs;
      while (!(await spec.isReady())) {
        if (entry.failure !== undefined) throw entry.failure;
        if (entry.stopping) return;
        if (Date.now() > deadline) throw failedStart(spec, `not ready after ${spec.readyWithinMs / 1000} s`);
        await sleep(probeEveryMs);
      }
      entry.everReady = true;
    },

    async stop(name) {
      const entry = processes.get(name);
      if (entry === undefined) return;
      entry.stopping = true;
      await endChild(entry);
      processes.delete(name);
      delete run[name];
      writeRunFile(home, run);
    },

    refuseStarts() {
      closed = true;
    },

    forget() {
      removeRunFile(home);
    },
  };
}

/**
 * Starts a child in a session of its own, so that Ctrl-C reaches only the supervisor, which stops all processes in
 * order. If the supervisor is killed, the kernel ends the child; where it cannot, the next start finds the child in
 * run.json.
 */
function spawnDetached(spec: ProcessSpec, logFile: string): ChildProcess {
  const log = spec.inTerminal ? 'inherit' : openSync(logFile, 'a');
  const [command, args] = tiedToUs(spec.command, spec.args);
  const child = spawn(command, args, {
    detached: true,
    stdio: ['ignore', log, log],
    env: spec.env,
    ...(spec.cwd === undefined ? {} : { cwd: spec.cwd }),
  });
  if (log !== 'inherit') closeSync(log);
  return child;
}

async function endChild(entry: Supervised): Promise<void> {
  const { child, spec } = entry;
  if (child === undefined) return;
  child.kill('SIGTERM');
  const killer = setTimeout(() => child.kill('SIGKILL'), spec.stopWithinMs);
  await entry.exited;
  clearTimeout(killer);
}

function rotate(path: string): void {
  if (existsSync(path) && statSync(path).size > maxLogBytes) renameSync(path, `${path}.1`);
}

/** The last lines of a log, by default 25. */
export function lastLines(path: string, lines = 25): string {
  try {
    return readFileSync(path, 'utf8').trimEnd().split('\n').slice(-lines).join('\n');
  } catch {
    return '(the log is empty)';
  }
}
