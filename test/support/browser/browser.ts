// Room: people who use the web client in Chromium. What they find on the screen they find by role and name, as a screen
// reader does.

import assert from 'node:assert/strict';
import { after } from 'node:test';
import { type Browser, type BrowserContext, chromium, type Locator, type Page } from 'playwright-core';
import { gatewayUrl, newPerson, type Person, password } from '../people/people.ts';

let running: Promise<Browser> | undefined;

/** The browser of a test file; it closes at the end of the file. */
function browser(): Promise<Browser> {
  running ??= chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    // A test's page of another host may frame the gateway on this machine.
    args: ['--no-sandbox', '--disable-dev-shm-usage', '--disable-features=LocalNetworkAccessChecks'],
  });
  return running;
}
after(async () => (await running)?.close());

type ContextOptions = Parameters<Browser['newContext']>[0];

/** A browser profile of somebody, and what went wrong in its pages. */
export interface Desk {
  context: BrowserContext;
  page: Page;
  /** Errors of scripts, and everything that the pages' policy refused. */
  faults: string[];
}

export async function newDesk(options: ContextOptions = {}): Promise<Desk> {
  const context = await (await browser()).newContext({ baseURL: gatewayUrl, locale: 'en-GB', ...options });
  const faults: string[] = [];
  context.on('weberror', (error) => faults.push(String(error.error())));
  context.on('console', (message) => {
    const text = message.text();
    if (message.type() === 'error' && !isOfNetwork(text)) faults.push(text);
  });
  const page = await context.newPage();
  return { context, page, faults };
}

/** The browser reports refused and failed requests by itself; some tests cause them. */
const isOfNetwork = (text: string): boolean =>
  /Failed to load resource|WebSocket connection to|ERR_INTERNET/.test(text);

/** Signs somebody in by the fields on the screen. */
export async function signInAs(page: Page, { user }: Person): Promise<void> {
  await page.goto('/');
  await page.getByRole('textbox', { name: 'Username' }).fill(user.username);
  await page.getByRole('textbox', { name: 'Password' }).fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('navigation', { name: 'Main' }).waitFor();
}

/** Somebody with an account, signed in. */
export async function newUser(
  prefix: string,
  options: ContextOptions = {},
): Promise<Desk & { person: Person }> {
  const [desk, person] = await Promise.all([newDesk(options), newPerson(prefix)]);
  await signInAs(desk.page, person);
  return { ...desk, person };
}

export const open = (page: Page, conversationId: string): Promise<unknown> =>
  page
    .goto(`/#/c/${conversationId}`)
    .then(() => page.getByRole('textbox', { name: 'Message', exact: true }).waitFor());

export async function say(page: Page, text: string): Promise<void> {
  const field = page.getByRole('textbox', { name: 'Message', exact: true });
  await field.fill(text);
  await field.press('Enter');
}

export const log = (page: Page): Locator => page.getByRole('log', { name: 'Messages' });

/** The message with this text. */
export const messageOf = (page: Page, text: string): Locator =>
  log(page).getByRole('article').filter({ hasText: text });

export async function noFaults(...desks: Desk[]): Promise<void> {
  for (const { faults } of desks) assert.deepEqual(faults, []);
}
