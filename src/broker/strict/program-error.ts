/** What the end of a program of strict mode means to a page: the codes are those that envd's own refusal would have. */

import { type E2BEdgeError, SandboxError } from '../../errors.js';
import { httpRefusal, notGranted, upstreamFailed } from '../refusals.js';
import { ProgramExit } from './programs.js';

/** @param of what was asked for: a file by HTTP has codes of its own. */
export function programError(
  { code, words }: { code: number; words: string },
  path: string,
  of: 'rpc' | 'file',
): E2BEdgeError {
  switch (code) {
    case ProgramExit.notGranted:
      return notGranted('use this path');
    case ProgramExit.notFound:
      return of === 'file'
        ? refused(404, 'file_not_found', `path '${path}' does not exist`)
        : refused(404, 'not_found', `file not found: ${path}`);
    case ProgramExit.isDirectory:
      return refused(400, 'invalid_argument', `path '${path}' is a directory`);
    case ProgramExit.noPermission:
      return refused(403, 'permission_denied', `the sandbox's user has no permission for path '${path}'`);
    case ProgramExit.notRegular:
      return refused(400, 'invalid_argument', `path '${path}' is not a regular file`);
    case ProgramExit.exists:
      return refused(409, 'already_exists', `directory already exists: ${path}`);
    case ProgramExit.notDirectory:
      return refused(400, 'invalid_argument', `path is not a directory: ${path}`);
    case ProgramExit.noSpace:
      return refused(
        507,
        of === 'file' ? 'not_enough_space' : 'resource_exhausted',
        'not enough disk space available',
      );
    case ProgramExit.badRange:
      return refused(416, 'range_not_satisfiable', `the range is beyond the end of path '${path}'`);
    case ProgramExit.sizeDiffers:
      return refused(
        400,
        'body_length_differs',
        `path '${path}' was not written: the body is not as long as its Content-Length says`,
      );
    case ProgramExit.noProgram:
      return httpRefusal(
        501,
        'unimplemented',
        'Strict mode takes GNU coreutils and findutils, which the sandbox does not have.',
      );
    default:
      return upstreamFailed(new Error(`a program of strict mode ended with ${code}: ${words}`));
  }
}

/** 501: what strict mode does not do. */
export function notInStrictMode(what: string): E2BEdgeError {
  return httpRefusal(501, 'unimplemented', `A session in strict mode cannot ${what}.`);
}

function refused(statusCode: number, code: string, message: string): E2BEdgeError {
  return new SandboxError(message, { code, statusCode });
}
