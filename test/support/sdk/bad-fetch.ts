import { createRandom } from '../../../bench/measure/random.ts';

/** Sessions seem to last so long while the network is bad: clients refresh their tokens all the time. */
const shortSeconds = 6;
const refusal = '{"code":"UNAUTHENTICATED","detail":"The token has expired."}';

/**
 * A `fetch` that now and then loses a request or its answer, or finds the access token expired. `isBad` turns it on and
 * off.
 */
export function badFetch(seed: number, isBad: () => boolean): typeof globalThis.fetch {
  const random = createRandom(seed);
  const chance = (share: number) => isBad() && random.next() < share;

  return async (...request) => {
    const url = String(request[0]);
    if (chance(0.04)) throw new TypeError('the request was lost');
    if (!url.includes('/auth/') && chance(0.02)) return new Response(refusal, { status: 401 });
    const response = await fetch(...request);
    if (chance(0.04)) throw new TypeError('the answer was lost');
    if (!url.includes('/auth/') || !response.ok || !isBad()) return response;
    const session = JSON.parse(await response.text());
    return Response.json({ ...session, expiresIn: shortSeconds }, { status: response.status });
  };
}
