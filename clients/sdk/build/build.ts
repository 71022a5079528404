import { execFileSync } from 'node:child_process';
import { globSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { build, type Plugin } from 'esbuild';
import { minify } from 'terser';

/** Builds the package into clients/sdk/dist: one small bundle per entry point, and the declarations. */
const sdk = resolve(import.meta.dirname, '..');
const root = resolve(sdk, '../..');
const out = resolve(sdk, 'dist');
const entries = ['index', 'actions', 'memory', 'file', 'indexeddb', 'react'];

/** An entry point that another one loads when it needs it stays a file of its own. */
const entriesApart: Plugin = {
  name: 'entries-apart',
  setup({ onResolve }) {
    onResolve({ filter: /^\.\/\w+\.ts$/ }, ({ path, kind }) =>
      kind === 'dynamic-import' ? { path: path.replace(/\.ts$/, '.js'), external: true } : undefined,
    );
  },
};

rmSync(out, { recursive: true, force: true });
const { outputFiles } = await build({
  entryPoints: entries.map((name) => resolve(sdk, `src/${name}.ts`)),
  outdir: out,
  bundle: true,
  format: 'esm',
  target: 'es2022',
  platform: 'neutral',
  external: ['node:*', 'react'],
  plugins: [entriesApart],
  sourcemap: 'external',
  legalComments: 'none',
  write: false,
});
declarations();
for (const { path, text } of outputFiles.filter(({ path }) => path.endsWith('.js')))
  await writeSmall(path, text);

async function writeSmall(path: string, text: string): Promise<void> {
  const map = outputFiles.find((file) => file.path === `${path}.map`)?.text ?? '{}';
  // Its names compress better than those of esbuild.
  const small = await minify(text, {
    ecma: 2020,
    module: true,
    compress: { passes: 3, pure_getters: true },
    sourceMap: { content: map, url: `${basename(path)}.map` },
  });
  writeFileSync(path, small.code ?? '');
  writeFileSync(`${path}.map`, String(small.map));
}

function declarations(): void {
  const compiler = resolve(root, 'node_modules/typescript/bin/tsc');
  const options = ['-p', resolve(sdk, 'tsconfig.build.json'), '--outDir', out];
  execFileSync(process.execPath, [compiler, ...options], { stdio: 'inherit' });
  // The declarations name the sources of other declarations; there they are called .js.
  for (const name of globSync('**/*.d.ts', { cwd: out })) {
    const file = resolve(out, name);
    const text = readFileSync(file, 'utf8');
    writeFileSync(file, text.replace(/(from '\.[^']*|import\('\.[^']*)\.ts'/g, "$1.js'"));
  }
}
