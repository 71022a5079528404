import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { memoryStorage } from '@gochat/sdk/memory';
import type { Person } from '../people/people.ts';
import { password } from '../people/people.ts';
import { createActor, type Order, type Picture, type Report, type Setting } from './actor.ts';

/** A person's client over all its runs: what it was told, and which of its messages must not get lost. */
export interface Device {
  readonly person: Person;
  /** The seqIds that it was told, in that order, by conversation. */
  readonly told: Map<string, number[]>;
  /** The clientMsgIds of messages that were kept, in the order of sending, by conversation. */
  readonly saved: Map<string, string[]>;
  readonly refused: Map<string, string>;
  /** How many runs ended without the client's knowing. */
  crashes: number;
  obey(order: Order): Promise<void>;
  picture(): Promise<Picture>;
  /** Ends the client, as a crash where it is a process, and starts it with what it has stored. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

interface Run {
  obey(order: Order): Promise<void>;
  end(): Promise<void>;
}

export function createDevice(options: {
  person: Person;
  url: string;
  seed: number;
  /** The file to store in, as a process of its own. Without one the device stores in memory, in this process. */
  file?: string | undefined;
}): Device {
  const { person, url, file } = options;
  const told = new Map<string, number[]>();
  const saved = new Map<string, string[]>();
  const refused = new Map<string, string>();
  const shown = new Map<number, (picture: Picture) => void>();
  const storage = memoryStorage();
  let runs = 0;
  let lastNumber = 0;
  let isBad = true;
  let run = start();

  function start(): Run {
    runs += 1;
    const seed = options.seed + 1000 * runs;
    const setting: Setting = { url, username: person.user.username, password, seed };
    if (file === undefined) {
      const { client, obey } = createActor(setting, storage, hear);
      return { obey, end: () => client.disconnect() };
    }
    return startProcess(setting, file, hear);
  }

  function hear(report: Report): void {
    switch (report.type) {
      case 'told':
        told.set(report.conversationId, [...(told.get(report.conversationId) ?? []), report.seqId]);
        return;
      case 'saved':
        saved.set(report.conversationId, [...(saved.get(report.conversationId) ?? []), report.clientMsgId]);
        return;
      case 'refused':
        refused.set(report.clientMsgId, report.code);
        return;
      case 'shown':
        shown.get(report.number)?.(report.picture);
        shown.delete(report.number);
    }
  }

  const device: Device = {
    person,
    told,
    saved,
    refused,
    crashes: 0,
    async obey(order) {
      if (order.do === 'behave') isBad = order.bad;
      await run.obey(order);
    },
    picture() {
      lastNumber += 1;
      const number = lastNumber;
      const picture = new Promise<Picture>((resolve) => shown.set(number, resolve));
      run.obey({ do: 'show', number }).catch(() => {});
      return picture;
    },
    async restart() {
      if (file !== undefined) device.crashes += 1;
      await run.end();
      run = start();
      await run.obey({ do: 'behave', bad: isBad });
    },
    close: () => run.end(),
  };
  return device;
}

function startProcess(setting: Setting, file: string, hear: (report: Report) => void): Run {
  const program = join(import.meta.dirname, 'actor-process.ts');
  const child: ChildProcess = spawn(process.execPath, [program, JSON.stringify(setting), file], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const { stdin, stdout } = child;
  if (!stdin || !stdout) throw new Error('the process has no input or output');
  // What is written to a process that was killed goes nowhere.
  stdin.on('error', () => {});
  const over = once(child, 'close');
  createInterface({ input: stdout }).on('line', (line) => {
    // A kill may cut off the last line.
    if (line.endsWith('}')) hear(JSON.parse(line) as Report);
  });
  return {
    async obey(order) {
      stdin.write(`${JSON.stringify(order)}\n`);
    },
    async end() {
      child.kill('SIGKILL');
      await over;
    },
  };
}
