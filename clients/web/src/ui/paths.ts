/** Addresses of the screens. */
export const paths = {
  chats: '#/',
  people: '#/people',
  settings: '#/settings',
  conversation: (id: string, seq?: number) => `#/c/${encodeURIComponent(id)}${seq ? `?seq=${seq}` : ''}`,
};

/** Goes to an address; the back button returns. */
export function go(path: string): void {
  location.hash = path;
}
