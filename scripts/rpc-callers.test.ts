import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { test } from 'node:test';

const mark = 'For other systems: nothing in GoChat calls it.';

/** The files that may call the RPCs of a package, without the service that serves them. */
const callers: Record<string, string> = {
  im_repo: '{activities,bench,lib/grpc,services/{gateway,logic,pusher,task}}/**/*.ts',
  im_logic: '{bench,services/gateway}/**/*.ts',
  im_gateway: 'services/{gateway,logic,pusher}/**/*.ts',
};

test('an RPC says that nothing in GoChat calls it where that is so, and only there', () => {
  const wrong: string[] = [];
  for (const [name, pattern] of Object.entries(callers)) {
    const code = globSync(pattern)
      .filter((path) => !path.endsWith('.test.ts'))
      .map((path) => readFileSync(path, 'utf8'))
      .join('\n');
    for (const path of globSync(`proto/${name}/v1/*.proto`)) {
      // Matches the comment right above an RPC, and the RPC's name.
      const rpcs = readFileSync(path, 'utf8').matchAll(/((?: {2}\/\/.*\n)*) {2}rpc (\w+)\(/g);
      for (const [, comment = '', rpc = ''] of rpcs) {
        const method = rpc.charAt(0).toLowerCase() + rpc.slice(1);
        const isCalled = new RegExp(`\\.${method}\\b|'${method}'`).test(code);
        const isMarked = comment.replace(/\s+(\/\/)?\s*/g, ' ').includes(mark);
        if (isCalled === isMarked) wrong.push(`${path}: ${rpc} is ${isCalled ? 'called' : 'not called'}`);
      }
    }
  }
  assert.deepEqual(wrong, []);
});
