# BIRD behind dropbear; its user has a shell and may read the configuration.
mkdir -m 750 /run/bird
chown bird:bird /run/bird
install -o bird -g bird -m 640 "$files/bird.conf" /etc/bird/bird.conf
bird -u bird -g bird -c /etc/bird/bird.conf
user "$login" /bin/sh bird
passwords
for kind in ed25519 rsa; do
	dropbearconvert openssh dropbear "$files/host_$kind" /run/lab/dropbear_$kind 2>>/run/lab/convert.log
done
dropbear -E -p 22 -r /run/lab/dropbear_ed25519 -r /run/lab/dropbear_rsa -P /run/lab/dropbear.pid 2>/run/lab/sshd.log
# A second one without an RSA key: this dropbear ends the connection of a client whose list of host keys names RSA first.
dropbear -E -p 2022 -r /run/lab/dropbear_ed25519 -P /run/lab/dropbear2.pid 2>/run/lab/sshd2.log
