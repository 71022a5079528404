import { buildSdk } from './generate.ts';
import { report } from './process/problem.ts';

/** `npm run chat -- --as NAME [--url …] [--json]`: talk in a terminal. */
try {
  await buildSdk();
  const { chat } = await import('../clients/chat/chat.ts');
  process.exitCode = await chat(process.argv.slice(2));
} catch (error) {
  report(error);
  process.exitCode = 1;
}
