/** What a change to a file is. */
export type GitStatusLabel =
  | 'conflict'
  | 'renamed'
  | 'copied'
  | 'deleted'
  | 'added'
  | 'modified'
  | 'typechange'
  | 'untracked'
  | 'unknown';

/** A file that is not as it was committed. */
export interface GitFileStatus {
  /** Its path below the root of the repository, exactly. */
  name: string;
  status: GitStatusLabel;
  /** git's letter for the index; a space where nothing has changed there. */
  indexStatus: string;
  /** git's letter for the working tree; a space where nothing has changed there. */
  workingTreeStatus: string;
  /** Whether the index has a change of it. */
  staged: boolean;
  /** Its path before, where it was renamed or copied. */
  renamedFrom?: string;
}

/** The state of a repository. */
export interface GitStatus {
  /** Absent while HEAD is detached. */
  currentBranch?: string;
  upstream?: string;
  /** Commits that the upstream does not have. */
  ahead: number;
  /** Commits that only the upstream has. */
  behind: number;
  /** Whether HEAD names a commit and no branch. */
  detached: boolean;
  fileStatus: GitFileStatus[];
  isClean: boolean;
  hasChanges: boolean;
  hasStaged: boolean;
  hasUntracked: boolean;
  hasConflicts: boolean;
  totalCount: number;
  stagedCount: number;
  unstagedCount: number;
  untrackedCount: number;
  conflictCount: number;
}

/** The local branches of a repository. */
export interface GitBranches {
  branches: string[];
  /** Absent while HEAD is detached, and before the first commit. */
  currentBranch?: string;
}

/** In the order in which one of two letters wins. */
const labels: readonly (readonly [letter: string, label: GitStatusLabel])[] = [
  ['R', 'renamed'],
  ['C', 'copied'],
  ['D', 'deleted'],
  ['A', 'added'],
  ['M', 'modified'],
  ['T', 'typechange'],
];

/** Reads `git status --porcelain=v2 --branch -z`, which leaves names as they are. */
export function parseStatus(output: string): GitStatus {
  const head: Record<string, string> = {};
  const fileStatus: GitFileStatus[] = [];
  const records = output.split('\0').values();
  for (const record of records) {
    const [kind = '', ...fields] = record.split(' ');
    if (kind === '#') head[fields[0] ?? ''] = fields.slice(1).join(' ');
    else if (kind === '?') fileStatus.push(fileOf('??', fields.join(' '), 'untracked'));
    else if (kind === '1') fileStatus.push(fileOf(fields[0], fields.slice(7).join(' ')));
    else if (kind === 'u') fileStatus.push(fileOf(fields[0], fields.slice(9).join(' '), 'conflict'));
    else if (kind === '2') {
      const renamedFrom = records.next().value ?? '';
      fileStatus.push({ ...fileOf(fields[0], fields.slice(8).join(' ')), renamedFrom });
    }
  }
  const { 'branch.head': branch, 'branch.upstream': upstream, 'branch.ab': distance = '' } = head;
  const [, ahead = 0, behind = 0] = /^\+(\d+) -(\d+)$/.exec(distance) ?? [];
  const detached = branch === '(detached)';
  const count = (counts: (file: GitFileStatus) => boolean): number => fileStatus.filter(counts).length;
  const totalCount = fileStatus.length;
  const stagedCount = count(({ staged }) => staged);
  const untrackedCount = count(({ status }) => status === 'untracked');
  const conflictCount = count(({ status }) => status === 'conflict');
  return {
    ...(branch !== undefined && !detached && { currentBranch: branch }),
    ...(upstream !== undefined && { upstream }),
    ahead: Number(ahead),
    behind: Number(behind),
    detached,
    fileStatus,
    isClean: totalCount === 0,
    hasChanges: totalCount > 0,
    hasStaged: stagedCount > 0,
    hasUntracked: untrackedCount > 0,
    hasConflicts: conflictCount > 0,
    totalCount,
    stagedCount,
    unstagedCount: totalCount - stagedCount,
    untrackedCount,
    conflictCount,
  };
}

/** Reads the names of branches, each with a `*` before it where it is the current one. */
export function parseBranches(output: string): GitBranches {
  const lines = output.split('\n').filter(Boolean);
  const current = lines.find((line) => line.startsWith('*'))?.slice(1);
  return {
    branches: lines.map((line) => line.slice(1)),
    ...(current !== undefined && { currentBranch: current }),
  };
}

function fileOf(letters = '..', name: string, label?: GitStatusLabel): GitFileStatus {
  const [indexStatus = ' ', workingTreeStatus = ' '] = letters.replaceAll('.', ' ');
  return {
    name,
    status: label ?? labels.find(([letter]) => letters.includes(letter))?.[1] ?? 'unknown',
    indexStatus,
    workingTreeStatus,
    staged: indexStatus !== ' ' && indexStatus !== '?',
  };
}
