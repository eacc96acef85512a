#!/bin/sh
# Called by udhcpc with the event as argument and the lease in the environment (networking/udhcp/dhcpc.c of busybox).
# MOORING_LEASE: the lease file. MOORING_PID: first process of the container; empty for WiFi, where only the file is written.
set -u
event=${1:-}
case "${mask:-}" in
    '') prefix=24 ;;
    *.*) prefix=0; for octet in $(echo "$mask" | tr . ' '); do while [ "$octet" -gt 0 ]; do prefix=$((prefix + octet % 2)); octet=$((octet / 2)); done; done ;;
    *) prefix=$mask ;;
esac
write() {
    printf '{"interface":"%s","ip":"%s","subnet":"%s","prefix":"%s","router":"%s","dns":"%s","lease":"%s","serverid":"%s","event":"%s","timestamp":"%s"}\n' \
        "${interface:-}" "${ip:-}" "${subnet:-}" "$prefix" "${router:-}" "${dns:-}" "${lease:-0}" "${serverid:-}" "$event" "$(date +%s)" >"$MOORING_LEASE.new"
    mv "$MOORING_LEASE.new" "$MOORING_LEASE"
}
configure() {
    current=$(ip -4 -o addr show dev "$interface" | sed -n 's/.* inet \([0-9./]*\) .*/\1/p')
    if [ "$current" != "$ip/$prefix" ]; then
        ip -4 addr flush dev "$interface"
        ip addr add "$ip/$prefix" ${broadcast:+broadcast "$broadcast"} dev "$interface"
    fi
    [ -z "${mtu:-}" ] || ip link set "$interface" mtu "$mtu"
    for gateway in ${router:-}; do
        ip route replace default via "$gateway" dev "$interface" metric 100
        break
    done
    # Pairs of destination and gateway (RFC 3442); they come first where both are given.
    set -- ${staticroutes:-${msstaticroutes:-}}
    while [ $# -ge 2 ]; do
        ip route replace "$1" via "$2" dev "$interface"
        shift 2
    done
    file=/proc/$MOORING_PID/root/etc/resolv.conf
    [ -z "${dns:-}" ] || { [ -z "${domain:-}" ] || echo "search $domain"; for server in $dns; do echo "nameserver $server"; done; } 2>/dev/null >"$file"
}
case "$event" in
    bound | renew)
        [ -z "${MOORING_PID:-}" ] || configure
        write
        ;;
    deconfig)
        [ -z "${MOORING_PID:-}" ] || { ip link set "$interface" up; ip -4 addr flush dev "$interface"; }
        [ ! -e "$MOORING_LEASE" ] || write
        ;;
    leasefail | nak) [ -e "$MOORING_LEASE" ] || write ;;
esac
exit 0
