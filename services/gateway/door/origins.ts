/** Whose pages may call from a browser, besides the gateway's own. */
export type Origins = {
  /** all: every origin may, and the answer is the same for each of them. */
  kind: 'none' | 'listed' | 'all';
  /** Whether a page of this origin may. */
  allows(origin: string): boolean;
};

/** Reads ALLOWED_ORIGINS. Throws a sentence where something in it is no origin. */
export function parseOrigins(text: string): Origins {
  const parts = text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
  if (parts.includes('*')) {
    if (parts.length > 1) throw wrong('takes * alone, or a list of origins');
    return { kind: 'all', allows: () => true };
  }
  const listed = new Set(parts.map(checkedOrigin));
  return { kind: listed.size === 0 ? 'none' : 'listed', allows: (origin) => listed.has(normal(origin)) };
}

function checkedOrigin(text: string): string {
  // Apps have schemes of their own (capacitor://localhost); a path, a query or a user would never match.
  if (!/^[a-z][a-z0-9+.-]*:\/\/[^\s/?#@*]+$/i.test(text) || !URL.canParse(text)) {
    throw wrong(`takes origins like https://chat.example.com, without a path, not "${text}"`);
  }
  return normal(text);
}

/** In the spelling in which browsers send it: lower case, without the scheme's own port. */
function normal(origin: string): string {
  if (!URL.canParse(origin)) return origin.toLowerCase();
  const parsed = new URL(origin).origin;
  // Of schemes that are not the web's, URL knows no origin.
  return parsed === 'null' ? origin.toLowerCase() : parsed;
}

/** Whether an origin is the host that the request was sent to. A proxy may have ended TLS, so schemes may differ. */
export function isOwnOrigin(origin: string, host: string | undefined): boolean {
  if (host === undefined || !URL.canParse(origin)) return false;
  const page = new URL(origin);
  if (page.protocol !== 'http:' && page.protocol !== 'https:') return false;
  const here = `${page.protocol}//${host}`;
  return URL.canParse(here) && new URL(here).host === page.host;
}

const wrong = (predicate: string): Error => new Error(`configuration: ALLOWED_ORIGINS ${predicate}`);
