import type { Laboratory } from '../laboratory/laboratory.ts';
import { pairsTalking } from './message-routes.ts';

const pairs = 20;
const rate = 300;

/** Load that is not measured: broker and services take several times the CPU time right after their start. */
export async function heat(laboratory: Laboratory, seconds: number): Promise<void> {
  laboratory.say(`Warming up for ${seconds} s`);
  await laboratory.withLoad(1, async (load) => {
    const { clients, routes } = await pairsTalking(laboratory, load, pairs);
    await clients.send(routes, { rate, seconds });
  });
}
