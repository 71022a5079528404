import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

const readme = readFileSync(resolve(import.meta.dirname, '../README.md'), 'utf8');

/** The code block of the README with this name, which stands behind its language. */
export function exampleOf(name: string): string {
  const [, code] = new RegExp(`^\`\`\`\\w+ ${name}\\n(.*?)^\`\`\`$`, 'ms').exec(readme) ?? [];
  if (code === undefined) throw new Error(`the README has no example ${name}`);
  return code;
}

/** The names of the recipes in the README. */
export const recipes: readonly string[] = [...readme.matchAll(/^```ts (recipe \w+)$/gm)].map(
  ([, name = '']) => name,
);
