/**
 * The program that signals processes inside of the sandbox, for what envd cannot: other signals than two, and more than
 * one process. It needs a POSIX shell and /proc. Its arguments are the process id, the signal's name without `SIG`, and
 * `group` or nothing; it ends with 3 when there is no such process, and with 1 when it may not signal it.
 *
 * Whoever is found is stopped first, so that it starts nobody new. Linux completes a fork that the signal met in the
 * middle, so all processes are looked at until nobody new was found twice while all were at a stop; up to a bound, as one
 * that waits for a disk may not stop for long. A kin is found by its parent, or by its process group or session, which
 * outlive the parent. A process's name may hold anything, so what is read begins after the last parenthesis.
 */
export const signalProgram = `root=$1 name=$2
failed() { [ -d "/proc/$root" ] && exit 1; exit 3; }
if [ -z "$3" ]; then kill -s "$name" "$root" || failed; exit 0; fi
kill -s STOP "$root" || failed
found=" $root " quiet=0 waits=2000
while [ $quiet -lt 2 ]; do
  quiet=$((quiet + 1))
  for dir in /proc/[0-9]*; do
    pid=\${dir#/proc/}
    [ "$pid" = $$ ] && continue
    stat=
    while IFS= read -r line || [ "$line" ]; do stat=$stat$line; done <"$dir/stat" || continue
    set -- \${stat##*) }
    case $found in *" $pid "*)
      case $1 in [TtXZ]) ;; *) [ $((waits -= 1)) -gt 0 ] && quiet=0 ;; esac
      continue ;;
    esac
    for kin in "$2" "$3" "$4"; do
      case $found in *" $kin "*)
        kill -s STOP "$pid" && found="$found$pid " quiet=0
        break ;;
      esac
    done
  done
done
kill -s "$name" $found
case $name in KILL | STOP) ;; *) kill -s CONT $found ;; esac
exit 0`;
