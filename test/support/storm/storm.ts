// Room: the storm: users who chat while services are killed, and the judgement of what they saw. Only the storm's
// tests use it.

import { topics } from '../../../lib/kafka/topics.ts';
import { pause } from '../pause.ts';
import { gateway2Url, gatewayUrl, type Person, uniqueName } from '../people/people.ts';
import { runningProcess } from '../servers/services.ts';
import type { SystemParts } from '../system-parts.ts';
import { recordsOf } from '../topic-records.ts';
import { checkHeldMessages, checkSendOrder, checkSocket, checkStored, repeatsOf } from './checks.ts';
import { createDevice, type Device } from './device.ts';
import { createFaultSchedule, type FaultSchedule } from './fault-schedule.ts';
import { faultTargets } from './faults.ts';
import { checkLists, checkReadPointers } from './list-checks.ts';
import { checkOutsiders, removeLeaver } from './outsider-checks.ts';
import { newParticipants, type Participants } from './participants.ts';
import { createFindings, type Findings } from './records/findings.ts';
import { createLedger, type Ledger } from './records/ledger.ts';
import { createRandom, type Random } from './records/random.ts';
import { createTimeline, type Timeline } from './records/timeline.ts';
import { readStoredStates } from './stored-state.ts';
import { startTraffic } from './traffic.ts';

export type Outcome = {
  isGood: boolean;
  /** In one line. */
  summary: string;
  /** The seed, what was done and when, and everything that was found wrong. */
  report: string;
};

/** People with a second device, at the other gateway. */
const withTwoDevices = 5;
const calmMs = 4000;
const longestAckMs = 120_000;
/** Longer than the longest pause between two tries of a flow. */
const longestDeliveryMs = 40_000;
const patienceMs = 5000;

/**
 * Lets people talk at a steady rate while `injectFaults` does things to the system, then compares what was sent,
 * acknowledged, stored and received. The same seed makes the same choices in the same order; how long each recovery
 * takes is the machine's.
 */
export async function runStorm(options: {
  seed: number;
  perSecond: number;
  parts: SystemParts;
  injectFaults(schedule: FaultSchedule, random: Random, devices: readonly Device[]): Promise<void>;
}): Promise<Outcome> {
  const { seed, parts } = options;
  const random = createRandom(seed);
  const ledger = createLedger(uniqueName(`s${seed}`));
  const findings = createFindings();
  const timeline = createTimeline(`a storm of seed ${seed}`);
  const before = { restarts: restarts(), dead: (await recordsOf(topics.dead)).length };

  const participants = await newParticipants(parts.repo);
  const devices = await newDevices(participants, ledger, findings);
  timeline.note(
    `${devices.length} devices of ${participants.people.length} people in ${participants.conversations.length} conversations`,
  );
  const traffic = startTraffic({
    participants,
    devices,
    ledger,
    random: createRandom(seed + 1),
    perSecond: options.perSecond,
  });
  await pause(calmMs);
  for (const { number, device, log } of socketsOf(devices)) {
    if (repeatsOf(log) > 0)
      findings.add('each comes once while no server fails', `socket ${number} of ${device}`);
  }

  const schedule = createFaultSchedule({ random, ledger, timeline, findings });
  const removal = removeLeaver(participants, timeline);
  removal.catch(() => undefined);
  await options.injectFaults(schedule, random, devices);
  const removedAt = await removal;

  await traffic.stop(longestAckMs);
  timeline.note(
    `${ledger.sent.size} messages were sent, ${ledger.waiting().length} of them are not acknowledged`,
  );
  await settle(participants, devices, parts, timeline);
  const states = await readStoredStates(parts.database, participants.conversations);
  const sockets = socketsOf(devices);
  for (const { log, owner } of sockets) {
    const isOwn = (clientMsgId: string) => ledger.find(clientMsgId)?.device === owner.name;
    checkSocket(log, {
      states: ofMember(participants, owner.person, states),
      isOwn,
      left: owner.left,
      findings,
    });
  }
  timeline.note('every client comes back once more and syncs');
  await Promise.all(devices.map((device) => device.comeBack()));

  checkStored(ledger, participants.conversations, states, findings);
  checkSendOrder(ledger, findings);
  for (const device of devices) checkHeldMessages(device, states, findings);
  checkReadPointers(devices, ledger, participants, states, findings);
  await checkLists(participants, states, findings);
  await checkOutsiders(participants, devices, removedAt, findings);
  await checkProcesses(schedule, before, findings);

  const repeats = sockets.reduce((sum, { log }) => sum + repeatsOf(log), 0);
  const arrivals = sockets
    .flatMap(({ log }) => [...log.arrivals.values()])
    .reduce((sum, seqs) => sum + seqs.length, 0);
  const summary = `seed ${seed}: ${ledger.sent.size} messages, ${arrivals} arrivals over ${sockets.length} sockets, ${repeats} of them repeats; ${findings.count()} faults found`;
  timeline.note(summary);
  if (findings.count() > 0) timeline.note(`\n${findings}`);
  await Promise.all(devices.map((device) => device.close()));
  return { isGood: findings.count() === 0, summary, report: `${timeline}` };
}

async function newDevices(participants: Participants, ledger: Ledger, findings: Findings): Promise<Device[]> {
  const urls = [gatewayUrl, gateway2Url];
  const device = (person: Person, index: number, suffix: string) =>
    createDevice({
      name: `${person.id}${suffix}`,
      person,
      urls: index % 2 === 0 ? urls : urls.toReversed(),
      startAt: new Map(
        participants.conversations
          .filter(({ members }) => members.includes(person))
          .map(({ id, head }) => [id, head]),
      ),
      ledger,
      findings,
    });
  return Promise.all([
    ...participants.people.map((person, index) => device(person, index, 'a')),
    ...participants.people
      .slice(-withTwoDevices)
      .map((person, index) => device(person, participants.people.length - withTwoDevices + index + 1, 'b')),
  ]);
}

const socketsOf = (devices: readonly Device[]) =>
  devices.flatMap((owner) =>
    owner.sockets.map((log) => ({ owner, log, number: log.number, device: owner.name })),
  );

const ofMember = <T>(
  { conversations }: Participants,
  person: Person,
  states: ReadonlyMap<string, T>,
): Map<string, T> =>
  new Map(
    [...states].filter(([id]) =>
      conversations.find((conversation) => conversation.id === id)?.members.includes(person),
    ),
  );

/** Waits until every device holds everything, by what comes over its open socket alone; what is late then is for the judgement. */
async function settle(
  participants: Participants,
  devices: readonly Device[],
  { database }: SystemParts,
  timeline: Timeline,
): Promise<void> {
  const states = await readStoredStates(database, participants.conversations);
  const until = Date.now() + longestDeliveryMs;
  const lacks = (device: Device): string[] =>
    device.store
      .conversationIds()
      .filter((id) => !device.left.has(id) && device.store.edge(id) < (states.get(id)?.head.seqId ?? 0))
      .map(
        (id) => `${device.name} holds ${id} up to ${device.store.edge(id)} of ${states.get(id)?.head.seqId}`,
      );
  let told = false;
  while (Date.now() < until) {
    const lacking = devices.flatMap(lacks);
    if (lacking.length === 0) return;
    // Told while it lasts, for whoever ends the run before the judgement.
    if (!told && until - Date.now() < longestDeliveryMs - patienceMs) {
      for (const what of lacking.slice(0, 10)) timeline.note(`late: ${what}`);
      told = true;
    }
    await pause(100);
  }
}

const restarts = (): Map<string, number> =>
  new Map(faultTargets().map((name) => [name, runningProcess(name).restarts]));

/** Nobody died but those who were killed, and nothing was given up as dead. */
async function checkProcesses(
  schedule: FaultSchedule,
  before: { restarts: ReadonlyMap<string, number>; dead: number },
  findings: Findings,
): Promise<void> {
  for (const [name, count] of restarts()) {
    const own = count - (before.restarts.get(name) ?? 0) - (schedule.kills.get(name) ?? 0);
    if (own > 0) findings.add('an outage ends no process', `${name} ended ${own} times by itself`);
  }
  for (const record of (await recordsOf(topics.dead)).slice(before.dead)) {
    findings.add('an outage makes no record dead', JSON.stringify(record).slice(0, 500));
  }
}
