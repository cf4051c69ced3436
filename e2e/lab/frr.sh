# FRR with vtysh as the login shell of its user, as Debian sets it up: the user is in frrvty and in no other group.
mkdir -m 755 /run/frr
chown frr:frr /run/frr
install -o frr -g frr -m 640 "$files/frr.conf" /etc/frr/frr.conf
for daemon in zebra $(cat "$files/daemons"); do
	/usr/lib/frr/$daemon -d -A 127.0.0.1 >/run/lab/$daemon.log 2>&1
done
vtysh -b >/run/lab/vtysh.log 2>&1
user "$login" /usr/bin/vtysh frrvty
passwords
start_sshd
