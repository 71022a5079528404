// What may import what. The rules keep the services apart and the workflows deterministic.

/** Modules of lib without I/O, which a workflow may use. */
const pureLib = '^lib/(errors|domain/(enumerations|ids|limits))\\.ts$';
const generated = '^(lib/gen|services/repo/prisma/client|clients/sdk/src/wire)/';
const tests = '\\.test\\.ts$|^test/';

const rooms = require('./rooms.cjs');

/** The part's own folder is a room too: the last one, unless rooms.cjs names it, as '.'. */
const withOwnFolder = (names) => (names.includes('.') ? names : [...names, '.']);
const filesOf = (part, name) => (name === '.' ? `^${part}/[^/]+$` : `^${part}/${name}/[^/]+$`);

/** No room knows a later one. */
const downwards = Object.entries(rooms).flatMap(([part, names]) =>
  withOwnFolder(names).flatMap((name, index, all) => {
    const later = all.slice(index + 1).map((other) => filesOf(part, other));
    if (later.length === 0) return [];
    return {
      name: 'rooms-import-downwards',
      comment: `${part}/${name} may import from itself and from the rooms before it in rooms.cjs.`,
      severity: 'error',
      from: { path: filesOf(part, name), pathNot: tests },
      to: { path: later.join('|') },
    };
  }),
);

/** A room that rooms.cjs lacks would be checked by nobody. */
const listed = Object.entries(rooms).map(([part, names]) => ({
  name: 'every-room-is-listed',
  comment: `Add the folder to rooms.cjs, where ${part} is.`,
  severity: 'error',
  from: {
    path: `^${part}/[^/]+/`,
    pathNot: [...names.map((name) => filesOf(part, name)), generated],
  },
  to: {},
}));

module.exports = {
  forbidden: [
    ...downwards,
    ...listed,
    {
      name: 'no-cycles',
      comment: 'Two modules that need each other are one module, or hide a third.',
      severity: 'error',
      from: { pathNot: generated },
      to: { circular: true },
    },
    {
      name: 'flows-are-apart',
      comment:
        'A flow is understood, versioned and replayed by itself; what flows share is in the rooms named here.',
      severity: 'error',
      from: { path: '^workflows/([^/]+)/', pathNot: tests },
      to: { path: '^workflows/[^/]+/', pathNot: '^workflows/(contracts|input|steps|$1)/' },
    },
    {
      name: 'workflows-know-activities-by-type-only',
      comment: 'Workflow code must be deterministic: activities are called by name through proxies.',
      severity: 'error',
      from: { path: '^workflows/', pathNot: tests },
      to: { path: '^activities/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'workflows-import-no-io',
      comment: 'Workflow code runs in a sandbox: no services, and of lib only what is pure.',
      severity: 'error',
      from: { path: '^workflows/', pathNot: tests },
      to: { path: '^(services|lib)/', pathNot: pureLib, dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'workflows-import-no-node',
      comment: 'The clock, randomness and files of Node are not deterministic.',
      severity: 'error',
      from: { path: '^workflows/', pathNot: tests },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'services-are-apart',
      comment:
        'Services talk over gRPC and Kafka; what two of them share belongs to lib. core runs three of them.',
      severity: 'error',
      from: { path: '^services/([^/]+)/', pathNot: '^services/core/' },
      to: { path: '^services/', pathNot: '^services/$1/' },
    },
    {
      name: 'only-repo-touches-storage',
      comment: 'Only services/repo stores: nobody else opens MySQL, Redis or a store of objects.',
      severity: 'error',
      from: { path: '^(services|lib|workflows|activities)/', pathNot: '^services/repo/' },
      to: { path: '(^|/)node_modules/(mysql2|ioredis|@prisma|@aws-sdk)/|^services/repo/prisma/' },
    },
    {
      name: 'storage-knows-no-frames',
      comment: 'Storage says what happened; how clients see it is for whoever talks to them.',
      severity: 'error',
      from: { path: '^services/repo/' },
      to: { path: '^lib/(wire/(frames|close-codes)|records/ordered-frames)\\.ts$' },
    },
    {
      name: 'only-lib-kafka-imports-kafkajs',
      comment: 'One place knows the client library and its traps.',
      severity: 'error',
      from: { path: '^(services|lib|workflows|activities|bench|clients)/', pathNot: '^lib/kafka(\\.ts$|/)' },
      to: { path: '(^|/)node_modules/kafkajs/' },
    },
    {
      name: 'lib-knows-nobody',
      comment: 'lib is below the services, workflows and activities; its tests may use what tests share.',
      severity: 'error',
      from: { path: '^lib/', pathNot: '\\.test\\.ts$' },
      to: { path: '^(services|workflows|activities|scripts|test)/' },
    },
    {
      name: 'scripts-know-no-service',
      comment: 'Scripts start processes; they share no code with them.',
      severity: 'error',
      from: { path: '^scripts/', pathNot: tests },
      to: { path: '^(services|lib|workflows|activities|test)/' },
    },
    {
      name: 'clients-know-only-the-contract',
      severity: 'error',
      comment: 'A client sees what any client sees: lib/wire says what goes over the wire.',
      from: { path: '^clients/' },
      to: { path: '^(services|lib|workflows|activities|scripts)/', pathNot: '^lib/wire/' },
    },
    {
      name: 'every-import-resolves',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'packages-are-declared',
      comment: 'A package that only another package brings may be gone tomorrow.',
      severity: 'error',
      from: { pathNot: generated },
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] },
    },
    {
      name: 'services-run-without-dev-packages',
      severity: 'error',
      from: { path: '^(services|lib|workflows|activities)/', pathNot: tests },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'no-orphans',
      comment: 'A module that nobody imports and that starts nothing is forgotten.',
      severity: 'error',
      from: {
        orphan: true,
        pathNot: [
          tests,
          generated,
          '(^|/)main\\.tsx?$',
          '(^|/)vite\\.config\\.ts$',
          '\\.template\\.js$',
          '^scripts/',
        ],
      },
      to: {},
    },
  ],
  options: {
    // TypeScript 7 has no compiler API in JavaScript; swc parses the sources instead.
    parser: 'swc',
    tsPreCompilationDeps: true,
    // The SDK has a package.json of its own beside the one of the repository.
    combinedDependencies: true,
    doNotFollow: { path: ['node_modules', '^clients/sdk/dist/'] },
    exclude: { path: '^clients/(sdk/dist/.+|web/dist)/|\\.css$' },
    enhancedResolveOptions: {
      extensions: ['.ts', '.tsx', '.mjs', '.cjs', '.js', '.json'],
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default'],
    },
  },
};
