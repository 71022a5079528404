import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readOptions } from './options.ts';

const known = ['one-to-one', 'ladder', 'history'];
const read = (args: string[], env: NodeJS.ProcessEnv = {}) => readOptions(args, env, known);

test('without arguments every scenario runs at full length', () => {
  const options = read([]);
  assert.deepEqual(options.scenarios, known);
  assert.equal(options.hold, 60);
  assert.equal(options.gateways, undefined);
});

test('quick runs are short, and other options take precedence', () => {
  const options = read(['quick', '--hold', '20']);
  assert.equal(options.hold, 20);
  assert.ok(options.seconds < 20);
  assert.deepEqual(read(['quick', 'history']).scenarios, ['history']);
});

test('gateways come from the command line, else from the environment', () => {
  assert.deepEqual(read([], { GATEWAY_URL: 'http://a:1' }).gateways, ['http://a:1']);
  assert.deepEqual(read(['--gateways', 'http://b:1/,http://c:2'], { GATEWAY_URL: 'http://a:1' }).gateways, [
    'http://b:1',
    'http://c:2',
  ]);
});

test('a system of its own is started when its processes are counted, or when it is to be empty', () => {
  assert.equal(read([]).own.wanted, false);
  assert.deepEqual(read(['--logics', '2']).own, {
    gateways: 1,
    logics: 2,
    core: false,
    fresh: false,
    wanted: true,
  });
  assert.equal(read([]).own.core, true);
  assert.deepEqual([read(['--apart']).own.core, read(['--apart']).own.wanted], [false, true]);
  assert.equal(read(['--fresh']).own.wanted, true);
  assert.throws(() => read(['--fresh', '--gateways', 'http://a:1']), /--gateways/);
});

test('an invalid option is named', () => {
  assert.throws(() => read(['warp-speed']), /no scenario warp-speed/);
  assert.throws(() => read(['--rates', '400,fast']), /--rates takes whole numbers/);
  assert.throws(() => read(['--pairs', '0']), /--pairs/);
  assert.throws(() => read(['--speed', '9']));
});
