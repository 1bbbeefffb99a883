/** What the program ends with when it has signalled; the key itself must not come after that. */
export const signalledExit = 10;

/**
 * Lets an interrupt key through to a program that does not read. After ~16 KB that nobody reads the kernel's terminal
 * takes nothing more, and the key waits like any other input. The arguments are the process id of the terminal's shell,
 * and the signal's name without `SIG`. It needs a POSIX shell and /proc.
 *
 * What is unread is thrown away, as the kernel itself does it when such a key arrives; then there is room for the key.
 * Where that cannot be done (it takes GNU's dd), or is not wanted (`noflsh`), the foreground group is signalled in the
 * key's place.
 *
 * A program that has turned off what the keys mean (`-isig`, as editors do) is left alone: the key is input to it. If it
 * has made a terminal of its own, as `script` does, its input is passed on, and that terminal is the one that is meant.
 *
 * The terminal is the one that the kernel names, by its number: what a program has open may be anything. A process's name
 * may be anything as well, so what is read of /proc begins after the last parenthesis.
 */
export const interruptProgram: string = `exec 2>/dev/null
PATH=/usr/bin:/bin LC_ALL=C
export PATH LC_ALL
pid=$1 name=$2
facts() {
  stat=
  while IFS= read -r line || [ "$line" ]; do stat=$stat$line; done <"/proc/$1/stat" || return
  set -- \${stat##*) }
  parent=$2 group=$3 session=$4 tty=$5 foreground=$6
  device=/dev/pts/$((tty & 255 | tty >> 12 & ~255))
  [ $((tty >> 8 & 4095)) = 136 ] || device=
}
inner() {
  outer=$tty holder=$foreground
  for dir in /proc/[0-9]*; do
    pid=\${dir#/proc/}
    facts "$pid" && [ "$session" = "$pid" ] && [ "$tty" != 0 ] && [ "$tty" != "$outer" ] || continue
    facts "$parent" && [ "$group" = "$holder" ] && [ "$tty" = "$outer" ] && facts "$pid" && return
  done
  return 1
}
facts "$pid" || exit 3
while settings=$(stty -a <"$device"); do
  case $settings in *-isig*) inner || exit 0 ;; *) break ;; esac
done
case $settings in '' | *[!-]noflsh*) ;; *)
  if dd if=/dev/null iflag=nonblock; then
    quiet=0
    while [ "$quiet" -lt 5 ]; do
      quiet=$((quiet + 1))
      [ "$(dd if="$device" iflag=nonblock bs=64k | wc -c)" = 0 ] || quiet=0
      sleep 0.02
    done
    exit 0
  fi
esac
facts "$pid" && [ "$foreground" -gt 1 ] && kill -s "$name" -- "-$foreground" && exit ${signalledExit}
exit 1`;
