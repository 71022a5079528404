/**
 * The statements of a SQL file, without the comments between them. A semicolon ends a statement unless it stands
 * in a string, a quoted name or a comment.
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

/** A whole string, quoted name or comment, or one character; a comment that begins with `/*!` is code. */
const tokens =
  /'(?:[^'\\]|\\.|'')*'|"(?:[^"\\]|\\.|"")*"|`(?:[^`]|``)*`|\/\*[\s\S]*?\*\/|--(?=\s|$)[^\n]*|#[^\n]*|[\s\S]/g;

const isComment = (token: string): boolean =>
  token.startsWith('--') || token.startsWith('#') || /^\/\*(?!M?!)/.test(token);
