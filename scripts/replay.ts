import { randomBytes } from 'node:crypto';
import { basename } from 'node:path';
import { parseArgs } from 'node:util';
import { createCall } from '../clients/sdk/src/transport/api.ts';
import type { Message, Session } from '../clients/sdk/src/wire/wire.ts';
import { readChatLog, usernamesFor } from './replay/chat-log.ts';
import { createLedger } from './replay/ledger.ts';
import { createParticipant, type Participant } from './replay/participant.ts';

/**
 * Replays a chat log on a running system. Every nick becomes a registered user with a socket, and all of them form
 * one group. Joins and leaves become connects and disconnects. Each line is sent as soon as the one before it is
 * acknowledged. The script then checks that every line reached each present user byte for byte, exactly once and in
 * order, and that the stored history equals the log. Exit code 1: something is missing, duplicated or different.
 */
const usage = `npm run replay -- FILE.jsonl [--gateway http://127.0.0.1:8080[,http://127.0.0.1:8081]]
  FILE.jsonl   one {"event": "say"|"join"|"leave", "nick": …, "text": …} a line
  --gateway    where the system is; with several, the nicks are spread over them (GATEWAY_URL)`;

const parallelRegistrations = 4;
const maxMembersPerCall = 1000;
const messagesPerPage = 200;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { gateway: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
});
const [file] = positionals;
if (values.help || !file) {
  console.log(usage);
  process.exit(values.help ? 0 : 2);
}
const gateways = (values.gateway ?? process.env.GATEWAY_URL ?? 'http://127.0.0.1:8080').split(',');
process.exitCode = (await replay(file)) ? 0 : 1;

async function replay(path: string): Promise<boolean> {
  const log = await readChatLog(path);
  const usernames = usernamesFor(log.nicks, randomBytes(3).toString('hex'));
  const call = createCall({ url: gatewayOf(0) });
  const password = randomBytes(12).toString('base64url');

  console.log(`${basename(path)}: ${log.events.length} events, ${log.nicks.length} nicks`);
  const sessions = new Map<string, Session>();
  const todo = [...usernames];
  await Promise.all(
    Array.from({ length: parallelRegistrations }, async () => {
      for (let next = todo.pop(); next; next = todo.pop()) {
        const [nick, username] = next;
        sessions.set(nick, await call('POST /auth/register', { body: { username, password } }));
      }
    }),
  );

  const [founder] = log.nicks;
  const owner = founder === undefined ? undefined : sessions.get(founder);
  if (!owner) throw new Error('the log is empty');
  const others = [...sessions.values()].map(({ user }) => user.id).filter((id) => id !== owner.user.id);
  const name = basename(path).slice(0, 100);
  const first = others.slice(0, maxMembersPerCall);
  const group = { body: { type: 2 as const, name, memberIds: first } };
  const { conversation } = await call('POST /conversations', group, owner.accessToken);
  const { id } = conversation;
  for (let from = maxMembersPerCall; from < others.length; from += maxMembersPerCall) {
    const body = { userIds: others.slice(from, from + maxMembersPerCall) };
    await call('POST /conversations/{id}/members', { path: { id }, body }, owner.accessToken);
  }

  const ledger = createLedger();
  const participants = new Map<string, Participant>();
  for (const [index, nick] of log.nicks.entries()) {
    participants.set(
      nick,
      createParticipant({
        nick,
        gatewayUrl: gatewayOf(index),
        accessToken: sessions.get(nick)?.accessToken ?? '',
        conversationId: id,
        ledger,
      }),
    );
  }

  await Promise.all(log.presentAtStart.map((nick) => participants.get(nick)?.connect()));
  const started = performance.now();
  let line = 0;
  let peak = log.presentAtStart.length;
  let there = peak;
  for (const event of log.events) {
    const participant = participants.get(event.nick);
    if (!participant) throw new Error(`${event.nick} has no participant`);
    if (event.event === 'leave') {
      if (participant.present()) there -= 1;
      await participant.disconnect();
      continue;
    }
    if (!participant.present()) {
      await participant.connect();
      there += 1;
      peak = Math.max(peak, there);
    }
    if (event.event === 'say') {
      // One line at a time, so that the order of the log is the order of the seq ids.
      await participant.say(line, event.text);
      line += 1;
    }
  }
  const seconds = (performance.now() - started) / 1000;
  await Promise.all([...participants.values()].filter((one) => one.present()).map((one) => one.disconnect()));

  const history: Message[] = [];
  for (let more = true; more; ) {
    const query = { afterSeq: history.at(-1)?.seqId ?? 0, limit: messagesPerPage };
    const page = await call('GET /conversations/{id}/messages', { path: { id }, query }, owner.accessToken);
    history.push(...page.messages);
    more = page.hasMore;
  }
  ledger.compareHistory(history, (nick) => usernames.get(nick));

  const verdict = ledger.verdict();
  console.log(
    `  ${verdict.lines} lines sent in ${seconds.toFixed(1)} s by up to ${peak} concurrent users${emptyNote(log.emptyLines)}`,
  );
  console.log(
    `  ${verdict.deliveries} deliveries, each checked byte for byte; history ${history.length} messages`,
  );
  console.log(`  ack      ${percentiles(verdict.ackMs)}`);
  console.log(`  delivery ${percentiles(verdict.deliveryMs)}`);
  for (const fault of verdict.faults) console.log(`  FAULT ${fault}`);
  console.log(
    verdict.faults.length === 0
      ? '  everything arrived, once and in order'
      : `  ${verdict.faults.length} faults`,
  );
  return verdict.faults.length === 0;
}

function gatewayOf(index: number): string {
  return gateways[index % gateways.length] ?? 'http://127.0.0.1:8080';
}

function emptyNote(count: number): string {
  return count === 0 ? '' : ` (${count} empty lines left out)`;
}

function percentiles(samples: number[]): string {
  const sorted = samples.toSorted((a, b) => a - b);
  const at = (share: number) =>
    (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0).toFixed(1);
  return `p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, max ${at(1)} ms`;
}
