// Room: the client inside a page of another product: it gets tokens from that page, and tells it what it needs.

import type { SignInReason } from '@gochat/sdk';

/** What the embedding page sends. */
interface TokenMessage {
  type: 'gochat:token';
  token: string;
}

const isTokenMessage = (data: unknown): data is TokenMessage =>
  typeof data === 'object' &&
  data !== null &&
  (data as TokenMessage).type === 'gochat:token' &&
  typeof (data as TokenMessage).token === 'string';

/** The origins that may embed this page, as the gateway has written them into it. The browser enforces the same list. */
function isAllowed(origin: string): boolean {
  const named =
    document.querySelector<HTMLMetaElement>('meta[name="gochat-origins"]')?.content.split(' ') ?? [];
  return named.includes('*') || named.includes(origin) || origin === location.origin;
}

/** Nothing secret goes to the embedding page, so it need not be known yet. */
const tell = (message: object) => parent.postMessage(message, '*');

/** Tokens of the product, as the embedding page gives them. */
export function createProductTokens() {
  let unused: string | undefined;
  let waiting: ((token: string) => void)[] = [];

  addEventListener('message', ({ data, origin, source }) => {
    if (source !== parent || !isAllowed(origin) || !isTokenMessage(data)) return;
    const asked = waiting;
    waiting = [];
    if (asked.length === 0) unused = data.token;
    for (const resolve of asked) resolve(data.token);
  });
  tell({ type: 'gochat:ready' });

  return {
    /** The next token. The page is asked for one, except for the first: `gochat:ready` asks for it. */
    next({ reason }: { reason: SignInReason['reason'] | 'ended' }): Promise<string> {
      const token = unused;
      unused = undefined;
      if (token !== undefined) return Promise.resolve(token);
      if (reason !== 'sign-in') tell({ type: 'gochat:token-needed', reason });
      return new Promise((resolve) => waiting.push(resolve));
    },
    /** Puts back a token that was waited for to know when to begin anew. */
    keep(token: string): void {
      unused = token;
    },
  };
}

export type ProductTokens = ReturnType<typeof createProductTokens>;
