import { type Code, isCode } from '../../lib/errors.ts';
import { ErrorCode } from '../../lib/gen/im_repo/v1/error_code.ts';

/** All error codes of the proto enum. */
export const codeNames: Code[] = Object.keys(ErrorCode)
  .map((name) => name.replace('ERROR_CODE_', ''))
  .filter(isCode);
