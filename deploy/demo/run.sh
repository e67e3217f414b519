#!/bin/sh
# The demo, beside whatever runs here and apart from it:
#
#   deploy/demo/run.sh           starts it and says where it is
#   deploy/demo/run.sh down      takes all of it away
#   deploy/demo/run.sh WORD...   what `docker compose WORD` does, to the demo: ps, logs
set -eu
cd "$(dirname "$0")/../.."

# A variable of this shell would win over the demo's, and may be that of a stealwatch that runs here.
for name in $(sed -n 's/^#*\([A-Z_]*\)=.*/\1/p' .env.example | grep -v '^EXPORTER_OOM_SCORE_ADJ$'); do
  unset "$name"
done

demo() {
  docker compose -p stealwatch-demo --env-file deploy/demo/env \
    -f docker-compose.yml -f deploy/demo/compose.yml "$@"
}

case ${1-up} in
  up)
    demo up -d --build --wait
    cat <<END

The demo runs:      http://127.0.0.1:20191, with a button that freezes its Redis
The exporter:       http://127.0.0.1:20190
Alerts:             http://127.0.0.1:19090/alerts and http://127.0.0.1:19093
Grafana:            http://127.0.0.1:13000, admin, only-for-the-demo
From another desk:  ssh -L 20191:127.0.0.1:20191 -L 20190:127.0.0.1:20190 -L 13000:127.0.0.1:13000 HOST
To end it:          $0 down
END
    ;;
  down) demo down -v --remove-orphans --timeout 5 ;;
  *) demo "$@" ;;
esac
