# A network of its own and nothing in it: interfaces, routes and servers come from the test.
set -eu
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
read -r _ # wired
ip link set lo up
