# tinysshd: keys only, one cipher, one key exchange, and the connection ends with its first session. It serves the
# socket that it is started on.
user "$login" /bin/bash
passwords
tinysshd-makekey /run/lab/tiny
tinysshd-printkey /run/lab/tiny >/run/lab/host.pub
setsid perl -MIO::Socket::INET -e '
	my $listener = IO::Socket::INET->new(LocalPort => 22, Listen => 64, ReuseAddr => 1) or die $!;
	open STDERR, ">", "/run/lab/sshd.log";
	$SIG{CHLD} = sub { 1 while waitpid(-1, 1) > 0 };
	while (1) {
		my $c = $listener->accept or next;
		if (!fork) {
			$SIG{CHLD} = "DEFAULT";
			open STDIN, "<&", $c;
			open STDOUT, ">&", $c;
			exec "tinysshd", "-v", "/run/lab/tiny";
		}
		close $c;
	}' >/dev/null &
until perl -MIO::Socket::INET -e 'exit !IO::Socket::INET->new("127.0.0.1:22")'; do :; done
