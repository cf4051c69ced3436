# rsyslog as Debian has it hears what the node's programs log by syslog(3), and a /dev of the node's own is where they do.
mkdir -p /run/dev/pts /run/dev/shm
for device in null zero full random urandom tty; do
	touch /run/dev/$device
	mount --bind /dev/$device /run/dev/$device
done
ln -s pts/ptmx /run/dev/ptmx
ln -s /proc/self/fd /run/dev/fd
mount --bind /dev/pts /run/dev/pts
mount --rbind /run/dev /dev
rsyslogd -f "$files/rsyslog.conf" -i /run/lab/rsyslogd.pid

# start_sshd starts OpenSSH, which logs there
start_sshd() {
	cp "$files/sshd_config" /run/lab/sshd_config
	install -m 600 "$files"/host_* /run/lab/
	/usr/sbin/sshd -f /run/lab/sshd_config
}
