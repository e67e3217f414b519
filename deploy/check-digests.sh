#!/bin/sh
# Asks the registry whether the tags of compose.digests.yml still lead to the digests beside them. Needs Docker with
# buildx, pulls nothing. Ends with 1 where one leads elsewhere or was not answered.
set -eu
cd "$(dirname "$0")"

result=0
for image in $(sed -n 's/^ *image: //p' compose.digests.yml | sort -u); do
  tag=${image%@*} expected=${image#*@}
  if ! found=$(docker buildx imagetools inspect "$tag" --format '{{.Manifest.Digest}}'); then
    echo "not known  $tag: no answer of the registry"
  elif [ "$found" = "$expected" ]; then
    echo "the same   $tag"
    continue
  else
    echo "ANOTHER    $tag: $found, and not $expected"
  fi
  result=1
done
exit $result
