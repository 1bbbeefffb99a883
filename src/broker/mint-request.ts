import type { MintRequest } from '../wire/session.js';
import { type FullGrant, parseGrant } from './grant.js';
import { readJson } from './read-json.js';
import { invalidRequest } from './refusals.js';
import { sandboxIdPattern } from './routes.js';

/** What a page asks for, with a grant that has nothing left open. */
export interface ParsedMintRequest extends MintRequest {
  grant?: FullGrant;
}

/** Reads the body of `POST /sessions`. */
export async function readMintRequest(request: Request): Promise<ParsedMintRequest> {
  const { sandboxId, grant, direct, invitation } = await readJson(request);
  if (sandboxId !== undefined && (typeof sandboxId !== 'string' || !sandboxIdPattern.test(sandboxId))) {
    throw invalidRequest('"sandboxId" is not the id of a sandbox.');
  }
  if (direct !== undefined && direct !== true) throw invalidRequest('"direct" is not true.');
  if (invitation !== undefined && typeof invitation !== 'string') {
    throw invalidRequest('"invitation" is not a text.');
  }
  if (direct && (grant !== undefined || invitation !== undefined)) {
    throw invalidRequest(
      'A direct session gives everything, so it goes with no "grant" and no "invitation".',
    );
  }
  return {
    ...(sandboxId !== undefined && { sandboxId }),
    ...(grant !== undefined && { grant: parseGrant(grant) }),
    ...(direct && { direct }),
    ...(invitation !== undefined && { invitation }),
  };
}
