/**
 * Splits a SQL file into its statements and removes the comments. A semicolon ends a statement unless it is inside a
 * string, a quoted name or a comment.
 */
export function splitStatements(text: string): string[] {
  const statements: string[] = [];
  let current = '';
  for (const [token] of text.matchAll(tokens)) {
    if (token === ';') {
      statements.push(current.trim());
      current = '';
    } else {
      current += isComment(token) ? ' ' : token;
    }
  }
  statements.push(current.trim());
  return statements.filter((statement) => statement !== '');
}

/** Matches a whole string, quoted name or comment, or else one character. A comment that begins with `/*!` is code. */
const tokens =
  /'(?:[^'\\]|\\.|'')*'|"(?:[^"\\]|\\.|"")*"|`(?:[^`]|``)*`|\/\*[\s\S]*?\*\/|--(?=\s|$)[^\n]*|#[^\n]*|[\s\S]/g;

const isComment = (token: string): boolean =>
  token.startsWith('--') || token.startsWith('#') || /^\/\*(?!M?!)/.test(token);
