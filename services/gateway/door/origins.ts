/** The origins whose pages may call from a browser, in addition to the gateway's own origin. */
export type Origins = {
  /** all: every origin is allowed, and gets the same CORS headers. */
  kind: 'none' | 'listed' | 'all';
  /** True if pages of this origin may call. */
  allows(origin: string): boolean;
  /** The origins as a policy names them: separated by spaces, or `*`. */
  text: string;
};

/** Parses ALLOWED_ORIGINS. Throws an Error with a sentence if an entry is not an origin. */
export function parseOrigins(text: string): Origins {
  const parts = text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
  if (parts.includes('*')) {
    if (parts.length > 1) throw wrong('takes * alone, or a list of origins');
    return { kind: 'all', allows: () => true, text: '*' };
  }
  const listed = new Set(parts.map(checkedOrigin));
  return {
    kind: listed.size === 0 ? 'none' : 'listed',
    allows: (origin) => listed.has(normalised(origin)),
    text: [...listed].join(' '),
  };
}

function checkedOrigin(text: string): string {
  // Apps use schemes of their own (capacitor://localhost). A path, query or user never occurs in an Origin header.
  if (!/^[a-z][a-z0-9+.-]*:\/\/[^\s/?#@*]+$/i.test(text) || !URL.canParse(text)) {
    throw wrong(`takes origins like https://chat.example.com, without a path, not "${text}"`);
  }
  return normalised(text);
}

/** An origin as browsers send it: in lower case, without the default port of its scheme. */
function normalised(origin: string): string {
  if (!URL.canParse(origin)) return origin.toLowerCase();
  const parsed = new URL(origin).origin;
  // URL returns the origin 'null' for schemes other than the web's.
  return parsed === 'null' ? origin.toLowerCase() : parsed;
}

/** True if an origin names the host that the request was sent to. The schemes may differ: a proxy may terminate TLS. */
export function isOwnOrigin(origin: string, host: string | undefined): boolean {
  if (host === undefined || !URL.canParse(origin)) return false;
  const page = new URL(origin);
  if (page.protocol !== 'http:' && page.protocol !== 'https:') return false;
  const here = `${page.protocol}//${host}`;
  return URL.canParse(here) && new URL(here).host === page.host;
}

const wrong = (predicate: string): Error => new Error(`configuration: ALLOWED_ORIGINS ${predicate}`);
