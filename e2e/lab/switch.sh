# The wires between all: one bridge a network. Node by node they are plugged in from outside.
read -r _ # wired
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
