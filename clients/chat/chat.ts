// Room: a client for the terminal, on the SDK alone: for people line by line, for programs as JSON lines. It knows nothing of
// the server but what the SDK tells.

import { parseArgs } from 'node:util';
import { createCall, createClient, GoChatError, type Session } from '@gochat/sdk';
import { runJson } from './json.ts';
import { askHidden } from './password.ts';
import { runScreen } from './screen.ts';

const usage = `npm run chat -- --as NAME [--url http://127.0.0.1:8080] [--json]

Signs in, or makes the account if there is none with this name. The password comes from GOCHAT_PASSWORD or is asked for.
With --json it reads commands and writes events as JSON lines.`;

/** Runs until the user quits. Returns the exit code: 1 also if a message was not stored. */
export async function chat(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      as: { type: 'string' },
      url: { type: 'string' },
      json: { type: 'boolean' },
      help: { type: 'boolean' },
    },
  });
  const { as: username, json = false } = values;
  const url = values.url ?? process.env.GATEWAY_URL ?? 'http://127.0.0.1:8080';
  if (username === undefined || values.help) {
    console.log(usage);
    return values.help ? 0 : 1;
  }
  try {
    const password = process.env.GOCHAT_PASSWORD ?? (await askHidden(`Password of ${username}: `));
    const session = await signIn(url, username, password);
    const client = createClient({ url, credentials: { session }, storage: undefined });
    await client.connect();
    const allStored = await (json ? runJson(client) : runScreen(client));
    await client.disconnect();
    return allStored ? 0 : 1;
  } catch (error) {
    if (!(error instanceof GoChatError)) throw error;
    const { code, message } = error;
    console.log(json ? JSON.stringify({ type: 'error', code, message }) : message);
    return 1;
  } finally {
    // Open input would keep the process alive.
    process.stdin.destroy();
  }
}

/** Signs in, or registers if nobody has the name. */
async function signIn(url: string, username: string, password: string): Promise<Session> {
  const call = createCall({ url });
  const body = { username, password };
  try {
    return await call('POST /auth/login', { body });
  } catch (refusal) {
    if (codeOf(refusal) !== 'UNAUTHENTICATED') throw refusal;
    try {
      return await call('POST /auth/register', { body });
    } catch (error) {
      // The name has an account, so the password was wrong.
      throw codeOf(error) === 'USERNAME_TAKEN' ? refusal : error;
    }
  }
}

const codeOf = (error: unknown) => (error instanceof GoChatError ? error.code : undefined);
