import assert from 'node:assert/strict';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { transformSync } from 'esbuild';
import { act, createElement, type FunctionComponent, StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { eventually } from '../../../test/support/eventually.ts';
import { exampleOf } from '../build/readme.ts';
import { inPage } from './page.ts';
import { createPretendNetwork } from './pretend-network.ts';

/** Sets globals while work runs. */
async function withGlobals(values: Record<string, unknown>, work: () => Promise<void>): Promise<void> {
  const page = globalThis as Record<string, unknown>;
  const before = Object.fromEntries(Object.keys(values).map((name) => [name, page[name]]));
  Object.assign(page, values);
  try {
    await work();
  } finally {
    Object.assign(page, before);
  }
}

test('the React example of the README shows conversations, opens one, and sends what is typed', async () => {
  const network = createPretendNetwork();
  network.server.create();
  const fetch: typeof globalThis.fetch = async (address, ...rest) =>
    address === '/chat-token' ? new Response('a token') : network.fetch(address, ...rest);
  const { code } = transformSync(exampleOf('react'), { loader: 'tsx', jsx: 'automatic', format: 'esm' });
  const folder = join(import.meta.dirname, '../../../node_modules/.cache/sdk-react-example');
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `app-${process.pid}.mjs`);
  writeFileSync(file, code);
  await withGlobals({ fetch, WebSocket: network.webSocket }, () =>
    inPage(async (container) => {
      const { App } = (await import(file)) as { App: FunctionComponent };
      const root = createRoot(container);
      await act(async () => root.render(createElement(StrictMode, null, createElement(App))));
      const button = () => container.querySelector('button');
      await act(() => eventually(() => button() !== null));
      await act(async () => button()?.click());
      await act(async () => network.server.otherSends(0, 'other'));
      await act(() => eventually(() => container.querySelectorAll('p').length === 1));
      assert.match(container.textContent ?? '', /1 unread/);
      await act(async () => root.unmount());
    }),
  );
  rmSync(file);
});
