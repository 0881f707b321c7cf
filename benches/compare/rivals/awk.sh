#!/bin/sh
# The reference job in awk. Usage: awk.sh AWK PROCESSES PATH...
# Each process takes its share of the files; one more awk adds the parts.
set -eu
export LC_ALL=C
awk=$1 processes=$2
shift 2
here=$(dirname "$0")
if [ "$processes" = 1 ]; then
    "$awk" -f "$here/job.awk" "$@" | sort
    exit
fi
parts=$(mktemp -d)
trap 'rm -rf "$parts"' EXIT
share=$((($# + processes - 1) / processes))
printf '%s\0' "$@" | PARTS=$parts AWK=$awk JOB=$here/job.awk xargs -0 -n "$share" -P "$processes" sh -c \
    'exec "$AWK" -f "$JOB" "$@" > "$PARTS/$$"' sh
"$awk" -F '\t' '
    $1 == "device" { devices[$0] = 1; next }
    {
        key = $2 "\t" $3
        if (!(key in hits)) { first[key] = $5; last[key] = $6 }
        hits[key] += $4
        if ($5 < first[key]) first[key] = $5
        if ($6 > last[key]) last[key] = $6
    }
    END {
        for (key in hits) print "user\t" key "\t" hits[key] "\t" first[key] "\t" last[key]
        for (key in devices) print key
    }' "$parts"/* | sort
