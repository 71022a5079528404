import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Plugin } from 'vite';

const template = resolve(import.meta.dirname, 'service-worker.template.js');
/** The names of all emoji are large, and kept once they were asked for. */
const isLarge = (bytes: number): boolean => bytes > 150_000;

/** Adds /sw.js, the service worker, which keeps the files of this build for a start without network. */
export function serviceWorker(): Plugin {
  return {
    name: 'service-worker',
    apply: 'build',
    enforce: 'post',
    generateBundle(_options, bundle) {
      const files = Object.values(bundle).flatMap((file) => {
        if (!file.fileName.startsWith('assets/')) return [];
        const content = file.type === 'chunk' ? file.code : file.source;
        return isLarge(content.length) ? [] : [`/${file.fileName}`];
      });
      const source = readFileSync(template, 'utf8');
      const version = createHash('sha256').update(source).update(files.join()).digest('hex').slice(0, 12);
      this.emitFile({
        type: 'asset',
        fileName: 'sw.js',
        source: source
          .replace("'VERSION'", JSON.stringify(version))
          .replace("['FILES']", JSON.stringify(['/', '/icon.svg', '/manifest.webmanifest', ...files])),
      });
    },
  };
}
