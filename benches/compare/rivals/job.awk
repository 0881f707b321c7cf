# The reference job for one process of mawk or gawk; run with LC_ALL=C. partial.sh merges several.
/^#/ { next }
$8 == "-" || $8 == "Anonymous" || $12 == "401" || $12 == "403" { next }
index($6, "LogoffReason=NoCookies") { next }
{
    name = tolower($8)
    key = $3 "\t" name
    instant = $1 " " $2
    if (!(key in hits)) first[key] = last[key] = instant
    hits[key]++
    if (instant < first[key]) first[key] = instant
    if (instant > last[key]) last[key] = instant
    at = index($6, "DeviceId=")
    if (at) {
        device = substr($6, at + 9)
        end = index(device, "&")
        if (end) device = substr(device, 1, end - 1)
    } else device = $9 " " $10
    devices[name "\t" device] = 1
}
END {
    for (key in hits) print "user\t" key "\t" hits[key] "\t" first[key] "\t" last[key]
    for (key in devices) print "device\t" key
}
