import { expect, test } from 'vitest';
import { checkDescriptors, checkGenerated } from '../../scripts/check-proto.mjs';

test('the generated code is what buf makes of proto/', () => {
  expect(checkGenerated()).toEqual([]);
});

test('the messages are those of the published e2b package', async () => {
  expect(await checkDescriptors()).toEqual([]);
});
