# Sourced by the scripts beside it. Everything they make lives under $ENGINE_DIR and in two private network namespaces;
# the machine's own interfaces, engine and firewall are never touched.
ENGINE_DIR=${MOORING_ENGINE_DIR:-${TMPDIR:-/tmp}/mooring-engine}
HOST_NS=${MOORING_HOST_NS:-moorhost}   # the edge host: engine, agent and network monitor run here
LAN_NS=${MOORING_LAN_NS:-moorlan}      # the plant LAN: a bridge with a DHCP server
HERE=$(cd "$(dirname "$0")" && pwd)
DOCKER_SOCK=$ENGINE_DIR/docker.sock
mkdir -p "$ENGINE_DIR"
in_host() { nsenter --net=/run/netns/$HOST_NS "$@"; } # not `ip netns exec`: it hides /sys/fs/cgroup
in_lan() { nsenter --net=/run/netns/$LAN_NS "$@"; }
alive() { [ -s "$1" ] && kill -0 "$(cat "$1")" 2>/dev/null; }
