/**
 * The programs that keep the output of a durable command, for a POSIX shell, with the GNU `tail` and `/proc`. Each is
 * called with `<role>:<id>` as its `$0`.
 *
 * `$HOME/.e2b-edge/durable/<id>/` has `meta` (process id of the keeper, cap, whether it was reserved, start, kind), `command`,
 * `pid` of the command, `out` and `err`, `out.full` and `err.full` where the cap was reached, and at the end `exit`.
 */

const common = `b=$HOME/.e2b-edge/durable id=\${0#*:} d=$b/$id
alive() { read -r keeper cap reserved since kind <"$d/meta" && grep -qs "keep:$id" "/proc/$keeper/cmdline"; }
`;

/**
 * Runs a command and keeps its output. Arguments: the cap in bytes, `command` or `terminal`, and the command. It says `ok` and whether the space
 * is reserved (1 or 0), or what is wrong, and ends with the command.
 *
 * The command's pipes are read by two `cat`s that may write files of the cap's size: what comes after that is read and
 * thrown away, so that the command is never held up. A shell tells a signal from an exit status above 128 only by what it
 * says of it, which is kept in `said`; of INT, PIPE and TERM not every shell says anything. The parentheses keep that out
 * of the command's own errors.
 *
 * A terminal is one inside of that which the keeper has: `script` copies what it prints, after a line of its own, which
 * is taken off here, and before a last one, which is left to the reader.
 */
export const keepProgram: string = `${common}cap=$1 kind=$2 m= o=$d/out.in
shift 2
for t in cat date find fallocate grep mkfifo mv rm tail wc; do
  command -v $t >/dev/null || [ $t = fallocate ] || m="$m $t"
done
[ -r /proc/$$/cmdline ] || m="$m /proc"
tail --pid=1 -s 1 -c +1 /dev/null >/dev/null 2>&1 || m="$m tail(GNU)"
[ $kind = terminal ] && case $(script --version 2>/dev/null) in
  *util-linux*) ;;
  *) m="$m script(util-linux)" ;;
esac
[ "$m" ] && { echo "missing$m"; exit 1; }
mask=$(umask)
umask 077
mkdir -p "$b" && { mkdir "$d" || { [ -s "$d/meta" ] && { echo exists; exit 1; }; }; } && : >"$d/out" && : >"$d/err" && mkfifo "$d/out.in" "$d/err.in" || { echo "denied $d"; exit 1; }
find "$b" -mindepth 2 -maxdepth 2 -name exit -mmin +1440 -exec sh -c 'rm -rf "\${0%/exit}"' {} \\;
r=1
for f in out err; do
  e=$(LC_ALL=C fallocate -n -l $cap "$d/$f" 2>&1) || case $e in
    *'No space'*) rm -rf "$d"; echo full; exit 1 ;;
    *) r=0 ;;
  esac
done
for c; do :; done
printf %s "$c" >"$d/command"
echo "$$ $cap $r $(date +%s) $kind" >"$d/meta"
if [ $kind = terminal ]; then
  set -- script -q -f -e -O "$o" -c "exec $*"
  o=/dev/tty
fi
for f in out err; do
  {
    [ $kind$f = terminalout ] && read -r header
    (trap '' XFSZ; ulimit -f $((cap / 512)); exec cat) 2>/dev/null || : >"$d/$f.full"
    exec cat >/dev/null
  } <"$d/$f.in" >>"$d/$f" &
done
exec 3>&1 >/dev/null 2>"$d/said"
umask $mask
(exec sh -c 'echo $$ >"$0/pid"; echo "ok $1" >&3; exec 3>&-; shift; exec "$@"' "$d" $r "$@") >"$o" 2>"$d/err.in"
c=$? s=
[ $c -gt 128 ] && { [ -s "$d/said" ] || case $kind$c in command130 | command141 | command143) ;; *) false ;; esac; } && s=$(kill -l $c)
: <>"$d/out.in"
wait
rm "$d/out.in" "$d/err.in"
truncate -s +0 "$d/out" "$d/err"
echo "$c $s" >"$d/exit.new"
mv "$d/exit.new" "$d/exit"
exit $c`;

/**
 * Prints what was kept from two offsets on (arguments), as its own output and errors, and what follows while the command
 * runs. One `tail` must not live on without the other, which would be silence in the place of an end: while the command
 * runs somebody looks after them. envd buries the dead when their pipes are closed, so a corpse counts as gone.
 */
export const readProgram: string = `${common}[ -d "$d" ] || exit 3
gone() {
  for p; do
    read -r s <"/proc/$p/stat" || return 0
    case $s in *') Z '*) return 0 ;; esac
  done
  return 1
}
live=
alive && live="--pid=$keeper -s 0.01 -f"
tail -c +$(($2 + 1)) $live "$d/err" >&2 2>/dev/null &
e=$!
if [ "$live" ]; then
  {
    until gone $$ $e; do sleep 0.5; done
    alive && kill $$ $e
  } >/dev/null 2>&1 &
fi
exec tail -c +$(($1 + 1)) $live "$d/out" 2>/dev/null`;

/**
 * Tells of the commands named as arguments, or of all: a line of numbers, the command, and a NUL. An end of which nobody
 * has left a word is written down here.
 */
export const statusProgram: string = `${common}cd "$b" 2>/dev/null || exit 0
[ $# = 0 ] && set -- *
for id; do
  d=$b/$id
  [ -r "$d/meta" ] || continue
  code= name= out= err=
  if alive; then code=running; elif [ ! -e "$d/exit" ]; then echo unknown >"$d/exit"; fi
  [ $code ] || read -r code name <"$d/exit"
  [ -e "$d/out.full" ] && out=full
  [ -e "$d/err.full" ] && err=full
  printf '%s\\n%s\\0' "$id $kind $keeper $cap $reserved $since $(wc -c <"$d/out") $(wc -c <"$d/err") \${out:-all} \${err:-all} $code $name" "$(cat "$d/command")"
done`;

/** Removes what was kept of a command. Ends with 3 when there is nothing, and with 4 when it runs. */
export const removeProgram: string = `${common}[ -d "$d" ] || exit 3
alive && exit 4
rm -rf "$d"`;

/**
 * Goes before the program that signals, and gives it the process id of the command, while it is surely the one meant.
 * Arguments: the signal, and `group` or nothing.
 */
export const signalPrefix: string = `${common}alive && read -r pid <"$d/pid" && grep -qs "^PPid:.$keeper$" "/proc/$pid/status" || exit 3
set -- "$pid" "$@"
`;
