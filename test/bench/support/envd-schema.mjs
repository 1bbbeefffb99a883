import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { createFileRegistry, fromBinary } from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';

/** envd's messages as `@bufbuild/protobuf` knows them, from `proto/`: the built package has them not. */
const registry = createFileRegistry(
  fromBinary(
    FileDescriptorSetSchema,
    execFileSync('node_modules/.bin/buf', ['build', 'proto', '--as-file-descriptor-set', '-o', '-'], {
      cwd: fileURLToPath(new URL('../../..', import.meta.url)),
    }),
  ),
);

export const Process = registry.getService('process.Process');
export const { input: StartRequestSchema, output: StartResponseSchema } = Process.method.start;
