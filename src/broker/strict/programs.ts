/**
 * The programs of strict mode, for `/bin/sh` with GNU coreutils and findutils. They run as the pinned user, so the kernel
 * keeps them to what that user may; that they keep to the prefixes as well is looked at where nothing can change any
 * more: at the directory that was entered, or at the file that was opened, and not at a path before it is used.
 *
 * What comes from a page are positional parameters, and never a part of the text. A place takes `dir name count
 * prefix…`: a name in a directory, and the prefixes that it has to be within one of.
 */

/** What a program ends with when it says no. */
export const ProgramExit = {
  notGranted: 70,
  notFound: 71,
  isDirectory: 72,
  noPermission: 73,
  notRegular: 74,
  exists: 75,
  notDirectory: 76,
  noSpace: 77,
  badRange: 78,
  failed: 79,
  sizeDiffers: 80,
  noProgram: 127,
} as const;

const prelude = `
PATH=/usr/bin:/bin LC_ALL=C
export PATH LC_ALL
umask 022

within() {
  at=$1 count=$2
  shift 2
  while [ "$count" -gt 0 ]; do
    [ "$1" = / ] && return
    case $at in "$1" | "$1"/*) return ;; esac
    shift
    count=$((count - 1))
  done
  exit 70
}

# The path of a name in the directory that this is in, as the kernel has it.
here() {
  at=$(pwd -P; printf x)
  at=\${at%?x}
  at=\${at%/}/$1
}

failed() {
  case $1 in
    *': No such file or directory') exit 71 ;;
    *': Permission denied' | *': Operation not permitted' | *': Read-only file system') exit 73 ;;
    *': Not a directory') exit 76 ;;
    *': No space left on device' | *': Disk quota exceeded') exit 77 ;;
  esac
  printf '%s\\n' "$1" >&2
  exit 79
}

explain() {
  why=$(stat -L -- "$1" 2>&1 > /dev/null) || failed "$why"
  [ -d "$1" ] && exit 73
  exit 76
}

# Refuses a name by where it leads to now, so that nothing is told of what is elsewhere: until it is used it may change.
# leads path name count prefix...
leads() {
  at=$(readlink -m -- "$1" && printf x) || return 0
  at=\${at%?x}
  at=\${at%/}/$2
  shift 2
  within "$at" "$@"
}

# enter make dir name count prefix...
enter() {
  make=$1 dir=$2 name=$3
  shift 3
  leads "$dir" "$name" "$@"
  if ! cd -P -- "$dir" 2> /dev/null; then
    [ "$make" ] && [ ! -e "$dir" ] || explain "$dir"
    cd /
    rest=\${dir#/}
    while [ "$rest" ]; do
      part=\${rest%%/*}
      case $rest in */*) rest=\${rest#*/} ;; *) rest= ;; esac
      cd -P -- "./$part" 2> /dev/null && continue
      here "$part"
      within "$at" "$@"
      why=$(mkdir -- "./$part" 2>&1) || [ -d "./$part" ] || failed "$why"
      cd -P -- "./$part" 2> /dev/null || explain "./$part"
    done
  fi
  here "$name"
  within "$at" "$@"
}

# Kind, kind of the target, mode, size, time, owner, group, name; and of links: name, target, mode of it.
describe() {
  find "$@" -printf 'e\\0%y\\0%Y\\0%m\\0%s\\0%T@\\0%u\\0%g\\0%P\\0' 2> /dev/null
  find "$@" -type l -exec sh -c '
    base=$(pwd -P; printf x)
    base=\${base%?x}
    for link do
      target=$(readlink -e -- "$link" && printf x) || target=\${base%/}/\${link#./}.x
      printf "l\\0%s\\0%s\\0%s\\0" "\${link#./}" "\${target%?x}" "$(stat -L -c %a -- "$link" 2> /dev/null)"
    done' sh {} + 2> /dev/null
}

# GNU's find, or nothing of this works.
find / -maxdepth 0 -printf '' 2> /dev/null || exit 127
`;

/** `place` */
export const statProgram: string = `${prelude}
enter '' "$@"
[ -e "./$name" ] || [ -L "./$name" ] || explain "./$name"
describe "./$name" -maxdepth 0
`;

/** `depth place`: the directory is the place itself, with the name `.`. */
export const listProgram: string = `${prelude}
depth=$1
shift
enter '' "$@"
[ -r . ] || exit 73
describe . -mindepth 1 -maxdepth "$depth"
exit 0
`;

/** `place` */
export const makeDirProgram: string = `${prelude}
enter 1 "$@"
[ -d "./$name" ] && exit 75
[ -e "./$name" ] || [ -L "./$name" ] && exit 76
why=$(mkdir -- "./$name" 2>&1) || failed "$why"
describe "./$name" -maxdepth 0
`;

/** `place` */
export const removeProgram: string = `${prelude}
enter '' "$@"
why=$(rm -rf -- "./$name" 2>&1) || failed "$why"
`;

/** `place place`: from, to. The directories are held open, so that both names are in those that were looked at. */
export const moveProgram: string = `${prelude}
enter '' "$@"
from=$name
shift $(($3 + 3))
[ -e "./$from" ] || [ -L "./$from" ] || explain "./$from"
[ -r . ] || exit 73
exec 5< .
enter 1 "$@"
why=$(mv -fT -- "/proc/self/fd/5/$from" "./$name" 2>&1) || failed "$why"
describe "./$name" -maxdepth 0
`;

/**
 * `from to unless place`: the bytes from one offset to another, both may be empty as in a Range header; all of them if
 * the file is of another time than \`unless\`, in seconds. Before them a line: size, time, first byte, number of bytes.
 */
export const readProgram: string = `${prelude}
from=$1 to=$2 unless=$3
shift 3
enter '' "$@"
shift 2
leads "./$name" '' "$@"
[ -e "./$name" ] || explain "./$name"
[ -d "./$name" ] && exit 72
[ -f "./$name" ] || exit 74
[ -r "./$name" ] || exit 73
exec 3< "./$name"
[ -f /proc/self/fd/3 ] || exit 74
at=$(readlink /proc/self/fd/3; printf x)
within "\${at%?x}" "$@"
line=$(stat -L -c '%s %Y' /proc/self/fd/3) || exit 79
size=\${line% *} time=\${line#* }
if [ "$unless" ] && [ "$unless" != "$time" ]; then from= to=; fi
if [ ! "$from" ] && [ "$to" ]; then
  [ "$to" -gt 0 ] || exit 78
  from=$((size > to ? size - to : 0)) to=
fi
first=\${from:-0} last=\${to:-$((size - 1))}
[ "$last" -lt "$size" ] || last=$((size - 1))
[ ! "$from" ] || [ "$first" -le "$last" ] || exit 78
count=$((last - first + 1))
printf '%s %s %s %s\\n' "$size" "$time" "$first" "$count"
if [ "$first" -gt 0 ]; then
  tail -c "+$((first + 1))" <&3 | head -c "$count"
else
  head -c "$count" <&3
fi
`;

/**
 * `size place`: what comes in becomes the file when it is all there, under a name of its own until then. A size that is
 * empty is not known. A line says that it may come; SIGTERM and the end of it that it is not to become the file.
 */
export const writeProgram: string = `${prelude}
size=$1 temporary=.e2b-edge-$2
shift 2
enter 1 "$@"
shift 2
if [ -L "./$name" ]; then
  target=$(readlink -f -- "./$name" && printf x) || failed "./$name: Too many levels of symbolic links"
  target=\${target%?x}
  within "$target" "$@"
  name=\${target##*/}
  dir=\${target%/*}
  enter '' "\${dir:-/}" "$name" "$@"
  [ -L "./$name" ] && exit 70
fi
[ -d "./$name" ] && exit 72
if [ -e "./$name" ]; then
  [ -f "./$name" ] || exit 74
  [ -w "./$name" ] || exit 73
fi
[ -w . ] || exit 73
stopped=
trap 'stopped=1' TERM
set -C
exec 4> "./$temporary"
trap 'rm -f -- "./$temporary"' EXIT
printf '\\n'
why=$(cat 2>&1 >&4) || failed "$why"
[ ! "$stopped" ] || exit 79
at=$(readlink /proc/self/fd/4; printf x)
within "\${at%?x}" "$@"
if [ "$size" ] && [ "$(stat -L -c %s /proc/self/fd/4)" != "$size" ]; then exit 80; fi
if [ -e "./$name" ]; then
  chmod "$(stat -c %a -- "./$name")" "./$temporary"
fi
[ ! "$stopped" ] || exit 79
why=$(mv -fT -- "./$temporary" "./$name" 2>&1) || failed "$why"
trap - EXIT
`;
