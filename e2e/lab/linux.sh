# An ordinary server.
user "$login" /bin/bash
passwords
start_sshd
