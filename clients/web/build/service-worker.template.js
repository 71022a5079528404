// Keeps the files of the client, so that it starts without network. It never touches what the API answers: conversations
// are kept by the SDK.

const version = 'VERSION';
const files = ['FILES'];
const cacheName = `gochat-shell-${version}`;
/** A page that takes longer comes from the cache. */
const patienceMs = 2000;

self.addEventListener('install', (event) => {
  event.waitUntil(
    caches
      .open(cacheName)
      .then((cache) => cache.addAll(files))
      .then(() => self.skipWaiting()),
  );
});

self.addEventListener('activate', (event) => {
  event.waitUntil(removeOld().then(() => self.clients.claim()));
});

async function removeOld() {
  const names = await caches.keys();
  const old = names.filter((name) => name.startsWith('gochat-shell-') && name !== cacheName);
  await Promise.all(old.map((name) => caches.delete(name)));
}

self.addEventListener('fetch', (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== 'GET' || origin !== self.location.origin) return;
  if (request.mode === 'navigate' && pathname === '/') event.respondWith(newestPage(request));
  else if (pathname.startsWith('/assets/')) event.respondWith(kept(request));
});

/** The page as the server has it now, or else the one that was kept. */
async function newestPage(request) {
  const cache = await caches.open(cacheName);
  const fresh = fetch(request).then((response) => {
    if (response.ok) void cache.put('/', response.clone());
    return response;
  });
  const late = new Promise((resolve) => setTimeout(resolve, patienceMs));
  const response = await Promise.race([fresh, late]).catch(() => undefined);
  if (response?.ok) return response;
  return (await cache.match('/')) ?? fresh;
}

/** The content of these files never changes. */
async function kept(request) {
  const found = await caches.match(request);
  if (found) return found;
  const response = await fetch(request);
  if (response.ok) {
    const cache = await caches.open(cacheName);
    await cache.put(request, response.clone());
  }
  return response;
}
