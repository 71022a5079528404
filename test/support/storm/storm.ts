// Room: the storm: users who chat while faults are injected, and the checks of what they received. Only the storm's
// tests use it.

import { createRandom, type Random } from '../../../bench/measure/random.ts';
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
import { createTimeline, type Timeline } from './records/timeline.ts';
import { readStoredStates } from './stored-state.ts';
import { startTraffic } from './traffic.ts';

export type Outcome = {
  isGood: boolean;
  /** The result in one line. */
  summary: string;
  /** The seed, the timeline and all findings. */
  report: string;
};

/** The number of users with a second device, at the other gateway. */
const usersWithTwoDevices = 5;
const calmMs = 4000;
const maxAckMs = 120_000;
/** Longer than the longest pause between two attempts of a flow's step. */
const maxDeliveryMs = 40_000;
const patienceMs = 5000;

/**
 * Lets users send at a steady rate while `injectFaults` disturbs the system, then compares the sent, acknowledged,
 * stored and received messages. The same seed makes the same choices in the same order, but the duration of each
 * recovery depends on the machine.
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

  await traffic.stop(maxAckMs);
  timeline.note(
    `${ledger.sent.size} messages were sent, ${ledger.waiting().length} of them are not acknowledged`,
  );
  await settle(participants, devices, parts, timeline);
  const states = await readStoredStates(parts.databases, participants.conversations);
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
      .slice(-usersWithTwoDevices)
      .map((person, index) =>
        device(person, participants.people.length - usersWithTwoDevices + index + 1, 'b'),
      ),
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

/**
 * Waits until every device has all messages, from its open socket only; the checks report messages that are missing
 * then.
 */
async function settle(
  participants: Participants,
  devices: readonly Device[],
  { databases }: SystemParts,
  timeline: Timeline,
): Promise<void> {
  const states = await readStoredStates(databases, participants.conversations);
  const until = Date.now() + maxDeliveryMs;
  const lacks = (device: Device): string[] =>
    device.store
      .conversationIds()
      .filter((id) => !device.left.has(id) && device.store.edge(id) < (states.get(id)?.head.seqId ?? 0))
      .map(
        (id) => `${device.name} holds ${id} up to ${device.store.edge(id)} of ${states.get(id)?.head.seqId}`,
      );
  let noted = false;
  while (Date.now() < until) {
    const lacking = devices.flatMap(lacks);
    if (lacking.length === 0) return;
    // Noted at once, for a user who stops the run before the checks.
    if (!noted && until - Date.now() < maxDeliveryMs - patienceMs) {
      for (const what of lacking.slice(0, 10)) timeline.note(`late: ${what}`);
      noted = true;
    }
    await pause(100);
  }
}

const restarts = (): Map<string, number> =>
  new Map(faultTargets().map((name) => [name, runningProcess(name).restarts]));

/** Checks that only killed processes have restarted, and that no record became a dead letter. */
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
