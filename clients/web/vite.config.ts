import { resolve } from 'node:path';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';
import { precompress } from './build/precompress.ts';
import { serviceWorker } from './build/service-worker.ts';

const gateway = process.env.GATEWAY_URL ?? 'http://127.0.0.1:8080';
/** Everything that Vite does not serve itself while developing goes to the gateway. */
const toGateway = '^/(?!$|[?#]|src/|build/|@|node_modules/|clients/|dev/|index\\.html|embed|icon|manifest)';

export default defineConfig({
  root: import.meta.dirname,
  plugins: [react(), serviceWorker(), precompress()],
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    target: 'es2023',
    // A policy without inline scripts forbids the polyfill; browsers that need it are too old for this client.
    modulePreload: { polyfill: false },
    // Small pictures stay files: the policy is the same for all of them.
    assetsInlineLimit: 0,
    // The names of all emoji are this large.
    chunkSizeWarningLimit: 700,
    rolldownOptions: {
      input: {
        index: resolve(import.meta.dirname, 'index.html'),
        embed: resolve(import.meta.dirname, 'embed.html'),
      },
    },
  },
  server: {
    host: '127.0.0.1',
    port: 5173,
    strictPort: true,
    proxy: { [toGateway]: { target: gateway, ws: true, changeOrigin: true, rewriteWsOrigin: true } },
  },
});
