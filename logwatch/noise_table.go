package logwatch

// sshd is what OpenSSH's server calls itself: from release 9.8 on, a session has a program of its own.
var sshd = []string{"sshd", "sshd-session", "sshd-auth"}

// shippedNoise is the table of known noise, sorted by name. What it says of messages is from the documents of those who make
// the devices and programs, which each reason names.
var shippedNoise = []NoiseRule{
	{
		Rule: Rule{Name: "acl-log-limit", Mnemonics: []string{"SEC-6-IPACCESSLOGRL"}},
		Reason: "The router logs that it left out lines of access lists, as their rate is limited; the packets were treated as the lists say." +
			" Cisco IOS System Message Guide, SEC-6-IPACCESSLOGRL.",
		Example: "<190>52: *Mar  1 18:46:11.123: %SEC-6-IPACCESSLOGRL: access-list logging rate-limited or missed 27 packets",
	},
	{
		Rule: Rule{Name: "asa-denied-inbound", Mnemonics: []string{"ASA-2-106001", "ASA-2-106006", "ASA-2-106007"}},
		Reason: "Each packet from outside that the firewall's policy denies is logged as critical: that is the Internet as usual." +
			" Cisco Secure Firewall ASA Series Syslog Messages, 106001, 106006 and 106007.",
		Example: "<162>Jul 14 2026 12:00:00: %ASA-2-106001: Inbound TCP connection denied from 198.51.100.7/51234 to 192.0.2.8/22 flags SYN  on interface outside",
	},
	{
		Rule: Rule{Name: "asa-no-connection", Mnemonics: []string{"ASA-6-106015"}},
		Reason: "The last packets of a connection that the firewall has closed before: each host that is slow to hang up makes some." +
			" Cisco Secure Firewall ASA Series Syslog Messages, 106015.",
		Example: "<166>Jul 14 2026 12:00:00: %ASA-6-106015: Deny TCP (no connection) from 198.51.100.7/443 to 192.0.2.8/51234 flags FIN ACK  on interface outside",
	},
	{
		Rule:    Rule{Name: "cron-session", Apps: []string{"cron", "crond"}, Match: `^pam_unix\(crond?:session\): session (?:opened|closed) for user `},
		Reason:  "PAM logs the beginning and the end of each job of cron, every few minutes for ever. pam_unix(8).",
		Example: "<86>Jul 14 12:00:01 srv1 CRON[4711]: pam_unix(cron:session): session opened for user root(uid=0) by (uid=0)",
	},
	{
		Rule: Rule{Name: "dropbear-before-auth", Apps: []string{"dropbear"},
			Match: `^Exit before auth.*: (?:Exited normally|Disconnect received|Timeout before auth|Error (?:reading|writing): .*|Remote closed.*)$`},
		Reason:  "A client of SSH went away before it logged in, as scanners and monitors do, muster's own scan among them. dropbear(8).",
		Example: "<86>Jul 14 12:00:01 ap3 dropbear[812]: Exit before auth from <198.51.100.7:51234>: Exited normally",
	},
	{
		Rule: Rule{Name: "eos-agent-initialized", Mnemonics: []string{"AGENT-6-INITIALIZED"}},
		Reason: "An agent of EOS is ready, as each is after a start. That one had to be started again is another message, PROCMGR's." +
			" Arista EOS System Message Guide, AGENT-6-INITIALIZED.",
		Example: "<190>Jul 14 12:00:00 leaf1 Lldp: %AGENT-6-INITIALIZED: Agent 'Lldp' initialized; pid=2318",
	},
	{
		Rule: Rule{Name: "eos-show-command", Mnemonics: []string{"ACCOUNTING-6-CMD"}, Match: `\bcmd=(?:show|terminal|enable)\b`},
		Reason: "Somebody typed a command that only shows something, as each backup does. Its words, such as \"show logging | include error\"," +
			" are no errors. Arista EOS User Manual, AAA accounting.",
		Example: "<190>Jul 14 12:00:00 leaf1 Aaa: %ACCOUNTING-6-CMD: admin vty3 192.0.2.17 stop service=shell priv-lvl=15 cmd=show logging | include error <cr>",
	},
	{
		Rule: Rule{Name: "huawei-display-command", Mnemonics: []string{"*SHELL/?/DISPLAY_CMDRECORD*"}},
		Reason: "Somebody typed a command that only displays something, as each backup does. Its words are no errors." +
			" Huawei Log Reference, SHELL/6/DISPLAY_CMDRECORD.",
		Example: "<190>Jul 14 2026 12:00:00 ce1 %%01SHELL/6/DISPLAY_CMDRECORD(s)[17]:Recorded display command information. (Task=vt0, Ip=192.0.2.17, User=admin, Command=\"display logbuffer\")",
	},
	{
		Rule:    Rule{Name: "ios-exec-timeout", Mnemonics: []string{"SYS-6-TTY_EXPIRE_TIMER"}},
		Reason:  "A session that nobody typed in was closed after its exec-timeout. Cisco IOS System Message Guide, SYS-6-TTY_EXPIRE_TIMER.",
		Example: "<190>61: Jul 14 12:00:00.001: %SYS-6-TTY_EXPIRE_TIMER: (exec timer expired, tty 2 (192.0.2.17)), user admin",
	},
	{
		Rule:    Rule{Name: "ios-logging-host", Mnemonics: []string{"SYS-6-LOGGINGHOST_STARTSTOP"}},
		Reason:  "The device begins or ceases to log to a host: that its lines come says so too. Cisco IOS System Message Guide, SYS-6-LOGGINGHOST_STARTSTOP.",
		Example: "<190>29: Jul 14 12:00:00.001: %SYS-6-LOGGINGHOST_STARTSTOP: Logging to host 192.0.2.5 port 514 started - CLI initiated",
	},
	{
		Rule: Rule{Name: "ios-pki-not-saved", Mnemonics: []string{"PKI-4-NOCONFIGAUTOSAVE", "PKI-4-NOAUTOSAVE"}},
		Reason: "After each start a device makes a certificate for itself that is not in its startup-config; it makes another the next time." +
			" Cisco IOS System Message Guide, PKI-4-NOAUTOSAVE.",
		Example: "<188>33: Jul 14 12:00:00.001: %PKI-4-NOCONFIGAUTOSAVE: Configuration was modified.  Issue \"write memory\" to save new IOS PKI configuration",
	},
	{
		Rule: Rule{Name: "ios-ssh-no-match", Mnemonics: []string{"SSH-3-NO_MATCH", "SSH-4-SSH2_UNEXPECTED_MSG"}},
		Reason: "A client of SSH offered what this server does not have, or spoke out of turn, and was sent away: scanners do." +
			" Cisco IOS XE System Message Guide, SSH-3-NO_MATCH and SSH-4-SSH2_UNEXPECTED_MSG.",
		Example: "<187>71: Jul 14 12:00:00.001: %SSH-3-NO_MATCH: No matching kex algorithm found: client curve25519-sha256 server diffie-hellman-group14-sha1",
	},
	{
		Rule: Rule{Name: "junos-pvidb", Text: "PVIDB: Attribute ", Match: `PVIDB: Attribute '[^']*' not present in Db`},
		Reason: "A daemon of Junos asked for a value that this model does not have, which changes nothing." +
			" Juniper Knowledge Base, PVIDB: Attribute not present in Db.",
		Example: "<28>Jul 14 12:00:00 ex1 chassisd[1290]: PVIDB: Attribute 'hw.chassis.startup_time' not present in Db",
	},
	{
		Rule: Rule{Name: "junos-show-command", Mnemonics: []string{"UI_CMDLINE_READ_LINE"}, Match: `command 'show `},
		Reason: "Somebody typed a command that only shows something, as each backup does. Its words are no errors." +
			" Junos OS System Log Explorer, UI_CMDLINE_READ_LINE.",
		Example: "<190>Jul 14 12:00:00 mx1 mgd[4711]: UI_CMDLINE_READ_LINE: User 'admin', command 'show log messages | match error '",
	},
	{
		Rule: Rule{Name: "kernel-perf-interrupt", Apps: []string{"kernel"}, Text: "perf: interrupt took too long"},
		Reason: "The kernel samples itself less often, as it does on each slow or virtual machine." +
			" Linux kernel documentation, sysctl/kernel, perf_cpu_time_max_percent.",
		Example: "<4>Jul 14 12:00:00 srv1 kernel: [ 9031.115] perf: interrupt took too long (2507 > 2500), lowering kernel.perf_event_max_sample_rate to 79750",
	},
	{
		Rule:    Rule{Name: "log-mark", Match: `^-- MARK --$`},
		Reason:  "A daemon of syslog says that it is alive. rsyslog.conf, module immark.",
		Example: "<46>Jul 14 12:00:00 srv1 -- MARK --",
	},
	{
		Rule:    Rule{Name: "log-repeated", Match: `(?i)^last message repeated \d+ times?\b`},
		Reason:  "The message before was sent several times, and the rules have seen it. RFC 3164 senders; Huawei Log Reference, INFO/4/SUPPRESS_LOG.",
		Example: "<46>Jul 14 12:00:00 srv1 last message repeated 12 times",
	},
	{
		Rule:    Rule{Name: "log-rotated", Apps: []string{"rsyslogd"}, Match: `\] rsyslogd was HUPed$`},
		Reason:  "The machine's log files were rotated, as they are each night. rsyslogd(8), signal HUP.",
		Example: "<46>Jul 14 00:00:00 srv1 rsyslogd: [origin software=\"rsyslogd\" swVersion=\"8.2302.0\" x-pid=\"611\" x-info=\"https://www.rsyslog.com\"] rsyslogd was HUPed",
	},
	{
		Rule:    Rule{Name: "ntp-kernel-sync", Apps: []string{"xntpd", "ntpd"}, Match: `^kernel time sync (?:enabled|disabled|status(?: change)?) \d+$`},
		Reason:  "The daemon of NTP adjusts how it steers the clock, many times a day. Juniper Knowledge Base, kernel time sync enabled.",
		Example: "<29>Jul 14 12:00:00 mx1 xntpd[1311]: kernel time sync enabled 6001",
	},
	{
		Rule: Rule{Name: "nxos-boot-progress", Mnemonics: []string{"USER-[0-2]-SYSTEM_MSG"},
			Match: `^(?:CLIS: (?:init|loading cmd files) (?:begin|end)\b|(?:start|end) of default policer\b)`},
		Reason: "NX-OS logs steps of a start as emergencies and as critical: each went well." +
			" Cisco NX-OS System Messages Reference, SYSTEM_MSG.",
		Example: "<186>: 2026 Jul 14 12:00:00 UTC: %USER-2-SYSTEM_MSG: CLIS: loading cmd files begin  - clis",
	},
	{
		Rule: Rule{Name: "nxos-sshd-disconnect", Mnemonics: []string{"DAEMON-[2-3]-SYSTEM_MSG"},
			Match: `^(?:fatal|error): .*(?:Connection reset by peer|Connection closed by remote host|Broken pipe|Connection timed out).* - (?:dcos_)?sshd\[\d+\]`},
		Reason:  "A client of SSH hung up early, which OpenSSH's server ends its own process for, and calls fatal. sshd(8), log level FATAL.",
		Example: "<186>: 2026 Jul 14 12:00:00 UTC: %DAEMON-2-SYSTEM_MSG: fatal: Read from socket failed: Connection reset by peer - dcos_sshd[4711]",
	},
	{
		Rule:    Rule{Name: "snmpd-connection", Apps: []string{"snmpd"}, Match: `^Connection from (?:UDP|TCP|UDP/IPv6|TCP/IPv6): `},
		Reason:  "snmpd logs each question of each monitor, unless its settings have dontLogTCPWrappersConnects. snmpd.conf(5).",
		Example: "<30>Jul 14 12:00:00 srv1 snmpd[702]: Connection from UDP: [192.0.2.5]:51234->[192.0.2.9]:161",
	},
	{
		Rule: Rule{Name: "sshd-disconnect", Apps: sshd,
			Match: `^(?:error: )?(?:Connection (?:closed|reset) by .* port \d+(?: \[preauth\])?|(?:Received disconnect from|Disconnected from) .*\[preauth\])$`},
		Reason: "A client of SSH went away, most often before it logged in, as scanners and monitors do. That a password was wrong is" +
			" another message. sshd(8).",
		Example: "<86>Jul 14 12:00:00 srv1 sshd[4711]: Connection closed by 198.51.100.7 port 51234 [preauth]",
	},
	{
		Rule: Rule{Name: "sshd-fatal-disconnect", Apps: sshd,
			Match: `^fatal: .*(?:Connection (?:reset by peer|closed by remote host|timed out)|Broken pipe|Connection (?:reset|closed) by .* port \d+)`},
		Reason: "A client of SSH hung up early, which OpenSSH's server ends its own process for: it calls that fatal, and logs it as critical." +
			" sshd(8); sshd_config(5), LogLevel.",
		Example: "<82>Jul 14 12:00:00 srv1 sshd[4711]: fatal: Read from socket failed: Connection reset by peer [preauth]",
	},
	{
		Rule: Rule{Name: "sshd-identification", Apps: sshd,
			Match: `^(?:error: )?(?:kex_exchange_identification: |banner exchange: Connection from |Did not receive identification string from ` +
				`|Bad protocol version identification |Protocol major versions differ)`},
		Reason: "Something that speaks no SSH, or says nothing, has connected: a scanner of ports, a load balancer, or muster's own scan." +
			" RFC 4253, 4.2; sshd(8).",
		Example: "<83>Jul 14 12:00:00 srv1 sshd[4711]: error: kex_exchange_identification: Connection closed by remote host",
	},
	{
		Rule:    Rule{Name: "sshd-login-timeout", Apps: sshd, Match: `^(?:fatal: )?Timeout before authentication for `},
		Reason:  "A client of SSH connected and did not log in within the LoginGraceTime, which is logged as critical. sshd_config(5).",
		Example: "<82>Jul 14 12:00:00 srv1 sshd[4711]: fatal: Timeout before authentication for 198.51.100.7 port 51234",
	},
	{
		Rule: Rule{Name: "sshd-no-common-algorithm", Apps: sshd, Match: `^(?:fatal: )?Unable to negotiate with .*\[preauth\]$`},
		Reason: "A client of SSH offered only algorithms that this server does not have, as scanners do to find out. It is logged as critical." +
			" RFC 4253, 7.1; sshd(8).",
		Example: "<82>Jul 14 12:00:00 srv1 sshd[4711]: fatal: Unable to negotiate with 198.51.100.7 port 51234: no matching host key type found. Their offer: ssh-dss [preauth]",
	},
	{
		Rule: Rule{Name: "sshd-no-packet", Apps: sshd,
			Match: `^(?:error: )?Bad packet length .*\[preauth\]$` +
				`|^(?:fatal: )?ssh_dispatch_run_fatal: .*: (?:message authentication code incorrect|Connection corrupted) \[preauth\]$`},
		Reason:  "Something said that it speaks SSH and then sent something else, as scanners do. It is logged as critical. RFC 4253, 6; sshd(8).",
		Example: "<82>Jul 14 12:00:00 srv1 sshd[4711]: fatal: ssh_dispatch_run_fatal: Connection from 198.51.100.7 port 51234: message authentication code incorrect [preauth]",
	},
	{
		Rule: Rule{Name: "systemd-session", Apps: []string{"systemd"},
			Match: `^(?:Started (?:session-\S+\.scope - )?Session \S+ of [Uu]ser \S+|session-\S+\.scope: (?:Succeeded|Deactivated successfully)\.|(?:Created|Removed) slice (?:user-\d+\.slice - )?User Slice of .*)$`},
		Reason:  "systemd keeps a scope for each login, and logs what it does with it. pam_systemd(8).",
		Example: "<30>Jul 14 12:00:00 srv1 systemd[1]: Started Session 812 of user root.",
	},
	{
		Rule: Rule{Name: "xr-sshd-disconnect", Mnemonics: []string{"SECURITY-SSHD*"},
			Match: `kex_exchange_identification: |(?:Connection (?:closed|reset) by|Received disconnect from|Disconnected from) .*\[preauth\]|fatal: .*(?:Connection reset by peer|Broken pipe)`},
		Reason: "A client of SSH went away before it logged in: IOS XR passes on what OpenSSH's server says." +
			" Cisco IOS XR System Error Messages, SECURITY-SSHD_SYSLOG_PRX.",
		Example: "<187>1204: xr1 RP/0/RP0/CPU0:Jul 14 12:00:00.001 UTC: sshd_syslog_proxy[1191]: %SECURITY-SSHD_SYSLOG_PRX-3-ERR_GENERAL : sshd[4711]: error: kex_exchange_identification: Connection closed by remote host",
	},
	{
		Rule:    Rule{Name: "zebra-no-mpls", Apps: []string{"zebra"}, Text: "Disabling MPLS support (no kernel support)"},
		Reason:  "FRR says at its start that the kernel has no MPLS; who wants none misses nothing. FRR User Guide, error 4043309105.",
		Example: "<132>Jul 14 12:00:00 r1 zebra[811]: [EC 4043309105] Disabling MPLS support (no kernel support)",
	},
}
