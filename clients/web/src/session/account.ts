import type { Session } from '@gochat/sdk';

const key = 'gochat.account';

/**
 * Who is signed in on this device, for all its tabs: the session without its tokens, which only the SDK's storage keeps.
 * With it the SDK finds what it has stored.
 */
export const account = {
  get(): Session | undefined {
    const text = read();
    if (text !== lastText) {
      lastText = text;
      last = parse(text);
    }
    return last;
  },
  set(session: Session): void {
    const { user, sessionId } = session;
    const text = JSON.stringify({ user, sessionId });
    // The page that has begun the session hands its tokens to the SDK.
    lastText = text;
    last = session;
    write(text);
  },
  clear: (): void => write(null),
  /** The user signs out here: the end of the session needs no word. */
  leave(): void {
    leaving = true;
  },
  isLeaving(): boolean {
    const was = leaving;
    leaving = false;
    return was;
  },
  /** Other tabs sign in and out, too. */
  subscribe(onChange: () => void): () => void {
    const heard = (event: StorageEvent) => {
      if (event.key !== key && event.key !== null) return;
      // The tab that has signed in comes first, since it alone has the tokens.
      if (event.newValue === null) onChange();
      else setTimeout(onChange, takeOverMs);
    };
    addEventListener('storage', heard);
    listeners.add(onChange);
    return () => {
      removeEventListener('storage', heard);
      listeners.delete(onChange);
    };
  },
};

const takeOverMs = 1500;
const listeners = new Set<() => void>();
let lastText: string | null = null;
let last: Session | undefined;
let leaving = false;
/** For browsers that let a page store nothing. */
let unstored: string | null = null;

function parse(text: string | null): Session | undefined {
  if (text === null) return undefined;
  try {
    const { user, sessionId } = JSON.parse(text) as Session;
    return { user, sessionId, accessToken: '', refreshToken: '', expiresIn: 0 };
  } catch {
    return undefined;
  }
}

function read(): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return unstored;
  }
}

function write(text: string | null): void {
  try {
    if (text === null) localStorage.removeItem(key);
    else localStorage.setItem(key, text);
  } catch {
    unstored = text;
  }
  for (const listener of listeners) listener();
}
