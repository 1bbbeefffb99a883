/** Ann, who invites, and Bob, who comes. */

import { afterEach, beforeEach, expect, vi } from 'vitest';
import type { Authorization, Intent } from '../../../../src/broker/authorization.js';
import type { BrokerOptions } from '../../../../src/broker/broker-options.js';
import { createMemoryStore } from '../../../../src/broker/stores/memory-store.js';
import type { Grant, Session } from '../../../../src/wire/session.js';
import { bearer, everything, type Harness, origin, startHarness } from './harness.js';

export let harness: Harness;
/** What the application was asked. */
export let intents: Intent[];

/** A broker with a store for each test of a file. */
export function useGuests(): void {
  beforeEach(() => begin());
  afterEach(async () => {
    vi.useRealTimers();
    await harness.close();
  });
}

/** Another broker for the rest of the test. */
export async function restart(more: Partial<BrokerOptions<undefined>>): Promise<void> {
  await harness.close();
  await begin(more);
}

async function begin(more: Partial<BrokerOptions<undefined>> = {}): Promise<void> {
  intents = [];
  const made: Harness = await startHarness({
    store: createMemoryStore(),
    authorize: (_request, intent) => {
      intents.push(intent);
      return made.authorization;
    },
    ...more,
  });
  harness = made;
}

/** A session of Ann's that may pass this much on. */
export async function host(invite: Grant, more: Partial<Authorization> = {}): Promise<Session> {
  harness.authorization = {
    subject: 'ann',
    sandbox: { template: 'base' },
    grants: everything,
    invite,
    ...more,
  };
  return harness.mint();
}

export function inviting(session: Session, body: unknown = {}): Promise<Response> {
  return harness.send(`/sessions/${session.sessionId}/invite`, {
    method: 'POST',
    headers: { ...bearer(session), 'content-type': 'application/json', origin },
    body: JSON.stringify(body),
  });
}

export async function invite(session: Session, body?: unknown): Promise<string> {
  const response = await inviting(session, body);
  expect(response.status).toBe(201);
  return ((await response.json()) as { invitation: string }).invitation;
}

/** Bob comes, and the application allows this. */
export function join(
  invitation: string,
  grants: Grant = everything,
  more: Partial<Authorization> = {},
  body: object = {},
): Promise<Session> {
  harness.authorization = { subject: 'bob', sandbox: { template: 'base' }, grants, ...more };
  return harness.mint({ invitation, ...body });
}

export const invalid = { code: 'invitation_invalid', response: { status: 403 } };
export const watch: Grant = { pty: 'read' };
