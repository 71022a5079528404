/**
 * 16 random letters and digits. Pages without https have no `crypto.randomUUID`, and some platforms have no `crypto` at all.
 */
export function newId(): string {
  const bytes = new Uint8Array(16);
  if (globalThis.crypto) crypto.getRandomValues(bytes);
  else for (let n = 0; n < bytes.length; n += 1) bytes[n] = Math.random() * 256;
  return [...bytes].map((byte) => (byte % 36).toString(36)).join('');
}
