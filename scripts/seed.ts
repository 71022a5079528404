import { parseArgs } from 'node:util';
import { buildSdk } from './generate.ts';
import { Problem, report } from './process/problem.ts';
import { type DemoSize, demoSize, plantDemo } from './system/demo.ts';
import { userProfile } from './topology/topology.ts';

/**
 * `npm run seed [-- --users 50 --seed 1]`: fills the running system with a demo world, and prints sign-ins: a name and a
 * password per line.
 */
try {
  const size = sizeAsked();
  await buildSdk();
  console.log(await plantDemo(userProfile(process.env), size));
} catch (error) {
  report(
    isNotThere(error) ? new Problem('No GoChat answers here: run npm start first.', String(error)) : error,
  );
}

function sizeAsked(): DemoSize {
  try {
    const { values } = parseArgs({ options: { users: { type: 'string' }, seed: { type: 'string' } } });
    return demoSize(values);
  } catch (error) {
    if (error instanceof Problem) throw error;
    throw new Problem(
      `npm run seed takes only the options --users NUMBER and --seed NUMBER (${(error as Error).message}).`,
    );
  }
}

function isNotThere(error: unknown): boolean {
  return (Object(error) as { code?: unknown }).code === 'UNAVAILABLE';
}
