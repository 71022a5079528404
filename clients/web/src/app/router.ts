import { useSyncExternalStore } from 'react';

/** What the address shows. */
export type Place =
  | { screen: 'chats'; conversationId?: string; seq?: number }
  | { screen: 'people' }
  | { screen: 'settings' };

/** Reads `#/c/<conversationId>?seq=12`, `#/people` and `#/settings`. */
export function parsePlace(hash: string): Place {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?');
  const [first = '', second = ''] = path.split('/');
  if (first === 'people') return { screen: 'people' };
  if (first === 'settings') return { screen: 'settings' };
  if (first !== 'c' || second === '') return { screen: 'chats' };
  const seq = Number(new URLSearchParams(query).get('seq') ?? Number.NaN);
  const conversationId = decoded(second);
  return Number.isSafeInteger(seq) && seq > 0
    ? { screen: 'chats', conversationId, seq }
    : { screen: 'chats', conversationId };
}

export const usePlace = (): Place => parsePlace(useSyncExternalStore(subscribe, getHash));

const getHash = () => location.hash;

function subscribe(onChange: () => void): () => void {
  addEventListener('hashchange', onChange);
  return () => removeEventListener('hashchange', onChange);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
