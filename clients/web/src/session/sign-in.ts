// Room: who is signed in on this device, and how that begins and ends. What a signed-in user sees is elsewhere.

import { GoChatError, type Session } from '@gochat/sdk';

/** The gateway that served this page. */
export const gatewayUrl: string = location.origin;

type Fields = { username: string; password: string };

export const signIn = (fields: Fields): Promise<Session> => begin('/auth/login', fields);
export const createAccount = (fields: Fields): Promise<Session> => begin('/auth/register', fields);
export const continueAsGuest = (): Promise<Session> => begin('/auth/guest', {});
/** Exchanges a token of the product that embeds this client. */
export const exchange = (token: string): Promise<Session> => begin('/auth/exchange', { token });

/** Rejects with a GoChatError. */
async function begin(path: string, body: object): Promise<Session> {
  const response = await fetch(new URL(path, gatewayUrl), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  }).catch(() => {
    throw new GoChatError('UNAVAILABLE', '', true);
  });
  const answer = await response.json().catch(() => ({}));
  if (response.ok) return answer;
  throw new GoChatError(
    answer.code ?? 'UNAVAILABLE',
    sentences(answer) ?? answer.detail ?? '',
    response.status >= 500,
  );
}

/** What is wrong with which field, if the answer says so. */
function sentences({ errors }: { errors?: { path: string; message: string }[] }): string | undefined {
  if (!errors || errors.length === 0) return undefined;
  return errors.map(({ path, message }) => `${path}: ${message}`).join('. ');
}
