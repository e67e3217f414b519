#!/bin/sh
# while-open.sh DIRECTORY PROGRAM [ARGUMENTS]
# Runs a program for as long as standard input stays open, then ends it and removes the directory:
# whoever started it may be killed without warning, and a stopped redis-server must not stay behind.
# Its first line of output is the program's process id; the program's own output goes to log.txt.
set -u
directory=$1
shift
"$@" > "$directory/log.txt" 2>&1 < /dev/null &
program=$!
echo "$program"

end() {
  kill -CONT "$program" 2> /dev/null
  kill -TERM "$program" 2> /dev/null
  for _ in 1 2 3 4 5 6 7 8 9 10; do
    kill -0 "$program" 2> /dev/null || break
    sleep 0.2
  done
  kill -KILL "$program" 2> /dev/null
  wait "$program" 2> /dev/null
  rm -rf "$directory"
  exit 0
}
# A key on the terminal reaches the whole process group; only the end of input counts here.
trap '' INT
trap end TERM

cat > /dev/null
end
