import type { Connection } from '../engine/connection.ts';
import type { Input, ModelEvents, Outcome, State } from '../model/input.ts';
import type { GoChatError } from '../transport/errors.ts';
import { createEmitter, createSubscribers } from './emitter.ts';
import { createViews } from './views.ts';

export interface Events extends ModelEvents {
  connection: Connection;
  /** An error that no promise tells. */
  error: GoChatError;
}

/** How long somebody counts as typing after saying so. */
const typingMs = 6_000;

/** What applications look at and listen to, kept in step with the model. */
export function createSurface(state: State) {
  const emitter = createEmitter<Events>();
  const list = createSubscribers();
  const me = createSubscribers();
  const views = createViews(state);
  const rooms = new Map<string, { notify(): void }>();
  const typists = new Map<string, Map<string, ReturnType<typeof setTimeout>>>();

  function setTyping(id: string, userId: string, ms: number): void {
    const typing = typists.get(id) ?? new Map<string, ReturnType<typeof setTimeout>>();
    if (!typing.has(userId) && ms === 0) return;
    clearTimeout(typing.get(userId));
    if (ms === 0) typing.delete(userId);
    else {
      const timer = setTimeout(() => setTyping(id, userId, 0), ms);
      typing.set(userId, timer);
    }
    if (typing.size === 0) typists.delete(id);
    else typists.set(id, typing);
    views.setTyping(id, [...typing.keys()]);
    rooms.get(id)?.notify();
  }

  return {
    emitter,
    list,
    me,
    views,
    rooms,
    /** Tells what an input changed. */
    show({ changed, events }: Outcome, input?: Input): void {
      for (const id of changed) views.changed(id);
      if (input?.type === 'signed-in') me.notify();
      for (const [type, data] of events) {
        if (type === 'typing') setTyping(data.conversationId, data.userId, typingMs);
        if (type === 'message') setTyping(data.conversationId, data.sender.id, 0);
      }
      if (changed.size > 0) list.notify();
      for (const id of changed) rooms.get(id)?.notify();
      for (const [type, data] of events) emitter.emit(type, data as never);
    },
    /** Says that everything may look different now. */
    reset(): void {
      views.reset();
      list.notify();
      me.notify();
      for (const room of rooms.values()) room.notify();
    },
  };
}

export type Surface = ReturnType<typeof createSurface>;
