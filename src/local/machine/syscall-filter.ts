/** Numbers of system calls on one architecture. */
interface Calls {
  /** How the kernel names the architecture (`AUDIT_ARCH_…`). */
  readonly arch: number;
  /** `add_key`, `request_key` and `keyctl`. */
  readonly keys: readonly number[];
  readonly socket: number;
}

/** Those of 64 bits, each with the older one whose programs it runs as well. */
const architectures: readonly Calls[] = [
  { arch: 0xc000_003e, keys: [248, 249, 250], socket: 41 },
  { arch: 0x4000_0003, keys: [286, 287, 288], socket: 359 },
  { arch: 0xc000_00b7, keys: [217, 218, 219], socket: 198 },
  { arch: 0x4000_0028, keys: [309, 310, 311], socket: 281 },
];
/** The same everywhere. */
const ioUringSetup = 425;
const afVsock = 40;

/** What the kernel shows a filter (`struct seccomp_data`): where in it is what. */
const at = { number: 0, arch: 4, firstArgument: 16 } as const;
/** Set in the numbers of x86-64's calls with short pointers, which are the same calls otherwise. */
const withoutShortPointers = 0xbfff_ffff;

const allow = 0x7fff_0000;
const failWith = (errno: number): number => 0x0005_0000 | errno;
const [enosys, eafnosupport] = [38, 97];

type Instruction = readonly [code: number, jumpIf: number, jumpElse: number, value: number];

const load = (offset: number): Instruction => [0x20, 0, 0, offset];
const and = (value: number): Instruction => [0x54, 0, 0, value];
const answer = (value: number): Instruction => [0x06, 0, 0, value];
const unlessEqual = (value: number, skip: number): Instruction => [0x15, 0, skip, value];

/**
 * A filter of system calls for what no namespace keeps apart. The keys of the session that the server was started
 * in would be every program's to read, and sandboxes could pass each other some; sockets to the machine that this
 * one is a guest of would lead out of any network. io_uring makes sockets past every filter. (Programs of 32 bits on
 * x86 have a second way to sockets, whose arguments no filter sees.)
 */
export function syscallFilter(): Buffer {
  return assembled([load(at.arch), ...architectures.flatMap(filterOf), answer(allow)]);
}

function filterOf({ arch, keys, socket }: Calls): Instruction[] {
  const body = [
    load(at.number),
    and(withoutShortPointers),
    ...[...keys, ioUringSetup].flatMap((call) => [unlessEqual(call, 1), answer(failWith(enosys))]),
    unlessEqual(socket, 3),
    load(at.firstArgument),
    unlessEqual(afVsock, 1),
    answer(failWith(eafnosupport)),
    answer(allow),
  ];
  return [unlessEqual(arch, body.length), ...body];
}

/** As `struct sock_filter` has them, on machines that have the lower byte first. */
function assembled(program: readonly Instruction[]): Buffer {
  const bytes = Buffer.alloc(program.length * 8);
  program.forEach(([code, jumpIf, jumpElse, value], index) => {
    bytes.writeUInt16LE(code, index * 8);
    bytes.writeUInt8(jumpIf, index * 8 + 2);
    bytes.writeUInt8(jumpElse, index * 8 + 3);
    bytes.writeUInt32LE(value, index * 8 + 4);
  });
  return bytes;
}
