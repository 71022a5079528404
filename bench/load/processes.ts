import { type ChildProcess, fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import type { AnswerMessage, CommandMessage, CommandName, LoadCommands } from './commands.ts';

type Input<N extends CommandName> = Parameters<LoadCommands[N]>[0];
type Value<N extends CommandName> = Awaited<ReturnType<LoadCommands[N]>>;

export type LoadProcess = {
  pid: number;
  call<N extends CommandName>(name: N, input: Input<N>): Promise<Value<N>>;
};

export type LoadProcesses = {
  all: LoadProcess[];
  /**
   * Sends a command to all processes at the same time, with an input for each; returns the answers in their order.
   */
  callEach<N extends CommandName>(
    name: N,
    inputOf: (process: LoadProcess, index: number) => Input<N>,
  ): Promise<Value<N>[]>;
  end(): Promise<void>;
};

const main = fileURLToPath(new URL('./main.ts', import.meta.url));

/** Starts load processes, so that the load does not share an event loop with the measurement. */
export function startLoadProcesses(count: number): LoadProcesses {
  const runId = randomBytes(4).toString('hex');
  const children = Array.from({ length: count }, (_, index) => startOne(`${runId}${index}`));
  const all = children.map(({ process }) => process);
  return {
    all,
    callEach: (name, inputOf) =>
      Promise.all(all.map((process, index) => process.call(name, inputOf(process, index)))),
    end: async () => {
      await Promise.all(children.map(({ end }) => end()));
    },
  };
}

function startOne(runId: string): { process: LoadProcess; end: () => Promise<void> } {
  const child = fork(main, [runId], { serialization: 'advanced' });
  const waiting = new Map<number, { resolve: (value: never) => void; reject: (error: Error) => void }>();
  let calls = 0;
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.on('message', (answer: AnswerMessage) => {
    const call = waiting.get(answer.id);
    waiting.delete(answer.id);
    if ('error' in answer) call?.reject(new Error(answer.error));
    else call?.resolve(answer.value as never);
  });
  child.once('exit', (code) => {
    for (const call of waiting.values()) call.reject(new Error(`a load process ended with ${code}`));
    waiting.clear();
  });
  return {
    process: {
      pid: pidOf(child),
      call(name, input) {
        calls += 1;
        const message: CommandMessage = { id: calls, name, input };
        return new Promise((resolve, reject) => {
          waiting.set(message.id, { resolve, reject });
          child.send(message);
        });
      },
    },
    end: async () => {
      if (child.connected) child.disconnect();
      await gone;
    },
  };
}

function pidOf(child: ChildProcess): number {
  if (child.pid === undefined) throw new Error('a load process could not be started');
  return child.pid;
}
