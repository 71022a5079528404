import type { Random } from '../../../bench/measure/random.ts';
import { eventually } from '../eventually.ts';
import { pause } from '../pause.ts';
import { everythingReady } from '../servers/outage.ts';
import type { Fault } from './faults.ts';
import type { Findings } from './records/findings.ts';
import type { Ledger } from './records/ledger.ts';
import type { Timeline } from './records/timeline.ts';

export type FaultSchedule = {
  /** Injects one fault at a time, each after the recovery from the previous one; no further faults after `forMs`. */
  oneByOne(faults: readonly Fault[], forMs?: number): Promise<void>;
  /** Injects random faults, up to `maxConcurrent` at a time, for `forMs`. */
  together(faults: readonly Fault[], forMs: number): Promise<void>;
  /** The number of kills by process. */
  kills: ReadonlyMap<string, number>;
};

const calmMs = 2000;
const maxConcurrent = 3;
const maxGapMs = 6000;
/** The limit from the end of a fault until all earlier messages are acknowledged. */
const maxRecoveryMs = 60_000;

/** Injects faults into a system, and checks that it recovers from them. */
export function createFaultSchedule(options: {
  random: Random;
  ledger: Ledger;
  timeline: Timeline;
  findings: Findings;
}): FaultSchedule {
  const { random, ledger, timeline, findings } = options;
  const kills = new Map<string, number>();

  async function injectFaults({ name, target, lastsMs, begin }: Fault): Promise<void> {
    timeline.note(`${name} …`);
    if (name.startsWith('kill ')) kills.set(target, (kills.get(target) ?? 0) + 1);
    try {
      const end = await begin();
      await pause(lastsMs);
      await end();
    } catch (error) {
      findings.add(
        'what is killed starts again',
        `${name} ${(timeline.now() / 1000).toFixed(1)} s: ${error}`,
      );
    }
    timeline.note(`… ${name} is over`);
  }

  async function recover(from: string): Promise<void> {
    const since = timeline.now();
    await everythingReady().catch((error) => findings.add('the system recovers', `from ${from}: ${error}`));
    const sent = ledger.waiting();
    const missing = () => sent.filter(({ acks }) => acks.length === 0);
    await eventually(() => missing().length === 0, maxRecoveryMs).catch(() => {
      for (const { clientMsgId, conversationId, device, attempts } of missing()) {
        findings.add(
          `everything is acknowledged within ${maxRecoveryMs / 1000} s of a fault`,
          `${clientMsgId} to ${conversationId} from ${device} after ${from}: ${JSON.stringify(attempts)}`,
        );
      }
    });
    const took = ((timeline.now() - since) / 1000).toFixed(1);
    timeline.note(`recovered after ${took} s; ${sent.length} messages were pending`);
    await pause(calmMs);
  }

  return {
    kills,

    async oneByOne(faults, forMs = Number.POSITIVE_INFINITY) {
      const until = timeline.now() + forMs;
      for (const fault of faults) {
        if (timeline.now() > until) return;
        await injectFaults(fault);
        await recover(fault.name);
      }
    },

    async together(faults, forMs) {
      const until = timeline.now() + forMs;
      const running = new Map<string, Promise<void>>();
      while (timeline.now() < until) {
        const fault = random.pick(faults);
        await pause(random.between(0, maxGapMs));
        while (running.has(fault.target) || running.size >= maxConcurrent)
          await Promise.race(running.values());
        const ended = injectFaults(fault).finally(() => running.delete(fault.target));
        running.set(fault.target, ended);
      }
      await Promise.all(running.values());
      await recover('all of them');
    },
  };
}
