import assert from 'node:assert/strict';
import { test } from 'node:test';
import { act, createElement, StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { renderToString } from 'react-dom/server';
import { eventually } from '../../../test/support/eventually.ts';
import { start } from '../testing/client-scene.ts';
import { inPage } from '../testing/page.ts';
import { createPretendNetwork } from '../testing/pretend-network.ts';
import { ChatProvider, useConnection, useConversation, useConversations } from './react.ts';

function startOnPage() {
  const network = createPretendNetwork();
  network.server.create();
  return { network, ...start(network, { storage: undefined }) };
}

const renders = { list: 0, draft: 0, messages: 0 };

function List() {
  renders.list += 1;
  return useConversations().map(({ conversation, unreadCount }) => `${conversation.id}:${unreadCount} `);
}

function Draft() {
  renders.draft += 1;
  return `draft ${useConversation('1').draft} `;
}

function Messages() {
  renders.messages += 1;
  const { messages, room } = useConversation('1');
  return `${room.id} has ${messages.length}, ${useConnection().state}`;
}

function State() {
  return `${useConversations().length} conversations, ${useConnection().state}`;
}

test('components show the conversations, and render again only when what they read has changed', async () => {
  const { network, client } = startOnPage();
  const screen = createElement(
    ChatProvider,
    { client },
    createElement(List),
    createElement(Draft),
    createElement(Messages),
  );
  await inPage(async (container) => {
    const root = createRoot(container);
    await act(async () => root.render(createElement(StrictMode, null, screen)));
    await act(() => eventually(() => client.connection.get().state === 'online'));
    assert.equal(container.textContent, '1:0 draft  1 has 0, online');
    assert.equal(network.sockets(), 1);
    const before = { ...renders };
    await act(async () => network.server.otherSends(0, 'other'));
    await act(() => eventually(() => client.conversation('1').get().messages.length === 1));
    assert.equal(container.textContent, '1:1 draft  1 has 1, online');
    assert.equal(renders.draft, before.draft, 'no message concerns it');
    await act(async () => client.conversation('1').draft.set('half'));
    assert.equal(container.textContent, '1:1 draft half 1 has 1, online');
    await act(async () => root.unmount());
    await eventually(() => client.connection.get().state === 'offline');
  });
});

test('on a server it renders without connecting', () => {
  const { network, client } = startOnPage();
  const html = renderToString(createElement(ChatProvider, { client }, createElement(State)));
  assert.equal(html, '0 conversations, connecting');
  assert.deepEqual([network.calls, network.sockets()], [[], 0]);
});
