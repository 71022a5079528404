import {
  createContext,
  createElement,
  type FunctionComponentElement,
  type ProviderProps,
  type ReactNode,
  useCallback,
  useContext,
  useEffect,
  useRef,
  useSyncExternalStore,
} from 'react';
import type { Room } from './api/room.ts';
import type { ConversationItem, RoomSnapshot } from './api/views.ts';
import type { Client } from './client.ts';
import type { Connection } from './engine/connection.ts';

const Context = createContext<Client | undefined>(undefined);

/** Connects the client while it is on the screen, and hands it to the components inside. */
export function ChatProvider(props: {
  client: Client;
  children?: ReactNode;
}): FunctionComponentElement<ProviderProps<Client | undefined>> {
  const { client, children } = props;
  useEffect(() => {
    // How it goes is shown by useConnection.
    client.connect().catch(() => {});
    return () => void client.disconnect();
  }, [client]);
  return createElement(Context.Provider, { value: client }, children);
}

export function useClient(): Client {
  const client = useContext(Context);
  if (!client) throw new Error('useClient is used outside of a ChatProvider.');
  return client;
}

/** The conversations in the order of the list. */
export function useConversations(): readonly ConversationItem[] {
  const { get, subscribe } = useClient().conversations;
  return useSyncExternalStore(subscribe, get, get);
}

export function useConnection(): Connection {
  const { get, subscribe } = useClient().connection;
  return useSyncExternalStore(subscribe, get, get);
}

/** What a conversation shows, and `room` to act in it. */
export type ConversationView = RoomSnapshot & { readonly room: Room };

/** A conversation. The component renders again only when a field changes that it has read. */
export function useConversation(id: string): ConversationView {
  const room = useClient().conversation(id);
  const last = useRef<{
    room: Room;
    snapshot: RoomSnapshot;
    read: Set<keyof RoomSnapshot>;
    view: ConversationView;
  }>(undefined);
  const get = useCallback(() => {
    const snapshot = room.get();
    const before = last.current;
    if (
      before?.room === room &&
      [...before.read].every((key) => Object.is(snapshot[key], before.snapshot[key]))
    ) {
      return before.view;
    }
    const read = before?.room === room ? before.read : new Set<keyof RoomSnapshot>();
    const view = createView(room, snapshot, read);
    last.current = { room, snapshot, read, view };
    return view;
  }, [room]);
  return useSyncExternalStore(room.subscribe, get, get);
}

/** Ids of the users who are typing in a conversation. */
export const useTyping = (id: string): readonly string[] => useConversation(id).typing;

/** A snapshot that notes which of its fields are read. */
function createView(room: Room, snapshot: RoomSnapshot, read: Set<keyof RoomSnapshot>): ConversationView {
  return new Proxy(
    { ...snapshot, room },
    {
      get(fields, key: keyof ConversationView) {
        if (key in snapshot) read.add(key as keyof RoomSnapshot);
        return fields[key];
      },
    },
  );
}
