package platform_test

// changed are messages of each platform that mean a change: those of FRR and BIRD recorded, the others after public documents
// and field reports.
var changed = map[string][]logged{
	"cisco_ios": {
		{"SYS-5-CONFIG_I", "", "Configured from console by admin on vty0 (10.0.0.1)", by("admin", "10.0.0.1")},
		{"SYS-5-CONFIG_I", "", "Configured from console by console", by("", "")},
		{"SYS-5-CONFIG_I", "", "Configured from console by vty1 (10.0.0.1)", by("", "10.0.0.1")},
		{"SYS-5-CONFIG_I", "", "Configured from console by admin on console", by("admin", "")},
		{"SYS-5-CONFIG_I", "", "Configured from console by console-op on vty0 (2001:db8::1)", by("console-op", "2001:db8::1")},
		{"SYS-5-CONFIG_I", "", "Configured from console by vty1admin on vty0 (10.0.0.1)", by("vty1admin", "10.0.0.1")},
		{"SYS-5-CONFIG_I", "", "Configured from console by ada@example.com on vty0 (10.0.0.1)", by("ada@example.com", "10.0.0.1")},
		{"SYS-5-CONFIG_I", "", "Configured from console by  on vty0 (EEM:uplink)", by("", "EEM:uplink")},
		{"SYS-5-CONFIG_I", "", "Configured from memory by console", by("", "")},
		{"SYS-5-CONFIG_I", "", "Configured from tftp://10.0.0.9/sw1-confg by admin on vty0 (10.0.0.1)", by("admin", "10.0.0.1")},
		{"SYS-5-CONFIG_I", "", "Configured from http by admin on vty1 (10.0.0.1)", by("admin", "10.0.0.1")},
		{"SYS-5-CONFIG_I", "", "Configured from 10.0.0.5 by snmp", by("", "10.0.0.5")},
		{"SYS-5-CONFIG_I", "", "Configured from a place that nobody has heard of", by("", "")},
		{"SYS-SW1-5-CONFIG_I", "", "Configured from console by admin on vty0 (10.0.0.1)", by("admin", "10.0.0.1")},
		{"SYS-SP-5-CONFIG_I", "", "Configured from console by admin on vty0 (10.0.0.1)", by("admin", "10.0.0.1")},
		{"SYS-5-CONFIG_P", "", "Configured programmatically by process SSH Event handler from console as admin on vty0 (10.0.0.1)", by("admin", "10.0.0.1")},
		{"SYS-5-CONFIG_P", "", "Configured programmatically by process iosp_dmiauthd_conn_100001_vty_100001 from console as NETCONF on vty31266", by("", "")},
		{"SYS-5-CONFIG_P", "", "Configured programmatically by process PnP Agent Discovery from console as vty0", by("", "")},
		{"DMI-5-CONFIG_I", "", "R0/0: dmiauthd: Configured from NETCONF/RESTCONF by admin, transaction-id 103", by("admin", "")},
		{"DMI-5-CONFIG_I", "", "R0/0: nesd: Configured from NETCONF/RESTCONF by system, transaction-id 104", by("", "")},
		{"PARSER-5-CFGLOG_LOGGEDCMD", "", "User:admin  logged command:interface GigabitEthernet0/1", by("admin", "")},
		{"PARSER-5-CFGLOG_LOGGEDCMD", "", "User:console  logged command:no shutdown", by("", "")},
		{"PARSER-5-CFGLOG_LOGGEDCMD", "", "User:eve  logged command:description x logged command:end", by("eve", "")},
		{"PARSER-5-CFGLOG_LOGGEDCMD", "", "User:unknown user  logged command:!config: USER TABLE MODIFIED", by("", "")},
	},
	"cisco_nxos": {
		{"VSHD-5-VSHD_SYSLOG_CONFIG_I", "", "Configured from vty by admin on 10.0.0.1@pts/0", by("admin", "10.0.0.1")},
		{"VSHD-5-VSHD_SYSLOG_CONFIG_I", "", "Configured from vty by admin on 2001:db8::1@pts/2", by("admin", "2001:db8::1")},
		{"VSHD-5-VSHD_SYSLOG_CONFIG_I", "", "Configured from vty by admin on console0", by("admin", "")},
		{"VSHD-5-VSHD_SYSLOG_CONFIG_I", "", "Configured from vty by root on vsh.bin.31437", by("root", "")},
		{"VSHD-5-VSHD_SYSLOG_CONFIG_I", "", "Configured from vty", by("", "")},
	},
	"cisco_iosxr": {
		{"MGBL-CONFIG-6-DB_COMMIT", "config", "Configuration committed by user 'admin'. Use 'show configuration commit changes 1000000001' to view the changes.", by("admin", "")},
		{"MGBL-CONFIG-6-DB_COMMIT_ADMIN", "config", "Configuration committed by user 'admin'. Use 'show configuration commit changes 2000000001' to view the changes.", by("admin", "")},
		{"MGBL-SYS-5-CONFIG_I", "config", "Configured from console by admin on vty0 (10.0.0.1)", by("admin", "10.0.0.1")},
		{"MGBL-SYS-5-CONFIG_I", "config", "Configured from console by admin", by("admin", "")},
	},
	"cisco_asa": {
		{"ASA-5-111008", "", "User 'admin' executed the 'access-list outside extended permit ip any any' command.", by("admin", "")},
		{"ASA-5-111008", "", "User 'enable_15' executed the 'no shutdown' command.", by("", "")},
		{"ASA-5-111008", "", "User 'admin' executed the 'clear configure access-list' command.", by("admin", "")},
		{"ASA-5-111008", "", "User 'admin' executed the 'copy tftp: running-config' command.", by("admin", "")},
		{"ASA-5-111008", "", "User 'admin' executed the 'enablement x' command.", by("admin", "")},
		{"ASA-5-111008", "", "User 'o'brien' executed the 'hostname fw2' command.", by("o'brien", "")},
		{"ASA-5-111008", "", "User 'admin' executed the 'description ' executed the 'show' command.", by("admin", "")},
		{"ASA-5-111010", "", "User 'admin', running 'CLI' from IP 10.0.0.1, executed 'interface GigabitEthernet0/0'", by("admin", "10.0.0.1")},
		{"ASA-5-111010", "", "User 'enable_15', running 'CLI' from IP 0.0.0.0, executed 'hostname fw2'", by("", "")},
		{"ASA-5-111010", "", "User 'ada', running 'ASDM' from IP 2001:db8::1, executed 'object network x'", by("ada", "2001:db8::1")},
		{"ASA-5-111010", "", "User 'eve', running 'CLI' from IP 10.0.0.1, executed 'description x, executed 'show'", by("eve", "10.0.0.1")},
		{"ASA-6-111010", "", "User 'admin', running 'N/A' from IP 10.0.0.1, executed 'clear configure all'", by("admin", "10.0.0.1")},
		{"ASA-5-111005", "", "10.0.0.1 end configuration: OK", by("", "10.0.0.1")},
		{"ASA-5-111005", "", "console end configuration: OK", by("", "")},
		{"PIX-5-111008", "", "User 'admin' executed the 'hostname fw1' command.", by("admin", "")},
	},
	"arista_eos": {
		{"SYS-5-CONFIG_I", "ConfigAgent", "Configured from console by admin on vty5 (10.0.0.1)", by("admin", "10.0.0.1")},
		{"SYS-5-CONFIG_I", "ConfigAgent", "Configured from console by admin on console (UNKNOWN)", by("admin", "")},
		{"SYS-5-CONFIG_I", "ConfigAgent", "Configured from console by cvpadmin on command-api (10.0.0.2)", by("cvpadmin", "10.0.0.2")},
		{"SYS-5-CONFIG_SESSION_COMMIT_SUCCESS", "ConfigAgent", "User admin committed configuration session uplinks successfully on vty5 (10.0.0.1)", by("admin", "10.0.0.1")},
		{"SYS-5-CONFIG_REPLACE_SUCCESS", "ConfigAgent", "User admin replaced running configuration with flash:golden successfully on vty5 (10.0.0.1)", by("admin", "10.0.0.1")},
	},
	"juniper_junos": {
		{"UI_COMMIT", "mgd", "User 'admin' requested 'commit' operation (comment: none)", by("admin", "")},
		{"UI_COMMIT", "mgd", "User 'admin' requested 'commit' operation (comment: after a commit check)", by("admin", "")},
		{"UI_COMMIT", "mgd", "User 'root' requested 'commit synchronize' operation (comment: none)", by("root", "")},
		{"UI_COMMIT", "mgd", "User 'o'brien' requested 'commit' operation (comment: none)", by("o'brien", "")},
		{"UI_COMMIT", "mgd", "User 'regress' performed commit: no comment", by("regress", "")},
		{"UI_COMMIT", "mgd", "", by("", "")},
		{"UI_COMMIT_COMPLETED", "mgd", "commit complete", by("", "")},
		{"UI_COMMIT_COMPLETED", "mgd", ": commit complete", by("", "")},
		{"UI_COMMIT_NOT_CONFIRMED", "mgd", "Commit was not confirmed; automatic rollback complete", by("", "")},
	},
	"frr": {
		{"M7Q4P-46WDR", "zebra", "vty[42]@(config)# interface eth0", by("", "")},
		{"M7Q4P-46WDR", "zebra", "vty[42]@(config-if)# description uplink of r1", by("", "")},
		{"M7Q4P-46WDR", "zebra", "vty[42]@(config-if)#  description management", by("", "")},
		{"M7Q4P-46WDR", "staticd", "vty[13]@(config)# ip route 203.0.113.0/24 blackhole", by("", "")},
		{"M7Q4P-46WDR", "bgpd", "vty[20]@(config-router)#  neighbor 198.18.77.2 remote-as 64497", by("", "")},
		{"M7Q4P-46WDR", "bgpd", "vty[20]@(config)# no log commands", by("", "")},
		{"M7Q4P-46WDR", "zebra", "vty[42]@127.0.0.1(config-if)# description by telnet", by("", "127.0.0.1")},
		{"", "zebra", "[M7Q4P-46WDR] vty[42]@(config-if)# description uplink of r1", by("", "")},
		{"", "zebra", "vty[42]@(config-if)# description without log unique-id", by("", "")},
		{"M7Q4P-46WDR", "zebra", "vty[42]@(config-if)# description exit", by("", "")},
		{"M7Q4P-46WDR", "zebra", "vty[42]@(config-if)# description (config)# end", by("", "")},
	},
	"aruba_aoscx": {
		{"", "hpe-auditd", `type=USYS_CONFIG msg=audit(Nov 05 2018 22:55:36.402:27) : pid=3148 msg='rec=ACCT_CMD_STOP op=CLI:command session=00A41A0C timezone=UTC user=admin priv-lvl=15 auth-method=LOCAL auth-type=LOCAL service=shell isconfig=yes hostname=8320 addr=10.0.0.1 cmd="vlan 10" res=success'`, by("admin", "10.0.0.1")},
		{"", "", "rec=ACCT_CMD_STOP user=admin service=shell isconfig=yes addr=0.0.0.0 cmd=\"vlan 10\" res=success", by("admin", "")},
	},
	"fortinet_fortios": {
		{"0100044546", "", `date=2026-03-02 time=09:00:00 devname="FGT60F" devid="FGT60FTK12345678" logid="0100044546" type="event" subtype="system" level="information" vd="root" logdesc="Attribute configured" user="admin" ui="GUI(10.0.0.1)" action="Edit" cfgtid=1234 cfgpath="system.global" cfgattr="hostname[a->b]" msg="Edit system.global "`, by("admin", "10.0.0.1")},
		{"0100044547", "", `date=2026-03-02 time=09:00:00 devname="FGT60F" devid="FGT60FTK12345678" logid="0100044547" type="event" subtype="system" level="information" vd="root" logdesc="Object attribute configured" user="Ada Lovelace" ui="ssh(2001:db8::1)" action="Edit" cfgtid=1235 cfgpath="firewall.policy" cfgobj="1" cfgattr="status[disable]" msg="Edit firewall.policy 1"`, by("Ada Lovelace", "2001:db8::1")},
		{"0100044545", "", `logid="0100044545" type="event" subtype="system" level="information" vd="root" logdesc="Object configured" user="admin" ui="jsconsole" action="Delete" cfgtid=1236 cfgpath="firewall.address" cfgobj="a" msg="Delete firewall.address a"`, by("admin", "")},
		{"0100044546", "", `date=2015-03-02 time=09:00:00 devname=FGT60C devid=FGT60C12 logid=0100044546 type=event subtype=system level=information vd="root" logdesc="Attribute configured" user="admin" ui="https(10.0.0.1)" action=Edit cfgtid=12 cfgpath="system.global" cfgattr="timezone[04->26]" msg="Edit system.global "`, by("admin", "10.0.0.1")},
		{"0100044544", "", `logid="0100044544" logdesc="Path configured" of a form that nobody has heard of`, by("", "")},
		{"0100032102", "", `logid="0100032102" type="event" subtype="system" level="alert" vd="root" logdesc="Configuration changed" user="admin" ui="ssh(10.0.0.1)" msg="Configuration is changed in the admin session"`, by("admin", "10.0.0.1")},
	},
	"mikrotik_routeros": {
		{"system,info", "", "filter rule added by admin", by("admin", "")},
		{"system,info", "", "address changed by tcp-msg(winbox):admin@10.0.0.1/action:12 (/ip address set *1 address=10.0.0.2/24)", by("admin", "10.0.0.1")},
		{"system,info", "", "filter rule moved by winbox-3.41/tcp-msg(winbox):ada@2001:db8::1/action:3 (/ip firewall filter move *1 *2)", by("ada", "2001:db8::1")},
		{"system,info", "", "device changed by ssh:admin@10.0.0.1", by("admin", "10.0.0.1")},
		{"system,info", "", "route removed by api:backup-job@10.0.0.7/action:1 (/ip route remove *80)", by("backup-job", "10.0.0.7")},
		{"system,info", "", "device changed by mac-msg(winbox):admin@00:0C:42:AA:BB:CC", by("admin", "00:0C:42:AA:BB:CC")},
	},
	"bird": {
		{"", "bird", "Reconfiguring", by("", "")},
		{"", "bird", "Reconfigured", by("", "")},
		{"", "bird6", "Reconfigured", by("", "")},
	},
}

// unchanged are messages of each platform that stand close to those of a change.
var unchanged = map[string][]logged{
	"cisco_ios": {
		{mnemonic: "SYS-6-PRIVCFG_ENCRYPT_SUCCESS", text: "Successfully encrypted private config file"},
		{mnemonic: "SYS-5-CONFIG_NV_I", text: "Nonvolatile storage configured from console by admin on vty0 (10.0.0.1)"},
		{mnemonic: "SEC_LOGIN-5-LOGIN_SUCCESS", text: "Login Success [user: muster] [Source: 10.0.0.9] [localport: 22] at 09:00:00 UTC Mon Mar 2 2026"},
		{mnemonic: "SEC_LOGIN-4-LOGIN_FAILED", text: "Login failed [user: Configured from console by x] [Source: 10.0.0.9] [localport: 22] [Reason: Login Authentication Failed]"},
		{mnemonic: "SYS-6-LOGOUT", text: "User muster has exited tty session 1(10.0.0.9)"},
		{mnemonic: "SSH-5-SSH2_SESSION", text: "SSH2 Session request from 10.0.0.9 (tty = 0) using crypto cipher 'aes256-gcm', hmac 'hmac-sha2-256' Succeeded"},
		{mnemonic: "SSH-5-SSH2_USERAUTH", text: "User 'muster' authentication for SSH2 Session from 10.0.0.9 (tty = 0) using crypto cipher 'aes256-gcm' Succeeded"},
		{mnemonic: "LINK-3-UPDOWN", text: "Interface GigabitEthernet0/1, changed state to up"},
		{mnemonic: "PARSER-5-CFGLOG_LOGGEDCMD", text: "User:admin  logged command:!exec: enable"},
		{mnemonic: "PARSER-5-CFGLOG_LOGGEDCMD", text: "User:admin  logged command:do show ip route"},
		{mnemonic: "PARSER-5-CFGLOG_LOGGEDCMD", text: "User:admin  logged command:end"},
		{mnemonic: "XSYS-5-CONFIG_I", text: "Configured from console by console"},
	},
	"cisco_nxos": {
		{mnemonic: "AUTHPRIV-6-SYSTEM_MSG", text: "START: ssh pid=1234 from=10.0.0.9 - sshd[1234]"},
		{mnemonic: "AAA-6-AAA_ACCOUNTING_MESSAGE", text: "start:10.0.0.9@pts/0:muster:"},
		{mnemonic: "VSHD-5-VSHD_SYSLOG_EOL_ERR", text: "EOL function pm_cli__if_mgr_cb from library libpmcli_intf.so exited due to Signal 11"},
		{mnemonic: "ETHPORT-5-IF_UP", text: "Interface Ethernet1/1 is up in mode access"},
	},
	"cisco_iosxr": {
		{mnemonic: "SECURITY-SSHD-6-INFO_SUCCESS", app: "SSHD_", text: "Successfully authenticated user 'muster' from '10.0.0.9' on 'vty0'(cipher 'aes128-ctr', mac 'hmac-sha2-256')"},
		{mnemonic: "MGBL-CONFIG-6-STARTUP_CONFIG_APPLY", app: "config", text: "Startup configuration applied"},
		{mnemonic: "MGBL-EXEC-3-ACCT_ERR", app: "exec", text: "Configuration committed by user 'x'"},
	},
	"cisco_asa": {
		{mnemonic: "ASA-5-111008", text: "User 'muster' executed the 'enable' command."},
		{mnemonic: "ASA-5-111008", text: "User 'muster' executed the 'configure terminal' command."},
		{mnemonic: "ASA-5-111008", text: "User 'muster' executed the 'ping 10.0.0.1' command."},
		{mnemonic: "ASA-5-111008", text: "User 'muster' executed the 'clear logging buffer' command."},
		{mnemonic: "ASA-5-111008", text: "User 'muster' executed the 'copy running-config tftp://10.0.0.9/x' command."},
		{mnemonic: "ASA-5-111008", text: "User 'muster' executed the 'write memory' command."},
		{mnemonic: "ASA-5-111010", text: "User 'enable_15', running 'N/A' from IP 127.0.0.1, executed 'dir disk0:/dap.xml'"},
		{mnemonic: "ASA-5-111010", text: "User 'enable_15', running 'CLI' from IP 10.0.0.9, executed 'perfmon interval 10'"},
		{mnemonic: "ASA-7-111009", text: "User 'muster' executed cmd: show running-config"},
		{mnemonic: "ASA-5-111001", text: "Begin configuration: 10.0.0.9 writing to memory"},
		{mnemonic: "ASA-5-111004", text: "10.0.0.9 end configuration: OK"},
		{mnemonic: "ASA-6-113012", text: "AAA user authentication Successful : local database : user = muster"},
		{mnemonic: "ASA-6-605005", text: "Login permitted from 10.0.0.9/50000 to inside:10.0.0.2/ssh for user \"muster\""},
		{mnemonic: "ASA-6-302013", text: "Built outbound TCP connection 1 for outside:198.51.100.7/443 (198.51.100.7/443) to inside:10.1.1.5/1 (203.0.113.9/1)"},
	},
	"arista_eos": {
		{mnemonic: "SYS-5-CONFIG_E", app: "ConfigAgent", text: "Enter configuration mode from console by admin on vty5 (10.0.0.1)"},
		{mnemonic: "SYS-5-CONFIG_STARTUP", app: "ConfigAgent", text: "Startup config saved from system:/running-config by admin on vty5 (10.0.0.1)."},
		{mnemonic: "SYS-5-CONFIG_SESSION_ABORTED", app: "ConfigAgent", text: "User admin aborted configuration session uplinks on vty5 (10.0.0.1)"},
		{mnemonic: "AAA-5-LOGIN", app: "Aaa", text: "user muster logged in [from: 10.0.0.9] [service: sshd]"},
		{mnemonic: "ACCOUNTING-6-CMD", app: "Aaa", text: "muster vty5 10.0.0.9 stop task_id=7 start_time=1772442000.1 timezone=UTC service=shell priv-lvl=15 cmd=show running-config <cr>"},
	},
	"juniper_junos": {
		{mnemonic: "UI_COMMIT", app: "mgd", text: "User 'admin' requested 'commit check' operation (comment: none)"},
		{mnemonic: "UI_COMMIT_PROGRESS", app: "mgd", text: "Commit operation in progress: signaling 'Network security daemon', pid 1234, signal 31, status 0 with notification errors enabled"},
		{mnemonic: "UI_DBASE_LOGIN_EVENT", app: "mgd", text: "User 'admin' entering configuration mode"},
		{mnemonic: "UI_DBASE_LOGOUT_EVENT", app: "mgd", text: "User 'admin' exiting configuration mode"},
		{mnemonic: "UI_LOAD_EVENT", app: "mgd", text: "User 'admin' is performing a 'rollback 1'"},
		{mnemonic: "UI_LOGIN_EVENT", app: "mgd", text: "User 'muster' login, class 'j-read-only' [1234], ssh-connection '10.0.0.9 50000 10.0.0.2 22', client-mode 'cli'"},
		{mnemonic: "UI_CMDLINE_READ_LINE", app: "mgd", text: "User 'muster', command 'show configuration | display omit '"},
		{mnemonic: "SNMPD_AUTH_FAILURE", app: "snmpd", text: "nsa_log_community: unauthorized SNMP community from 10.0.0.9 to 10.0.0.2 (UI_COMMIT)"},
	},
	"frr": {
		{mnemonic: "M7Q4P-46WDR", app: "zebra", text: "vty[42]@> enable"},
		{mnemonic: "M7Q4P-46WDR", app: "zebra", text: "vty[42]@# do write terminal"},
		{mnemonic: "M7Q4P-46WDR", app: "zebra", text: "vty[42]@127.0.0.1# show running-config"},
		{mnemonic: "M7Q4P-46WDR", app: "zebra", text: "vty[42]@# configure terminal"},
		{mnemonic: "M7Q4P-46WDR", app: "zebra", text: "vty[42]@# conf t"},
		{mnemonic: "M7Q4P-46WDR", app: "zebra", text: "vty[42]@(config)# end"},
		{mnemonic: "M7Q4P-46WDR", app: "zebra", text: "vty[42]@(config-if)# exit"},
		{mnemonic: "M7Q4P-46WDR", app: "bgpd", text: "vty[20]@(config-router-af)# exit-address-family"},
		{mnemonic: "M7Q4P-46WDR", app: "zebra", text: "vty[42]@127.0.0.1(config)# do show ip route"},
		{mnemonic: "M7Q4P-46WDR", app: "zebra", text: "vty[42]@(config)# XFRR_start_configuration"},
		{mnemonic: "M7Q4P-46WDR", app: "zebra", text: "vty[42]@(config)# XFRR_end_configuration"},
		{mnemonic: "M7Q4P-46WDR", app: "zebra", text: "vty[42]@# disable"},
		{mnemonic: "M7Q4P-46WDR", app: "zebra", text: "vty[42]@# exit"},
		{mnemonic: "VTVCM-Y2NW3", app: "zebra", text: "Configuration Read in Took: 00:00:00"},
		{mnemonic: "G3N32-0AWQH", app: "zebra", text: "Vty connection from 127.0.0.1"},
		{app: "sshd", text: "Invalid user vty[1]@(config)# x from 10.0.0.66 port 50000"},
		{mnemonic: "VXKFG-8SJRV", app: "zebra", text: "[EC 4043309121] Client 'bgp' encountered an error and is shutting down."},
	},
	"aruba_aoscx": {
		{app: "hpe-auditd", text: `msg='rec=ACCT_CMD_STOP op=CLI:command user=muster service=shell isconfig=no hostname=8320 addr=10.0.0.9 cmd="show running-config" res=success'`},
		{mnemonic: "4655", app: "hpe-sshd", text: "User muster logged in from 10.0.0.9 through SSH session."},
		{app: "sshd", text: "Invalid user rec=ACCT_CMD user=ada isconfig=yes from 10.0.0.66 port 50000"},
		{mnemonic: "404", app: "intfd", text: "Link status for interface 1/1/1 is up"},
	},
	"fortinet_fortios": {
		{mnemonic: "0100032001", text: `logid="0100032001" type="event" subtype="system" level="information" vd="root" logdesc="Admin login successful" sn="1772442000" user="muster" ui="ssh(10.0.0.9)" method="ssh" srcip=10.0.0.9 dstip=10.0.0.2 action="login" status="success" reason="none" profile="read_only" msg="Administrator muster logged in successfully from ssh(10.0.0.9)"`},
		{mnemonic: "0100032003", text: `logid="0100032003" type="event" subtype="system" level="information" vd="root" logdesc="Admin logout successful" user="muster" ui="ssh(10.0.0.9)" action="logout" msg="Administrator muster logged out from ssh(10.0.0.9)"`},
		{mnemonic: "0100044548", text: `logid="0100044548" type="event" subtype="system" level="information" vd="root" logdesc="Action performed" user="admin" ui="ssh(10.0.0.1)" action="ping" msg="ping 10.0.0.1"`},
		{mnemonic: "0100032002", text: `logid="0100032002" type="event" subtype="system" level="alert" vd="root" logdesc="Admin login failed" user="ada\" ui=\"ssh(10.0.0.1)\" cfgpath=\"x" ui="ssh(10.0.0.66)" action="login" status="failed" msg="Configuration is changed in the admin session"`},
		{mnemonic: "0000000013", text: fortiTraffic},
	},
	"mikrotik_routeros": {
		{mnemonic: "system,info,account", text: "user muster logged in from 10.0.0.9 via ssh"},
		{mnemonic: "system,info,account", text: "user muster logged out from 10.0.0.9 via ssh"},
		{mnemonic: "system,error,critical", text: "login failure for user filter rule added by ada from 10.0.0.66 via ssh"},
		{mnemonic: "system,error,critical", text: "login failure for user filter rule added by ada (x from 10.0.0.66 via web"},
		{mnemonic: "system,info", text: "router rebooted by admin"},
		{mnemonic: "dhcp,info", text: "dhcp1 assigned 10.0.0.77 for 00:0C:42:AA:BB:CC filter rule added by ada"},
		{mnemonic: "interface,info", text: "ether1 link up (speed 1G, full duplex)"},
		{mnemonic: "dhcp,info", text: "dhcp1 assigned 10.0.0.77 to 00:0C:42:AA:BB:CC"},
	},
	"bird": {
		{app: "bird", text: "Reconfiguration requested by SIGHUP"},
		{app: "bird", text: "Config timeout expired, starting undo"},
		{app: "bird", text: "/etc/bird/bird.conf:5:1 syntax error, unexpected CF_SYM_UNDEFINED"},
		{app: "bird", text: "Started"},
		{app: "bird", text: "Adding protocol static1"},
		{app: "named", text: "Reconfigured"},
	},
	"linux": {
		{app: "sudo", text: "    ada : TTY=pts/0 ; PWD=/home/ada ; USER=root ; COMMAND=/usr/bin/vi /etc/network/interfaces"},
		{app: "systemd", text: "Reloaded networking.service - Raise network interfaces."},
		{app: "usermod", text: "change user 'muster' password"},
	},
}

// sessionLog is what a login and a logout leave in a log.
var sessionLog = []logged{
	{app: "sshd", text: "Accepted publickey for muster from 10.0.0.9 port 50170 ssh2: ED25519 SHA256:wUUQW94tMLuR8q0Te9bzrsvZ4OL26+BkoPoJU/D5CP0"},
	{app: "sshd", text: "Accepted password for muster from 10.0.0.9 port 50170 ssh2"},
	{app: "sshd", text: "pam_unix(sshd:session): session opened for user muster(uid=1002) by (uid=0)"},
	{app: "sshd", text: "Received disconnect from 10.0.0.9 port 50170:11: disconnected by user"},
	{app: "sshd", text: "Disconnected from user muster 10.0.0.9 port 50170"},
	{app: "sshd", text: "pam_unix(sshd:session): session closed for user muster"},
}

// commandLog is how a platform logs a command.
type commandLog struct {
	logged
	more []string // what a command that muster sends is logged as
}

var commandLogs = map[string][]commandLog{
	"cisco_ios":   {{logged: logged{mnemonic: "PARSER-5-CFGLOG_LOGGEDCMD", text: "User:muster  logged command:!exec: COMMAND"}}},
	"cisco_nxos":  {{logged: logged{mnemonic: "AAA-6-AAA_ACCOUNTING_MESSAGE", text: "update:10.0.0.9@pts/0:muster:COMMAND (SUCCESS)"}}},
	"cisco_iosxr": {{logged: logged{mnemonic: "MGBL-PARSER-6-CMDLOG", app: "parser", text: "User 'muster' executed 'COMMAND'"}}},
	"cisco_asa": {
		{logged: logged{mnemonic: "ASA-5-111008", text: "User 'muster' executed the 'COMMAND' command."}},
		{logged: logged{mnemonic: "ASA-5-111008", text: "User 'enable_15' executed the 'COMMAND' command."}},
		{logged: logged{mnemonic: "ASA-7-111009", text: "User 'muster' executed cmd: COMMAND"}},
		{logged: logged{mnemonic: "ASA-5-111010", text: "User 'muster', running 'CLI' from IP 10.0.0.9, executed 'COMMAND'"}},
	},
	"arista_eos":    {{logged: logged{mnemonic: "ACCOUNTING-6-CMD", app: "Aaa", text: "muster vty5 10.0.0.9 stop task_id=7 service=shell priv-lvl=15 cmd=COMMAND <cr>"}}},
	"juniper_junos": {{logged: logged{mnemonic: "UI_CMDLINE_READ_LINE", app: "mgd", text: "User 'muster', command 'COMMAND '"}}},
	"frr": {
		{logged: logged{mnemonic: "M7Q4P-46WDR", app: "zebra", text: "vty[42]@> COMMAND"}, more: []string{"enable"}},
		{logged: logged{mnemonic: "M7Q4P-46WDR", app: "zebra", text: "vty[42]@# COMMAND"}, more: []string{"do write terminal", "exit"}},
	},
	"aruba_aoscx":      {{logged: logged{text: `rec=ACCT_CMD_STOP op=CLI:command user=muster isconfig=no addr=10.0.0.9 cmd="COMMAND" res=success`}}},
	"fortinet_fortios": {{logged: logged{mnemonic: "0100044548", text: `logid="0100044548" logdesc="Action performed" user="muster" ui="ssh(10.0.0.9)" action="COMMAND" msg="COMMAND"`}}},
}

const fortiTraffic = `date=2026-03-02 time=09:00:00 devname="FGT60F" devid="FGT60FTK12345678" logid="0000000013" type="traffic" subtype="forward" level="notice" vd="root" eventtime=1772438400000000000 tz="+0000" srcip=10.1.1.5 srcport=51515 srcintf="internal" srcintfrole="lan" dstip=198.51.100.7 dstport=443 dstintf="wan1" dstintfrole="wan" srccountry="Reserved" dstcountry="United States" sessionid=123456 proto=6 action="close" policyid=1 policytype="policy" service="HTTPS" trandisp="snat" transip=203.0.113.9 transport=51515 duration=10 sentbyte=1234 rcvdbyte=5678 sentpkt=12 rcvdpkt=10 appcat="unscanned"`

// misses are what devices log most, with the platform that logs it.
var misses = map[string]struct {
	platform string
	logged
}{
	"an interface that comes up": {"cisco_ios", logged{mnemonic: "LINK-3-UPDOWN", text: "Interface GigabitEthernet0/1, changed state to up"}},
	"a connection of a firewall": {"cisco_asa", logged{mnemonic: "ASA-6-302013", text: "Built outbound TCP connection 123456 for outside:198.51.100.7/443 (198.51.100.7/443) to inside:10.1.1.5/51515 (203.0.113.9/51515)"}},
	"a login of a server":        {"linux", sessionLog[0]},
	"a route of FRR":             {"frr", logged{mnemonic: "JPSA8-5KYEA", app: "zebra", text: "client 32 disconnected 0 bgp routes removed from the rib"}},
	"a command of FRR":           {"frr", logged{mnemonic: "M7Q4P-46WDR", app: "zebra", text: "vty[42]@# do write terminal"}},
	"a session of FortiOS":       {"fortinet_fortios", logged{mnemonic: "0000000013", text: fortiTraffic}},
	"a lease of RouterOS":        {"mikrotik_routeros", logged{mnemonic: "dhcp,info", text: "dhcp1 assigned 10.0.0.77 to 00:0C:42:AA:BB:CC"}},
}
