# The first half of every node: a private root of /etc, /run and /dev/pts, its users, its address.
# It is the first process of its namespaces; when its standard input ends, it ends, and the node with it.
#   $1 directory with the node's files   $2 name
set -eu
files=$1
node=$2
export PATH=/usr/sbin:/usr/bin:/sbin:/bin

read -r _ # wired

mount --make-rprivate /
mount -t proc proc /proc
mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts /dev/pts
mount -t tmpfs -o mode=755 tmpfs /run
mount -t tmpfs -o mode=755 tmpfs /home
for d in /var/log /var/tmp; do mount -t tmpfs -o mode=1777 tmpfs $d; done
cp -a /etc /run/etc
mount --bind /run/etc /etc
rm -f /etc/nologin /etc/motd /etc/legal
mkdir -p /run/sshd /run/lab
hostname "$node"
echo "$node" >/etc/hostname
printf 'auth required pam_unix.so\naccount required pam_unix.so\nsession required pam_unix.so\n' >/etc/pam.d/sshd

ip link set lo up
while read -r dev cidr; do
	ip addr add "$cidr" dev "$dev"
	ip link set "$dev" up
done <"$files/addresses"

# user NAME SHELL [GROUPS]: a login with the node's password and key
user() {
	useradd -m -s "$2" ${3:+-G "$3"} "$1"
	mkdir -p "/home/$1/.ssh"
	cp "$files/authorized_keys" "/home/$1/.ssh/authorized_keys"
	chown -R "$1:" "/home/$1"
	chmod -R go= "/home/$1"
}

# the login of the node, and its password
login=$(cut -d: -f1 "$files/passwords")
passwords() { chpasswd -c SHA512 <"$files/passwords"; }

# sshd starts OpenSSH with the node's own settings
start_sshd() {
	cp "$files/sshd_config" /run/lab/sshd_config
	install -m 600 "$files"/host_* /run/lab/
	if [ -e "$files/motd" ]; then cp "$files/motd" /etc/motd; fi
	/usr/sbin/sshd -f /run/lab/sshd_config -E /run/lab/sshd.log
}
