#!/usr/bin/env bash
# Instructions per byte of log, format by format, beside those that were recorded.
#
#   benches/instructions.sh            fails where a format takes 15 % more than recorded
#   benches/instructions.sh --record   writes benches/instructions.tsv anew
#
# Instructions are counted by valgrind, so that the result does not hang on what else the machine
# does; they hang a little on the compiler, hence the 15 %. A log is made of one sample over and
# over, once short and once long: the difference is free of what the program does once a run.
# Needs the release build and valgrind; where there is no valgrind it says so and checks nothing.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

recorded=benches/instructions.tsv
program=target/release/calproof
limit=115
short=20 long=120

if ! command -v valgrind >/dev/null; then
    echo 'left out: valgrind is not installed (on Debian: apt-get install valgrind)'
    exit 0
fi
[ -x "$program" ] || {
    echo "found no $program; run \`cargo build --release\` first" >&2
    exit 1
}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# Rows of a web server: two of three turned away, the others of 40 people.
web_rows() {
    awk -v copies="$1" 'BEGIN {
        print "#Software: Microsoft Internet Information Services 8.5"
        print "#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) sc-status sc-substatus time-taken"
        for (i = 0; i < copies * 60; i++) {
            person = i % 40
            printf "2015-01-13 %02d:%02d:%02d 10.0.0.11 ", i / 3600 % 24, i / 60 % 60, i % 60
            if (i % 2) printf "POST /owa/service.svc action=GetItem&EP=1&ID=-%d&AC=1&CorrelationID=25d5b996-a2d2-9b06-4d3f-e6dace%06d ", i, i
            else printf "POST /Microsoft-Server-ActiveSync/default.eas Cmd=Sync&User=contoso%%5Cu%d&DeviceId=Appl%d&DeviceType=iPhone&Log=V141_Fc1_Fid:2_Ty:Em_As:AllowedG_S:1_Budget:(D)%d_ ", person, person, i
            if (i % 3) print "443 - 10.1.1." person " Mozilla/5.0+(Windows+NT+6.1;+WOW64;+Trident/7.0;+rv:11.0)+like+Gecko 401 2 5"
            else print "443 CONTOSO\\u" person " 10.1.1." person " Mozilla/5.0+(Windows+NT+6.1;+WOW64;+Trident/7.0;+rv:11.0)+like+Gecko 200 0 31"
        }
    }'
}

# The directives of a sample once, and the rest over and over.
repeated() {
    grep -a '^#' "$1" || true
    for ((i = 0; i < $2; i++)); do
        grep -av '^#' "$1"
    done
}

make_log() {
    case $1 in
    iis-w3c) web_rows "$2" ;;
    exchange-httpproxy) repeated samples/exchange-httpproxy/authenticated/input.log "$2" ;;
    exchange-imap4) repeated samples/exchange-imap4/front-end/input.log "$2" ;;
    exchange-smtp-receive) repeated samples/exchange-smtp-receive/auth-login/input.log "$2" ;;
    ocs-trace) repeated samples/ocs-trace/conference/input.log "$2" ;;
    esac
}

instructions() {
    mkdir -p "$scratch/$1"
    make_log "$1" "$2" >"$scratch/$1/input.log"
    # An old file is mapped, as logs mostly are.
    touch -d '2020-01-01' "$scratch/$1/input.log"
    # Some samples have odd rows on purpose: the program says so, which is no failure here.
    valgrind --tool=callgrind --callgrind-out-file=/dev/null --log-file="$scratch/counted" \
        "$program" scan "$scratch/$1" -j 1 --digest none --quiet --output "$scratch/report" || [ $? = 1 ]
    awk '/Collected/ { print $NF }' "$scratch/counted"
}

worse=0
measured=$(
    for format in iis-w3c exchange-httpproxy exchange-imap4 exchange-smtp-receive ocs-trace; do
        few=$(instructions "$format" $short)
        few_bytes=$(stat -c %s "$scratch/$format/input.log")
        many=$(instructions "$format" $long)
        many_bytes=$(stat -c %s "$scratch/$format/input.log")
        awk -v f="$format" -v i=$((many - few)) -v b=$((many_bytes - few_bytes)) \
            'BEGIN { printf "%s\t%.2f\n", f, i / b }'
    done
)
if [ "${1:-}" = --record ]; then
    printf '%s\n' "$measured" >"$recorded"
    cat "$recorded"
    exit 0
fi
while IFS=$'\t' read -r format now; do
    before=$(awk -F '\t' -v f="$format" '$1 == f { print $2 }' "$recorded")
    [ -n "$before" ] || {
        echo "$recorded has no line for $format; record it anew" >&2
        exit 1
    }
    verdict=$(awk -v n="$now" -v b="$before" -v l=$limit 'BEGIN { print (n * 100 > b * l) ? "MORE" : "fine" }')
    printf '%-24s %7s instructions a byte, recorded %7s: %s\n' "$format" "$now" "$before" "$verdict"
    [ "$verdict" = fine ] || worse=1
done <<<"$measured"
if [ $worse = 1 ]; then
    echo "more than 15 % above what was recorded; make it faster, or say why in the commit that records it anew" >&2
    exit 1
fi
