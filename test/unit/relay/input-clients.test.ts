import { describe, expect, test } from 'vitest';
import { InputClients } from '../../../src/relay/input-clients.js';
import type { RelayAccess } from '../../../src/relay/relay-api.js';
import type { Hello } from '../../../src/wire/pty-messages.js';

const by = (subject: string) => ({ subject }) as RelayAccess;
const hello = (clientId: string) => ({ clientId, epoch: 'e' }) as Hello;

describe('who has typed', () => {
  test('is known again, and nobody else is taken for them', () => {
    const clients = new InputClients();
    const { client } = clients.take(by('ann'), hello('c'), 'e');
    expect(clients.take(by('ann'), hello('c'), 'e').client).toBe(client);
    expect(clients.take(by('bob'), hello('c'), 'e').client).not.toBe(client);
    expect(clients.take(by('ann'), hello('c'), 'another epoch').client).not.toBe(client);
  });

  test('is not forgotten for the many windows of somebody who watches', () => {
    const clients = new InputClients();
    const { client } = clients.take(by('ann'), hello('c'), 'e');
    for (let count = 0; count < 200; count++) clients.take(by('viewer'), hello(`v${count}`), 'e');
    expect(clients.take(by('ann'), hello('c'), 'e').client).toBe(client);
    for (let count = 0; count < 64; count++) clients.take(by('ann'), hello(`a${count}`), 'e');
    expect(clients.take(by('ann'), hello('c'), 'e').client).not.toBe(client);
  });
});
