import type { Input, Outcome, State } from '../model/input.ts';
import { type Failure, type Outgoing, type OutgoingStatus, sendOf } from '../model/outgoing.ts';
import { GoChatError } from '../transport/errors.ts';
import type { Message } from '../wire/wire.ts';

export interface SendState {
  status: OutgoingStatus | 'sent';
  message?: Message;
  error?: GoChatError;
}

/** A message on its way. */
export interface Sent {
  readonly clientMsgId: string;
  /** Resolves when the message is kept on this device: from then on it survives a crash. */
  readonly saved: Promise<void>;
  /** Resolves when the server has stored the message; rejects if it never will, unless it is retried. */
  readonly stored: Promise<Message>;
  get(): SendState;
  /** Sends a failed message again. `stored` is a new promise then. */
  retry(): void;
  /** Takes the message out of the outbox. One that is under way may still arrive. */
  discard(): void;
}

type Dispatch = (input: Input) => Promise<void>;

interface Waiting {
  resolve(message: Message): void;
  reject(error: GoChatError): void;
}

export function createSends(deps: { state: State; dispatch: Dispatch }) {
  const { state, dispatch } = deps;
  /** Who waits for what becomes of a send. */
  const waiting = new Map<string, Waiting[]>();

  /** The handle of a send, new or from an earlier run. */
  function handle(clientMsgId: string, saved: Promise<void> = Promise.resolve()): Sent {
    let message: Message | undefined;
    let discarded = false;
    let stored: Promise<Message>;
    const find = () => sendOf(state.outbox, clientMsgId);
    const watch = (failure?: Failure) => {
      stored = new Promise((resolve, reject) => {
        if (failure) reject(errorOf(failure));
        else waiting.set(clientMsgId, [...(waiting.get(clientMsgId) ?? []), { resolve, reject }]);
      });
      stored.then(
        (one) => {
          message = one;
        },
        () => {},
      );
    };
    watch(find()?.failure);
    saved.catch(() => {});
    return {
      clientMsgId,
      saved,
      get stored() {
        return stored;
      },
      get() {
        if (message) return { status: 'sent', message };
        const outgoing = find();
        if (outgoing?.failure) return { status: 'failed', error: errorOf(outgoing.failure) };
        if (outgoing) return { status: outgoing.status };
        return discarded ? { status: 'failed', error: errorOf(discard) } : { status: 'queued' };
      },
      retry() {
        if (!find()?.failure) return;
        dispatch({ type: 'send', clientMsgId, status: 'queued' }).catch(() => {});
        watch();
      },
      discard() {
        if (message) return;
        discarded = true;
        dispatch({ type: 'discarded', clientMsgId }).catch(() => {});
      },
    };
  }

  function settle(clientMsgId: string, how: (one: Waiting) => void): void {
    waiting.get(clientMsgId)?.forEach(how);
    waiting.delete(clientMsgId);
  }

  return {
    send: (outgoing: Outgoing): Sent => handle(outgoing.clientMsgId, dispatch({ type: 'queued', outgoing })),
    handle,
    /** Settles the promises that an input decides. */
    applied({ stored }: Outcome, input?: Input): void {
      for (const { clientMsgId, message } of stored) settle(clientMsgId, (one) => one.resolve(message));
      const failure =
        input?.type === 'send' ? input.failure : input?.type === 'discarded' ? discard : undefined;
      if (failure && input && 'clientMsgId' in input) {
        settle(input.clientMsgId, (one) => one.reject(errorOf(failure)));
      }
    },
  };
}

export type Sends = ReturnType<typeof createSends>;

const errorOf = ({ code, message }: Failure): GoChatError => new GoChatError(code, message);
const discard: Failure = { code: 'DISCARDED', message: 'It was discarded.' };
