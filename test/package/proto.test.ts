import { expect, test } from 'vitest';
import { checkCodecs, checkDescriptors, checkGenerated } from '../../scripts/check-proto.mjs';

test('the generated code is what buf makes of proto/', () => {
  expect(checkGenerated()).toEqual([]);
});

test('the message tables of the clients are what the generator makes of proto/', () => {
  expect(checkCodecs()).toEqual([]);
});

test('the messages are those of the published e2b package', async () => {
  expect(await checkDescriptors()).toEqual([]);
});
