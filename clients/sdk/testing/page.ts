import { Window } from 'happy-dom';

/** Runs work with the globals of a page, as React needs them. */
export async function inPage(work: (container: Element) => Promise<void>): Promise<void> {
  const window = new Window();
  const page = globalThis as Record<string, unknown>;
  const names = ['window', 'document', 'IS_REACT_ACT_ENVIRONMENT', 'addEventListener', 'removeEventListener'];
  const before = names.map((name) => [name, Object.getOwnPropertyDescriptor(page, name)] as const);
  const now: Record<string, unknown> = {
    window,
    document: window.document,
    IS_REACT_ACT_ENVIRONMENT: true,
    addEventListener: () => {},
    removeEventListener: () => {},
  };
  for (const name of names) Object.defineProperty(page, name, { value: now[name], configurable: true });
  try {
    await work(window.document.body as unknown as Element);
  } finally {
    for (const [name, descriptor] of before) {
      if (descriptor) Object.defineProperty(page, name, descriptor);
      else delete page[name];
    }
    await window.happyDOM.close();
  }
}
