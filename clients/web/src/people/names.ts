/** The name under which people know somebody. */
export const nameOf = ({ displayName, username }: { displayName: string; username: string }): string =>
  displayName || username;
