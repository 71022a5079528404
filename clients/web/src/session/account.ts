import type { Session } from '@gochat/sdk';

const key = 'gochat.account';
/** In the tab's own storage: a session that has just begun, until the SDK has stored it. */
const newKey = 'gochat.new-session';

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
    storeNew(JSON.stringify(session));
    write(text);
  },
  clear(): void {
    storeNew(null);
    write(null);
  },
  /** The SDK is online, so it will have stored the tokens in a moment. Until then a reload would sign one out. */
  online: (): void => void setTimeout(() => storeNew(null), storedWithinMs),
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
const storedWithinMs = 2000;
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
    const begun = newSession();
    if (begun?.sessionId === sessionId) return begun;
    return { user, sessionId, accessToken: '', refreshToken: '', expiresIn: 0 };
  } catch {
    return undefined;
  }
}

/** A session that began in this tab a moment ago. */
function newSession(): Session | undefined {
  const text = sessionStorage.getItem(newKey);
  return text === null ? undefined : (JSON.parse(text) as Session);
}

function storeNew(text: string | null): void {
  try {
    if (text === null) sessionStorage.removeItem(newKey);
    else sessionStorage.setItem(newKey, text);
  } catch {
    // A browser that lets a page store nothing keeps nobody signed in over a reload.
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
